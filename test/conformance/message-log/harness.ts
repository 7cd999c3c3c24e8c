/** What the parts of the message-log suite share. Waits are on conditions, with limits a slow broker keeps. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { ErrorCode } from '../../../src/core/index.ts'
import { isPipelineError } from '../../../src/core/index.ts'
import type {
  Consumer,
  ConsumerOptions,
  LogRecord,
  MessageLog,
  PolledRecords,
  Producer,
  ProducerRecord,
  TopicPartitionOffset
} from '../../../src/ports/index.ts'

export interface OpenedLog {
  readonly log: MessageLog
  /** Closes the log and opens the same storage again. */
  readonly reopen?: () => Promise<MessageLog>
  close(): Promise<void>
}

export interface SuiteLimits {
  /** A session time-out that the log accepts and a test can wait for. Default 6,000 (Kafka). */
  readonly shortSessionMs?: number
  /** How long a condition may take to come true. Default 30,000. */
  readonly waitMs?: number
  /** A value of this size must be refused. Default 17 MiB. */
  readonly tooLargeBytes?: number
}

export interface Fixture {
  readonly log: MessageLog
  readonly reopen: (() => Promise<MessageLog>) | undefined
  readonly limits: Required<SuiteLimits>
  /** Creates a topic with a name of its own. */
  topic(partitions?: number, retentionMs?: number): Promise<string>
  /** A group name of its own. */
  group(): string
  producer(): Promise<Producer>
  consumer(options: ConsumerOptions): Promise<Consumer>
}

export interface Suite {
  test(title: string, body: (fixture: Fixture) => Promise<void>): void
}

export function suiteFor(name: string, open: () => Promise<OpenedLog>, given: SuiteLimits): Suite {
  const limits = { shortSessionMs: 6_000, waitMs: 30_000, tooLargeBytes: 17 << 20, ...given }
  return {
    test(title, body) {
      test(`${name}: ${title}`, async () => {
        const opened = await open()
        try {
          await body(fixture(opened, limits))
        } finally {
          await opened.close()
        }
      })
    }
  }
}

function fixture(opened: OpenedLog, limits: Required<SuiteLimits>): Fixture {
  const { log, reopen } = opened
  return {
    log,
    reopen,
    limits,
    async topic(partitions = 1, retentionMs) {
      const name = `conformance.${randomUUID()}`
      await log.createTopics([
        { name, partitions, ...(retentionMs === undefined ? {} : { retentionMs }) }
      ])
      return name
    },
    group: () => `group-${randomUUID()}`,
    producer: () => log.producer(),
    consumer: options => log.consumer(options)
  }
}

/** Polls until `count` records came; fails when that takes too long. */
export async function take(
  consumer: Consumer,
  count: number,
  waitMs: number,
  maxRecords = 500
): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  const deadline = Date.now() + waitMs
  while (found.length < count) {
    assert.ok(Date.now() < deadline, `only ${found.length} of ${count} records came`)
    const { records } = await consumer.poll({ maxRecords, timeoutMs: 200 })
    found.push(...records)
  }
  return found
}

/** Polls until something came. */
export async function pollSome(
  consumer: Consumer,
  maxRecords: number,
  waitMs: number
): Promise<PolledRecords> {
  const deadline = Date.now() + waitMs
  for (;;) {
    assert.ok(Date.now() < deadline, 'no record came')
    const polled = await consumer.poll({ maxRecords, timeoutMs: 200 })
    if (polled.records.length > 0) return polled
  }
}

/** Polls all consumers, whatever comes, until the condition holds. */
export async function settle(
  consumers: readonly Consumer[],
  done: () => boolean | Promise<boolean>,
  waitMs: number
): Promise<void> {
  const deadline = Date.now() + waitMs
  while (!(await done())) {
    assert.ok(Date.now() < deadline, 'the group did not reach the expected state')
    await Promise.all(consumers.map(one => one.poll({ maxRecords: 1, timeoutMs: 50 })))
  }
}

/** True when the members own all of `total` partitions, each one of them `sizes` many. */
export function shared(consumers: readonly Consumer[], sizes: readonly number[]): boolean {
  const owned = consumers.map(one => one.assignment())
  const generations = new Set(owned.map(one => one.generation))
  const counts = owned.map(one => one.partitions.length).sort((a, b) => a - b)
  const names = owned.flatMap(one => one.partitions.map(p => `${p.topic}/${p.partition}`))
  return (
    generations.size === 1 &&
    new Set(names).size === names.length &&
    JSON.stringify(counts) === JSON.stringify([...sizes].sort((a, b) => a - b))
  )
}

export function rejectsWith(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(promise, error => {
    assert.ok(isPipelineError(error), `not a PipelineError: ${String(error)}`)
    assert.equal(error.code, code)
    return true
  })
}

export function text(record: LogRecord): string {
  return record.value === null ? '' : Buffer.from(record.value).toString('utf8')
}

/** `count` records with the values `0`, `1`, ... for one partition, or spread. */
export function numbered(topic: string, count: number, partition?: number): ProducerRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    topic,
    value: String(index),
    ...(partition === undefined ? {} : { partition })
  }))
}

/** The offsets to commit after these records: the highest of each partition, plus one. */
export function after(records: readonly LogRecord[]): TopicPartitionOffset[] {
  const next = new Map<string, TopicPartitionOffset>()
  for (const { topic, partition, offset } of records) {
    next.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1n })
  }
  return [...next.values()]
}
