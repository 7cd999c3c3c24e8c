/** Committed offsets of a group. What has no committed offset is not in the answer. */
import type { TopicPartition } from '../../ports/index.ts'
import type { Cluster } from './cluster.ts'
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
