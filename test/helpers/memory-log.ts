/**
 * A message log in memory, on a clock that tests move: one member a group, failures and rebalances on
 * demand. For tests of the loop; the contract itself is tested by the conformance suite.
 */
import { BrokerError } from '../../src/core/index.ts'
import type {
  Clock,
  Consumer,
  LogRecord,
  MessageLog,
  PolledRecords,
  PollOptions,
  Producer,
  ProducerRecord,
  RecordMetadata,
  TopicPartition,
  TopicPartitionOffset
} from '../../src/ports/index.ts'

type Operation = 'send' | 'poll' | 'commit'
type LogParts = Pick<MessageLog, 'producer' | 'consumer'>

export class MemoryLog implements LogParts {
  readonly #clock: Clock
  readonly #topics = new Map<string, LogRecord[]>()
  readonly #failures: { operation: Operation; error: Error }[] = []
  readonly #committed = new Map<string, bigint>()
  #waiting: (() => void)[] = []
  /** What happened, in order: `send`, `commit <offset>`; other doubles add their own. */
  readonly trace: string[]
  /** Offsets committed, in order, as `topic@offset`. */
  readonly commits: string[] = []
  generation = 1
  polls = 0
  /** A partition that was paused stays so across a rebalance, as real logs may do. */
  readonly paused = new Set<string>()

  constructor(clock: Clock, trace: string[] = []) {
    this.#clock = clock
    this.trace = trace
  }

  append(topic: string, ...values: (string | Partial<LogRecord>)[]): void {
    const records = this.records(topic)
    for (const given of values) {
      const { value, ...rest } =
        typeof given === 'string' ? { value: new TextEncoder().encode(given) } : given
      records.push({
        partition: 0,
        timestamp: this.#clock.now(),
        key: null,
        headers: {},
        ...rest,
        topic,
        offset: BigInt(records.length),
        value: value ?? null
      })
    }
    this.#wake()
  }

  records(topic: string): LogRecord[] {
    const found = this.#topics.get(topic) ?? []
    this.#topics.set(topic, found)
    return found
  }

  texts(topic: string): string[] {
    return this.records(topic).map(({ value }) => new TextDecoder().decode(value ?? undefined))
  }

  fail(operation: Operation, error: Error, times = 1): void {
    for (let n = 0; n < times; n += 1) this.#failures.push({ operation, error })
  }

  /** Someone joined or left: a new generation, positions back to what is committed. */
  rebalance(): void {
    this.generation += 1
    this.#wake()
  }

  async producer(): Promise<Producer> {
    return { send: records => this.#send(records), close: async () => undefined }
  }

  async consumer({ topics }: { readonly topics: readonly string[] }): Promise<Consumer> {
    return this.#consumer(topics)
  }

  async #send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    this.#throwNext('send')
    this.trace.push('send')
    return records.map(({ topic, key, value, headers, timestamp }) => {
      const bytes = (data: Uint8Array | string | null | undefined): Uint8Array | null =>
        typeof data === 'string' ? new TextEncoder().encode(data) : (data ?? null)
      this.append(topic, {
        key: bytes(key),
        value: bytes(value),
        headers: headers ?? {},
        timestamp: timestamp ?? this.#clock.now()
      })
      return { topic, partition: 0, offset: BigInt(this.records(topic).length - 1) }
    })
  }

  #consumer(topics: readonly string[]): Consumer {
    const positions = new Map<string, bigint>()
    let seen = 0
    const look = ({ maxRecords }: PollOptions): PolledRecords => {
      if (seen !== this.generation) {
        seen = this.generation
        for (const topic of topics) positions.set(topic, this.#committed.get(topic) ?? 0n)
      }
      const records: LogRecord[] = []
      for (const topic of topics) {
        if (this.paused.has(topic)) continue
        const from = Number(positions.get(topic) ?? 0n)
        const taken = this.records(topic).slice(from, from + maxRecords - records.length)
        positions.set(topic, BigInt(from + taken.length))
        records.push(...taken)
      }
      return { generation: seen, records }
    }
    const names = (partitions: readonly TopicPartition[]): string[] =>
      partitions.map(({ topic }) => topic)
    return {
      memberId: 'member',
      poll: async options => {
        this.polls += 1
        this.#throwNext('poll')
        const first = look(options)
        if (first.records.length > 0 || options.timeoutMs === 0) return first
        await this.#somethingNew(options)
        return options.signal?.aborted === true ? { generation: seen, records: [] } : look(options)
      },
      commit: async (generation, offsets) => this.#commit(generation, offsets),
      seek: offsets => {
        for (const { topic, offset } of offsets) positions.set(topic, offset)
      },
      seekToCommitted: async () => undefined,
      pause: partitions => {
        for (const topic of names(partitions)) this.paused.add(topic)
      },
      resume: partitions => {
        for (const topic of names(partitions)) this.paused.delete(topic)
        this.#wake()
      },
      assignment: () => ({ generation: seen, partitions: [] }),
      close: async () => undefined
    }
  }

  #commit(generation: number, offsets: readonly TopicPartitionOffset[]): void {
    this.#throwNext('commit')
    if (generation !== this.generation) {
      throw new BrokerError('BROKER_FENCED', `generation ${generation} is over`)
    }
    for (const { topic, offset } of offsets) {
      this.#committed.set(topic, offset)
      this.commits.push(`${topic}@${offset}`)
      this.trace.push(`commit ${offset}`)
    }
  }

  async #somethingNew({ timeoutMs, signal }: PollOptions): Promise<void> {
    const timer = new AbortController()
    const stop = (): void => timer.abort()
    signal?.addEventListener('abort', stop, { once: true })
    this.#waiting.push(stop)
    await this.#clock.sleep(timeoutMs, timer.signal).catch(() => undefined)
    signal?.removeEventListener('abort', stop)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  #throwNext(operation: Operation): void {
    const index = this.#failures.findIndex(failure => failure.operation === operation)
    const [failure] = index < 0 ? [] : this.#failures.splice(index, 1)
    if (failure !== undefined) throw failure.error
  }
}
