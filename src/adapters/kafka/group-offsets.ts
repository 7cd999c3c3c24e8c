/** Committed offsets of a group. What has no committed offset is not in the answer. */
import { BrokerError } from '../../core/index.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../ports/index.ts'
import type { Cluster } from './cluster.ts'
import { hasApiId } from './failures.ts'
import { grouped, keyOf } from './topics.ts'

const NONE = -1n

/**
 * Reads them from the coordinator, without being a member: membership must not matter to where a consumer starts
 * (platformatic/kafka#267: a stale epoch made the library start at a fallback). An error is an error, never "none".
 */
export async function committedOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal?: AbortSignal
): Promise<Map<string, bigint>> {
  if (partitions.length === 0) return new Map()
  const topics = grouped(partitions, ({ partition }) => partition).map(topic => ({
    name: topic.name,
    partitionIndexes: topic.partitions
  }))
  return await cluster.retried(
    'Reading committed offsets',
    async () => {
      const node = await cluster.coordinator(groupId)
      const group = { groupId, memberId: null, memberEpoch: -1, topics }
      const answer = await cluster.call(node, 'admin', 'OffsetFetch', [[group], true])
      const committed = new Map<string, bigint>()
      for (const { name, partitions: parts } of answer.groups.flatMap(one => one.topics)) {
        for (const { partitionIndex, committedOffset } of parts) {
          if (committedOffset === NONE) continue
          committed.set(keyOf({ topic: name, partition: partitionIndex }), committedOffset)
        }
      }
      return committed
    },
    signal
  )
}

/** Who is no member may set them only while nobody is. */
const NO_GENERATION = -1
const HAS_MEMBERS: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'])

/** Rejects with `BROKER_GROUP_IN_USE` while the group has members. */
export async function setGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly TopicPartitionOffset[]
): Promise<void> {
  const topics = grouped(offsets, ({ partition, offset }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: null
  }))
  await cluster.retried('Setting the offsets of a group', async () => {
    try {
      const node = await cluster.coordinator(groupId)
      await cluster.call(node, 'admin', 'OffsetCommit', [groupId, NO_GENERATION, '', null, topics])
    } catch (error) {
      if (!hasApiId(error, HAS_MEMBERS)) throw error
      const text = `The group "${groupId}" has members: its position is theirs to set`
      throw new BrokerError('BROKER_GROUP_IN_USE', text, { cause: error })
    }
  })
}
