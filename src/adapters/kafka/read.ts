/** Reading one partition without any group. */
import type { LogRecord, TopicPartitionOffset } from '../../ports/index.ts'
import type { Cluster } from './cluster.ts'
import { decodeRecords } from './records.ts'
import { keyOf, type Topics } from './topics.ts'

const PART_BYTES = 4 * 1_048_576
const READ_COMMITTED = 1
const NO_SESSION_EPOCH = -1

/** At most `maxRecords` from the offset on, fewer only at the end. Where the offset is gone, from the earliest. */
export async function readRecords(
  cluster: Cluster,
  topics: Topics,
  { topic, partition, offset }: TopicPartitionOffset,
  maxRecords: number
): Promise<LogRecord[]> {
  const place = { topic, partition }
  const earliest = (await topics.earliest([place])).get(keyOf(place)) ?? 0n
  const end = (await topics.ends([place])).get(keyOf(place)) ?? 0n
  const found: LogRecord[] = []
  let next = offset < earliest ? earliest : offset
  while (next < end && found.length < maxRecords) {
    const { records, next: after } = await cluster.retried('Reading records', () =>
      fetchFrom(cluster, topics, { ...place, offset: next })
    )
    found.push(...records)
    // Nothing at all: what was there has been deleted meanwhile.
    if (after === next) break
    next = after
  }
  return found.slice(0, maxRecords)
}

async function fetchFrom(
  cluster: Cluster,
  topics: Topics,
  from: TopicPartitionOffset
): Promise<ReturnType<typeof decodeRecords>> {
  const { topic, partition, offset } = from
  const [leader = -1] = (await topics.byLeader([from])).keys()
  const [found] = await cluster.topics([topic])
  const asked = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    partitionMaxBytes: PART_BYTES
  }
  const wanted = [{ topicId: found?.id ?? '', partitions: [asked] }]
  const answer = await cluster.callLeader(leader, 'read', 'Fetch', [
    0,
    1,
    PART_BYTES,
    READ_COMMITTED,
    0,
    NO_SESSION_EPOCH,
    wanted,
    [],
    ''
  ])
  const [part] = answer.responses.flatMap(response => response.partitions)
  return part === undefined ? { records: [], next: offset } : decodeRecords(topic, part, offset)
}
