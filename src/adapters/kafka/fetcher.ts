/**
 * Reads ahead of `poll`: for each broker that leads assigned partitions one long request at a time. What it holds is
 * bounded by bytes: a partition whose records wait is not asked for again until few are left. Positions move only by
 * what was read, and a partition that was sought meanwhile drops an answer that is late.
 */
import { isAbort } from '../../core/index.ts'
import type { LogRecord, TopicPartition } from '../../ports/index.ts'
import type { Cluster } from './cluster.ts'
import { brokerError, hasApiId, responseOf } from './failures.ts'
import type { KafkaPorts } from './options.ts'
import type { FetchAnswer, FetchedPartition } from './protocol.ts'
import { decodeRecords } from './records.ts'
import { keyOf, type Topics } from './topics.ts'

/** One assigned partition. */
export interface Reading extends TopicPartition {
  /** The next offset to ask for. */
  fetch: bigint
  /** The next offset to give out. */
  position: bigint
  /** Read and not given out yet. */
  buffer: LogRecord[]
  bytes: number
  paused: boolean
  /** Counts the seeks: an answer to an earlier question is dropped. */
  seeks: number
}

export interface FetcherOptions {
  readonly bufferBytes: number
}

const LONG_POLL_MS = 500
const MARGIN_MS = 15_000
const MIN_BYTES = 1
const NO_SESSION = 0
const NO_SESSION_EPOCH = -1
const READ_COMMITTED = 1
const LARGEST_ANSWER = 16 * 1_048_576
const SMALLEST_PART = 262_144
const RETRY_MS = 200
const OUT_OF_RANGE = 1

export class Fetcher {
  readonly #cluster: Cluster
  readonly #topics: Topics
  readonly #options: FetcherOptions
  readonly #ports: KafkaPorts
  readonly #lane: string
  readonly #arrived: () => void
  readonly #trouble: (error: Error | undefined) => void
  #readings = new Map<string, Reading>()
  readonly #running = new Map<number, Promise<void>>()
  #stopped = new AbortController()
  #wake = new AbortController()
  #supervisor: Promise<void> | undefined

  constructor(
    cluster: Cluster,
    topics: Topics,
    options: FetcherOptions,
    ports: KafkaPorts,
    events: { arrived(): void; trouble(error: Error | undefined): void }
  ) {
    this.#cluster = cluster
    this.#topics = topics
    this.#options = options
    this.#ports = ports
    this.#lane = `fetch-${ports.ids.uuid()}`
    this.#arrived = events.arrived
    this.#trouble = events.trouble
  }

  get readings(): readonly Reading[] {
    return [...this.#readings.values()]
  }

  find(partition: TopicPartition): Reading | undefined {
    return this.#readings.get(keyOf(partition))
  }

  /** Drops what there was and reads these partitions from these offsets on. */
  assign(positions: readonly (TopicPartition & { offset: bigint })[]): void {
    this.#readings = new Map(
      positions.map(({ topic, partition, offset }) => [
        keyOf({ topic, partition }),
        {
          topic,
          partition,
          fetch: offset,
          position: offset,
          buffer: [],
          bytes: 0,
          paused: false,
          seeks: 0
        }
      ])
    )
    this.#supervisor ??= this.#supervise(this.#stopped.signal)
    this.nudge()
  }

  seek(reading: Reading, offset: bigint): void {
    reading.seeks++
    reading.fetch = offset
    reading.position = offset
    reading.buffer = []
    reading.bytes = 0
    this.nudge()
  }

  /** Something changed that may allow a new request. */
  nudge(): void {
    this.#wake.abort()
  }

  async close(): Promise<void> {
    this.#stopped.abort()
    this.#readings = new Map()
    await this.#cluster.closeLane(this.#lane)
    await this.#supervisor
    await Promise.all(this.#running.values())
    await this.#cluster.closeLane(this.#lane)
  }

  /** Keeps one request under way at each broker of which something is wanted. */
  async #supervise(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController()
      const woken = AbortSignal.any([signal, this.#wake.signal])
      try {
        const wanted = this.readings.filter(reading => this.#wants(reading))
        for (const [leader, list] of await this.#topics.byLeader(wanted)) {
          if (this.#running.has(leader)) continue
          const run = this.#fetch(leader, list, signal).finally(() => {
            this.#running.delete(leader)
            this.nudge()
          })
          this.#running.set(leader, run)
        }
      } catch (error) {
        if (signal.aborted) return
        this.#trouble(brokerError(error, 'Finding the leaders'))
        for (const { topic } of this.readings) this.#cluster.forget(topic)
        await this.#ports.clock.sleep(RETRY_MS, signal).catch(() => undefined)
        continue
      }
      if (!woken.aborted) await this.#ports.clock.sleep(LONG_POLL_MS, woken).catch(() => undefined)
    }
  }

  #wants(reading: Reading): boolean {
    return !reading.paused && reading.bytes < this.#share() / 2
  }

  #share(): number {
    return Math.max(SMALLEST_PART, this.#options.bufferBytes / Math.max(1, this.#readings.size))
  }

  async #fetch(leader: number, wanted: readonly Reading[], signal: AbortSignal): Promise<void> {
    const asked = wanted.map(reading => ({ reading, seeks: reading.seeks, from: reading.fetch }))
    try {
      const answer = await this.#ask(leader, wanted)
      const topics = await this.#cluster.topics([...new Set(wanted.map(one => one.topic))])
      const names = new Map(topics.map(topic => [topic.id, topic.name]))
      let trouble = false
      for (const { topicId, partitions } of answer.responses) {
        const topic = names.get(topicId)
        for (const part of partitions) {
          const at = asked.find(
            ({ reading }) => reading.topic === topic && reading.partition === part.partitionIndex
          )
          if (at === undefined || at.seeks !== at.reading.seeks) continue
          if (part.errorCode === 0) this.#take(at.reading, part, at.from)
          else if (part.errorCode === OUT_OF_RANGE) await this.#toEarliest(at.reading)
          else {
            trouble = true
            this.#cluster.forget(at.reading.topic)
          }
        }
      }
      if (trouble) await this.#ports.clock.sleep(RETRY_MS, signal).catch(() => undefined)
      else this.#trouble(undefined)
    } catch (error) {
      if (signal.aborted || isAbort(error, signal)) return
      this.#trouble(brokerError(error, 'Reading records'))
      for (const { topic } of wanted) this.#cluster.forget(topic)
      await this.#ports.clock.sleep(RETRY_MS, signal).catch(() => undefined)
    }
  }

  async #ask(leader: number, wanted: readonly Reading[]): Promise<FetchAnswer> {
    const topics = await this.#cluster.topics([...new Set(wanted.map(one => one.topic))])
    const share = Math.trunc(this.#share())
    const asked = topics.map(topic => ({
      topicId: topic.id,
      partitions: wanted
        .filter(reading => reading.topic === topic.name)
        .map(reading => ({
          partition: reading.partition,
          currentLeaderEpoch: -1,
          fetchOffset: reading.fetch,
          lastFetchedEpoch: -1,
          partitionMaxBytes: share
        }))
    }))
    try {
      return await this.#cluster.call(
        leader,
        this.#lane,
        'Fetch',
        [
          LONG_POLL_MS,
          MIN_BYTES,
          LARGEST_ANSWER,
          READ_COMMITTED,
          NO_SESSION,
          NO_SESSION_EPOCH,
          asked,
          [],
          ''
        ],
        LONG_POLL_MS + MARGIN_MS
      )
    } catch (error) {
      const partial = responseOf<FetchAnswer>(error)
      if (partial === undefined || partial.responses.length === 0) throw error
      return partial
    }
  }

  #take(reading: Reading, part: FetchedPartition, from: bigint): void {
    const { records, next } = decodeRecords(reading.topic, part, from)
    reading.fetch = next
    if (records.length === 0) return
    for (const record of records) {
      reading.buffer.push(record)
      reading.bytes += weightOf(record)
    }
    this.#arrived()
  }

  /** Below the first record, or beyond the end after a loss: never skip, so from the beginning. */
  async #toEarliest(reading: Reading): Promise<void> {
    const { seeks } = reading
    const offset = (await this.#topics.earliest([reading])).get(keyOf(reading))
    if (offset === undefined || reading.seeks !== seeks) return
    this.#ports.log.warn('an offset is out of range; reading goes on at the earliest record', {
      topic: reading.topic,
      partition: reading.partition,
      offset: reading.fetch,
      earliest: offset
    })
    this.seek(reading, offset)
  }
}

/** Bytes that a record is taken for in the buffer. */
export function weightOf({ key, value }: LogRecord): number {
  return 100 + (key?.length ?? 0) + (value?.length ?? 0)
}

export function isTopicGone(error: unknown): boolean {
  return hasApiId(error, new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']))
}
