/** A consumer of the port: a member of its group, and what it reads ahead. */
import { BrokerError, isPipelineError } from '../../core/index.ts'
import type {
  Consumer,
  ConsumerOptions,
  LogRecord,
  PolledRecords,
  PollOptions,
  TopicPartition,
  TopicPartitionOffset
} from '../../ports/index.ts'
import type { Cluster } from './cluster.ts'
import { Fetcher, type Reading, weightOf } from './fetcher.ts'
import { GroupMember, type Membership } from './group-member.ts'
import { committedOffsets } from './group-offsets.ts'
import { DEFAULTS, type KafkaLogOptions, type KafkaPorts } from './options.ts'
import { keyOf, type Topics } from './topics.ts'

const FOREVER_MS = 2 ** 30
/** Leaders and coordinators move in less: only trouble that lasts is told. */
const PATIENCE_MS = 10_000

/** The newest error, and since when there has been one. */
class Trouble {
  error: Error | undefined
  #since = 0

  set(error: Error | undefined, now: number): void {
    if (this.error === undefined) this.#since = now
    this.error = error
  }

  /** The error, if there was trouble at that time already. */
  since(before: number): Error | undefined {
    return this.#since <= before ? this.error : undefined
  }
}

export class KafkaConsumer implements Consumer {
  readonly #cluster: Cluster
  readonly #topics: Topics
  readonly #options: ConsumerOptions
  readonly #settings: KafkaLogOptions
  readonly #ports: KafkaPorts
  readonly #member: GroupMember
  readonly #fetcher: Fetcher
  #membership: Membership = { generation: 0, partitions: [] }
  /** What `assignment` tells: what the last poll learnt. */
  #told: Membership = { generation: 0, partitions: [] }
  /** Given out and not committed yet: the next offsets, by partition. */
  #outstanding = new Map<string, bigint>()
  /** No new records: the group wants to share anew. */
  #yielding = false
  readonly #memberTrouble = new Trouble()
  readonly #fetchTrouble = new Trouble()
  #turn = 0
  #wake = new AbortController()
  #closed = false

  constructor(
    cluster: Cluster,
    topics: Topics,
    options: ConsumerOptions,
    settings: KafkaLogOptions,
    ports: KafkaPorts
  ) {
    this.#cluster = cluster
    this.#topics = topics
    this.#options = options
    this.#settings = settings
    this.#ports = ports
    const bufferBytes = settings.fetchBufferBytes ?? DEFAULTS.fetchBufferBytes
    this.#fetcher = new Fetcher(cluster, topics, { bufferBytes }, ports, {
      arrived: () => this.#wake.abort(),
      trouble: error => this.#fetchTrouble.set(error, ports.clock.monotonic())
    })
    const { groupId, clientId } = options
    const sessionTimeoutMs =
      options.sessionTimeoutMs ?? settings.sessionTimeoutMs ?? DEFAULTS.sessionTimeoutMs
    const { instanceId } = settings
    const member = {
      groupId,
      topics: options.topics,
      sessionTimeoutMs,
      heartbeatIntervalMs:
        options.heartbeatIntervalMs ??
        Math.min(DEFAULTS.heartbeatIntervalMs, Math.floor(sessionTimeoutMs / 4)),
      instanceId: instanceId === undefined ? null : `${instanceId}-${clientId ?? groupId}`
    }
    this.#member = new GroupMember(cluster, member, ports, {
      lost: () => this.#lost(),
      joined: (membership, signal) => this.#joined(membership, signal),
      settled: signal => this.#settled(signal),
      trouble: error => {
        this.#memberTrouble.set(error, ports.clock.monotonic())
        if (error !== undefined) this.#wake.abort()
      }
    })
    this.#member.start()
  }

  get memberId(): string {
    return this.#member.id
  }

  async poll({ maxRecords, maxBytes, timeoutMs, signal }: PollOptions): Promise<PolledRecords> {
    this.#assertOpen()
    const { clock } = this.#ports
    const until = clock.monotonic() + timeoutMs
    const known = this.#told.generation
    for (;;) {
      this.#assertAlive()
      this.#told = this.#membership
      const { generation } = this.#told
      const records = signal?.aborted === true ? [] : this.#takeRecords(maxRecords, maxBytes)
      const rebalanced = generation !== known && known > 0
      const left = until - clock.monotonic()
      const over = left <= 0 || signal?.aborted === true || this.#closed
      if (records.length > 0 || rebalanced || over) {
        if (records.length === 0) this.#assertReachable()
        return { generation, records }
      }
      await this.#sleep(left, signal)
    }
  }

  async commit(generation: number, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    this.#assertOpen()
    await this.#member.commit(generation, offsets)
    for (const one of offsets) {
      const given = this.#outstanding.get(keyOf(one))
      if (given !== undefined && given <= one.offset) this.#outstanding.delete(keyOf(one))
    }
    if (this.#outstanding.size === 0) this.#wake.abort()
  }

  seek(offsets: readonly TopicPartitionOffset[]): void {
    for (const one of offsets) {
      const reading = this.#fetcher.find(one)
      if (reading !== undefined) this.#fetcher.seek(reading, one.offset)
      this.#outstanding.delete(keyOf(one))
    }
  }

  async seekToCommitted(): Promise<void> {
    this.#assertOpen()
    const { partitions } = this.#membership
    this.seek(await this.#startOf(partitions))
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, true)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#setPaused(partitions, false)
    this.#fetcher.nudge()
    this.#wake.abort()
  }

  assignment(): Membership {
    return this.#told
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#wake.abort()
    await this.#fetcher.close()
    await this.#member.close()
  }

  #assertOpen(): void {
    this.#cluster.assertOpen()
    if (this.#closed) throw new BrokerError('BROKER_CLOSED', 'The consumer is closed')
  }

  /** What will not pass comes out at once. */
  #assertAlive(): void {
    const { error } = this.#memberTrouble
    if (isPipelineError(error) && !error.retryable) throw error
  }

  /** An empty answer would say that there is nothing more; while the brokers are away nobody knows. */
  #assertReachable(): void {
    if (this.#closed) return
    const before = this.#ports.clock.monotonic() - PATIENCE_MS
    const error = this.#memberTrouble.since(before) ?? this.#fetchTrouble.since(before)
    if (error !== undefined) throw error
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    this.#wake = new AbortController()
    const signals = [this.#wake.signal, ...(signal === undefined ? [] : [signal])]
    const wait = Math.min(ms, FOREVER_MS)
    await this.#ports.clock.sleep(wait, AbortSignal.any(signals)).catch(() => undefined)
  }

  /** A part of each partition in turn, so that a full one keeps none of the others waiting. */
  #takeRecords(maxRecords: number, maxBytes = Number.POSITIVE_INFINITY): LogRecord[] {
    if (this.#yielding || this.#closed) return []
    const full = this.#fetcher.readings.filter(one => !one.paused && one.buffer.length > 0)
    if (full.length === 0) return []
    const first = this.#turn++ % full.length
    const order = [...full.slice(first), ...full.slice(0, first)]
    const records: LogRecord[] = []
    let bytes = 0
    for (let left = order; left.length > 0; ) {
      const part = Math.max(1, Math.floor((maxRecords - records.length) / left.length))
      const open: Reading[] = []
      for (const reading of left) {
        let taken = 0
        while (taken < part && taken < reading.buffer.length && records.length < maxRecords) {
          const record = reading.buffer[taken] as LogRecord
          const size = (record.key?.length ?? 0) + (record.value?.length ?? 0)
          if (records.length > 0 && bytes + size > maxBytes)
            return this.#given(reading, taken, records)
          bytes += size
          records.push(record)
          taken++
        }
        this.#given(reading, taken, records)
        if (reading.buffer.length > 0) open.push(reading)
      }
      if (records.length >= maxRecords) break
      left = open
    }
    return records
  }

  /** Takes the records out of the buffer. */
  #given(reading: Reading, count: number, records: LogRecord[]): LogRecord[] {
    if (count === 0) return records
    const given = reading.buffer.splice(0, count)
    for (const record of given) reading.bytes -= weightOf(record)
    reading.position = (given.at(-1)?.offset ?? reading.position) + 1n
    this.#outstanding.set(keyOf(reading), reading.position)
    this.#fetcher.nudge()
    return records
  }

  #setPaused(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const one of partitions) {
      const reading = this.#fetcher.find(one)
      if (reading !== undefined) reading.paused = paused
    }
  }

  #lost(): void {
    this.#fetcher.assign([])
    this.#outstanding = new Map()
    this.#yielding = false
    this.#wake.abort()
  }

  async #joined(membership: Membership, signal: AbortSignal): Promise<void> {
    const positions = await this.#startOf(membership.partitions, signal)
    this.#membership = membership
    this.#fetchTrouble.set(undefined, 0)
    this.#fetcher.assign(positions)
    this.#wake.abort()
  }

  /** Committed offsets; where nothing is committed, the beginning (G3). */
  async #startOf(
    partitions: readonly TopicPartition[],
    signal?: AbortSignal
  ): Promise<TopicPartitionOffset[]> {
    const { groupId } = this.#options
    const committed = await committedOffsets(this.#cluster, groupId, partitions, signal)
    const unknown = partitions.filter(one => !committed.has(keyOf(one)))
    const earliest = unknown.length === 0 ? new Map() : await this.#topics.earliest(unknown)
    return partitions.map(one => ({
      ...one,
      offset: committed.get(keyOf(one)) ?? earliest.get(keyOf(one)) ?? 0n
    }))
  }

  async #settled(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports
    const grace = this.#settings.rebalanceGraceMs ?? DEFAULTS.rebalanceGraceMs
    const until = clock.monotonic() + grace
    this.#yielding = true
    while (this.#outstanding.size > 0 && !signal.aborted) {
      const left = until - clock.monotonic()
      if (left <= 0) return
      await this.#sleep(left, signal)
    }
  }
}
