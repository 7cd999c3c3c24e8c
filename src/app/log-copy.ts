/**
 * Moves a message log: every topic with its records, and the position of every group, from one log to another.
 * Offsets of another log cannot be chosen, so each record takes its old one along in a header; positions are
 * translated by it. A copy that was interrupted goes on where it stopped, since the last record of the target says how
 * far it came. The workers must not run meanwhile.
 */
import { BrokerError } from '../core/index.ts'
import type {
  Clock,
  LogRecord,
  MessageLog,
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset
} from '../ports/index.ts'
import { stages } from '../topology.ts'

/** Header of a copied record: its offset in the log that it comes from. */
export const COPIED_OFFSET = 'x-copied-offset'

export interface LogCopyOptions {
  readonly source: MessageLog
  readonly target: MessageLog
  /** Those of them that the source has. */
  readonly topics: readonly string[]
  readonly clock: Clock
  /** Says what would be copied, and copies nothing. */
  readonly dryRun?: boolean
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: CopiedPartition) => void
}

export interface CopiedPartition extends TopicPartition {
  /** Offsets of the source: the first one there is, and the next one there will be. */
  readonly earliest: bigint
  readonly end: bigint
  /** Records copied now, and by an earlier run that was interrupted. */
  readonly copied: number
  readonly before: number
}

export interface CopiedPosition extends TopicPartition {
  readonly group: string
  /** As committed in the source, and what that is in the target. */
  readonly source: bigint
  readonly target: bigint
}

export interface LogCopyReport {
  readonly partitions: readonly CopiedPartition[]
  readonly positions: readonly CopiedPosition[]
}

const READ_RECORDS = 1000
const DAY_MS = 86_400_000

/**
 * Rejects with `BROKER_GROUP_IN_USE` while workers of either log run, with `BROKER_COPY` when the target holds
 * something else, has other partitions, or would delete old records at once.
 */
export async function copyLog(options: LogCopyOptions): Promise<LogCopyReport> {
  const { source, target, topics, dryRun = false } = options
  const described = await source.describeTopics(topics)
  await assertUnused(source, described)
  await assertRetained(options, described)
  const existing = new Map(
    (await target.describeTopics(topics)).map(topic => [topic.name, topic] as const)
  )
  for (const topic of described) assertSamePartitions(topic, existing.get(topic.name))
  const partitions: CopiedPartition[] = []
  if (!dryRun) {
    const missing = described.filter(topic => !existing.has(topic.name))
    await target.createTopics(
      missing.map(({ name, partitions: parts, retentionMs }) => ({
        name,
        partitions: parts.length,
        ...(retentionMs === undefined ? {} : { retentionMs })
      }))
    )
    await assertUnused(target, described)
  }
  for (const topic of described) {
    for (const { partition, earliest, end } of topic.partitions) {
      const place = { topic: topic.name, partition }
      const end0 = existing.get(topic.name)?.partitions[partition]
      const before = await copiedBefore(target, place, end0)
      const copied = dryRun
        ? Number(end - max(earliest, before.next))
        : await copyPartition(options, place, max(earliest, before.next), end)
      const done = { ...place, earliest, end, copied: Math.max(0, copied), before: before.records }
      options.onProgress?.(done)
      partitions.push(done)
    }
  }
  const positions = dryRun ? [] : await copyPositions(options, described)
  return { partitions, positions }
}

async function copyPartition(
  { source, target, signal }: LogCopyOptions,
  place: TopicPartition,
  from: bigint,
  end: bigint
): Promise<number> {
  const producer = await target.producer({ clientId: 'log-copy' })
  let copied = 0
  try {
    for (let next = from; next < end; ) {
      signal?.throwIfAborted()
      const records = await source.read({ ...place, offset: next }, READ_RECORDS)
      const last = records.at(-1)
      if (last === undefined) break
      await producer.send(records.map(copyOf))
      copied += records.length
      next = last.offset + 1n
    }
  } finally {
    await producer.close()
  }
  return copied
}

function copyOf({ topic, partition, offset, key, value, headers, timestamp }: LogRecord) {
  return {
    ...{ topic, partition, key, value, timestamp },
    headers: { ...headers, [COPIED_OFFSET]: String(offset) }
  }
}

/** How far an earlier run came: the next offset of the source, and the records that are there. */
async function copiedBefore(
  target: MessageLog,
  place: TopicPartition,
  stored: { readonly earliest: bigint; readonly end: bigint } | undefined
): Promise<{ next: bigint; records: number }> {
  if (stored === undefined || stored.end === 0n) return { next: 0n, records: 0 }
  const [last] = await target.read({ ...place, offset: stored.end - 1n }, 1)
  const offset = last === undefined ? undefined : copiedOffset(last)
  if (offset !== undefined) {
    return { next: offset + 1n, records: Number(stored.end - stored.earliest) }
  }
  throw new BrokerError(
    'BROKER_COPY',
    `Partition ${place.partition} of "${place.topic}" in the target holds records that were not copied from the ` +
      'source: copying would mix both. Copy into an empty log'
  )
}

function copiedOffset(record: LogRecord): bigint | undefined {
  const text = record.headers[COPIED_OFFSET]
  return text !== undefined && /^\d+$/.test(text) ? BigInt(text) : undefined
}

async function copyPositions(
  { source, target }: LogCopyOptions,
  described: readonly TopicDescription[]
): Promise<CopiedPosition[]> {
  const positions: CopiedPosition[] = []
  for (const { group, topics } of groupsOf(described)) {
    const offsets: TopicPartitionOffset[] = []
    for (const { topic, partition, committed } of await source.groupLag(group, topics)) {
      if (committed === undefined) continue
      const offset = await targetOffset(target, { topic, partition }, committed)
      offsets.push({ topic, partition, offset })
      positions.push({ group, topic, partition, source: committed, target: offset })
    }
    await target.setGroupOffsets(group, offsets)
  }
  return positions
}

/** Offset in the target of the first record that came from `wanted` or later; its end when there is none. */
async function targetOffset(
  target: MessageLog,
  place: TopicPartition,
  wanted: bigint
): Promise<bigint> {
  const [topic] = await target.describeTopics([place.topic])
  const stored = topic?.partitions[place.partition]
  let low = stored?.earliest ?? 0n
  let high = stored?.end ?? 0n
  while (low < high) {
    const middle = (low + high) / 2n
    const [record] = await target.read({ ...place, offset: middle }, 1)
    // Offsets of a log may have gaps: the record read may lie behind the middle.
    if (record === undefined || record.offset >= high) high = middle
    else if ((copiedOffset(record) ?? -1n) >= wanted) high = middle
    else low = record.offset + 1n
  }
  return low
}

/** The groups of the pipeline, with those of their topics that there are. */
function groupsOf(described: readonly TopicDescription[]): { group: string; topics: string[] }[] {
  const names = new Set(described.map(topic => topic.name))
  return Object.values(stages).flatMap(({ group, inputs }) => {
    const topics = inputs.filter(name => names.has(name))
    return topics.length === 0 ? [] : [{ group, topics }]
  })
}

/** Setting a position to what it is says whether somebody else would. */
async function assertUnused(
  log: MessageLog,
  described: readonly TopicDescription[]
): Promise<void> {
  for (const { group, topics } of groupsOf(described)) {
    const lags = await log.groupLag(group, topics)
    const offsets = lags.flatMap(({ topic, partition, committed }) =>
      committed === undefined ? [] : [{ topic, partition, offset: committed }]
    )
    if (offsets.length > 0) await log.setGroupOffsets(group, offsets)
  }
}

function assertSamePartitions(topic: TopicDescription, other: TopicDescription | undefined): void {
  if (other === undefined || other.partitions.length === topic.partitions.length) return
  throw new BrokerError(
    'BROKER_COPY',
    `"${topic.name}" has ${topic.partitions.length} partitions, in the target ${other.partitions.length}: positions ` +
      'could not be carried over. Delete the topic there; the copy creates it as it is here'
  )
}

/** A log that deletes by age alone would delete what waits here for longer than that. */
async function assertRetained(
  { source, clock }: LogCopyOptions,
  described: readonly TopicDescription[]
): Promise<void> {
  for (const { group, topics } of groupsOf(described)) {
    for (const { topic, partition, committed, lag } of await source.groupLag(group, topics)) {
      const retention = described.find(one => one.name === topic)?.retentionMs
      if (lag === 0n || retention === undefined) continue
      const [oldest] = await source.read({ topic, partition, offset: committed ?? 0n }, 1)
      const age = clock.now() - (oldest?.timestamp ?? clock.now())
      if (age < retention - DAY_MS || age < retention / 2) continue
      throw new BrokerError(
        'BROKER_COPY',
        `"${topic}" has records that wait for ${Math.round(age / DAY_MS)} days, and keeps records for ` +
          `${Math.round(retention / DAY_MS)} days: Kafka would delete them. Let the workers finish first`
      )
    }
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
