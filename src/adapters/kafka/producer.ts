/**
 * Producing with acks=all. Sends that wait go out together, one request to each leader; one request is under way
 * at a time, so that the sequence numbers of the idempotent producer stay in order (the library's own producer
 * fails parallel sends for them). After a send of which it stays unknown what was stored, a new producer id is
 * taken: under the old one the broker would take the next records for those, and drop them.
 */
import { BrokerError, partitionOfKey } from '../../core/index.ts'
import type { Producer, ProducerRecord, RecordMetadata } from '../../ports/index.ts'
import type { Cluster, Topic } from './cluster.ts'
import { brokerError, hasApiId, NO_TOPIC, responseOf } from './failures.ts'
import { DEFAULTS, type KafkaLogOptions, type KafkaPorts } from './options.ts'
import type { ProduceAnswer, ProduceMessage } from './protocol.ts'
import { messageOf, sizeOf } from './records.ts'
import type { TopicLimits } from './topics.ts'

interface Waiting {
  readonly messages: readonly ProduceMessage[]
  readonly bytes: number
  readonly resolve: (places: RecordMetadata[]) => void
  readonly reject: (error: unknown) => void
}

/** Records of one partition in one request, and what became of them. */
interface PartitionBatch {
  readonly topic: string
  readonly partition: number
  readonly messages: ProduceMessage[]
  bytes: number
  baseOffset: bigint | undefined
  failure: unknown
}

const ALL_REPLICAS = -1
const ACK_TIMEOUT_MS = 10_000
/** Bytes of records that go out together, beyond a single send. */
const TOGETHER_BYTES = 4 * 1_048_576
const BATCH_BYTES = 1_048_576
/** 23 days: 31 bits hold 24.8. */
const FAR_MS = 2_000_000_000n

export class KafkaProducer implements Producer {
  readonly #cluster: Cluster
  readonly #limits: TopicLimits
  readonly #options: KafkaLogOptions
  readonly #ports: KafkaPorts
  readonly #lane: string
  readonly #waiting: Waiting[] = []
  #work: Promise<void> | undefined
  #identity: { readonly producerId: bigint; readonly producerEpoch: number } | undefined
  /** The next sequence number of each partition, under the identity. */
  #sequences = new Map<string, number>()
  #next: number
  #closed = false

  constructor(cluster: Cluster, limits: TopicLimits, options: KafkaLogOptions, ports: KafkaPorts) {
    this.#cluster = cluster
    this.#limits = limits
    this.#options = options
    this.#ports = ports
    this.#lane = `produce-${ports.ids.uuid()}`
    this.#next = Math.floor(ports.ids.random() * 1000)
  }

  async send(records: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    this.#assertOpen()
    if (records.length === 0) return []
    const names = [...new Set(records.map(record => record.topic))]
    const topics = new Map((await this.#cluster.topics(names)).map(topic => [topic.name, topic]))
    const messages: ProduceMessage[] = []
    let bytes = 0
    for (const record of records) {
      const message = messageOf(record, this.#partitionOf(record, topics), this.#ports.clock.now())
      const size = sizeOf(message)
      const limit = await this.#limits.maxMessageBytes(record.topic)
      if (size > limit) throw tooLarge(record.topic, size, limit)
      messages.push(message)
      bytes += size
    }
    this.#assertOpen()
    return await new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, resolve, reject })
      this.#work ??= this.#drain().finally(() => {
        this.#work = undefined
      })
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#work
    await this.#cluster.closeLane(this.#lane)
  }

  #assertOpen(): void {
    this.#cluster.assertOpen()
    if (this.#closed) throw new BrokerError('BROKER_CLOSED', 'The producer is closed')
  }

  #partitionOf(record: ProducerRecord, topics: ReadonlyMap<string, Topic>): number {
    const count = topics.get(record.topic)?.leaders.length ?? 0
    const { partition, key } = record
    if (partition === undefined) {
      if (key == null) return this.#next++ % count
      return partitionOfKey(typeof key === 'string' ? Buffer.from(key) : key, count)
    }
    if (partition >= 0 && partition < count) return partition
    throw new BrokerError(
      'BROKER_UNKNOWN_TOPIC',
      `The topic "${record.topic}" has no partition ${partition}`
    )
  }

  async #drain(): Promise<void> {
    for (;;) {
      const sends = this.#nextSends()
      if (sends.length === 0) return
      try {
        await this.#sendTogether(sends)
      } catch (error) {
        for (const send of sends) send.reject(error)
      }
    }
  }

  #nextSends(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const send of this.#waiting) {
      if (count > 0 && bytes + send.bytes > TOGETHER_BYTES) break
      bytes += send.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #sendTogether(sends: readonly Waiting[]): Promise<void> {
    const partitions = new Map<string, PartitionBatch[]>()
    const places = sends.map(send =>
      send.messages.map(message => place(message, partitions, this.#limits))
    )
    for (let round = 0; ; round++) {
      const batches = [...partitions.values()].flatMap(list => open(list, round))
      if (batches.length === 0) break
      await this.#deliver(batches)
    }
    sends.forEach((send, index) => {
      const mine = places[index] ?? []
      const failed = mine.find(({ batch }) => batch.failure !== undefined)
      if (failed !== undefined) send.reject(failed.batch.failure)
      else send.resolve(mine.map(metadataOf))
    })
  }

  /** Sends the batches until each is stored or failed for good, or time is over. */
  async #deliver(batches: readonly PartitionBatch[]): Promise<void> {
    let open = [...batches]
    try {
      await this.#cluster.retried('Producing', async () => {
        open = open.filter(batch => batch.baseOffset === undefined && batch.failure === undefined)
        if (open.length > 0) await this.#attempt(open)
      })
    } catch (error) {
      for (const batch of open) {
        if (batch.baseOffset === undefined) batch.failure ??= error
      }
    }
    // What was stored of a failed batch is unknown: its sequence numbers must not be used again.
    if (batches.some(batch => batch.failure !== undefined)) this.#identity = undefined
  }

  /** Rejects when a batch should be tried again. */
  async #attempt(batches: readonly PartitionBatch[]): Promise<void> {
    const identity = await this.#identify()
    const names = [...new Set(batches.map(batch => batch.topic))]
    const topics = new Map((await this.#cluster.topics(names)).map(topic => [topic.name, topic]))
    const byLeader = new Map<number, PartitionBatch[]>()
    for (const batch of batches) {
      const leader = topics.get(batch.topic)?.leaders[batch.partition] ?? -1
      const list = byLeader.get(leader)
      if (list === undefined) byLeader.set(leader, [batch])
      else list.push(batch)
    }
    const results = await Promise.allSettled(
      [...byLeader].map(([leader, list]) => this.#sendTo(leader, list, identity))
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async #sendTo(
    leader: number,
    batches: readonly PartitionBatch[],
    identity: { producerId: bigint; producerEpoch: number }
  ): Promise<void> {
    if (leader < 0) throw new BrokerError('BROKER_UNAVAILABLE', 'A partition has no leader now')
    const messages = batches.flatMap(batch => batch.messages)
    const settings = {
      ...identity,
      compression: this.#options.compression ?? DEFAULTS.compression,
      sequences: { getWithDefault: (key: string) => this.#sequences.get(key) ?? 0 }
    }
    let failure: unknown
    let answer: ProduceAnswer | undefined
    try {
      answer = await this.#cluster.call(leader, this.#lane, 'Produce', [
        ALL_REPLICAS,
        ACK_TIMEOUT_MS,
        messages,
        settings
      ])
    } catch (error) {
      answer = responseOf<ProduceAnswer>(error)
      failure = brokerError(error, 'Producing')
      if (answer === undefined) throw failure
    }
    this.#take(answer, batches)
    const open = batches.filter(batch => batch.baseOffset === undefined)
    if (open.length === 0) return
    // A leader that moved, or replicas that are missing: again. Anything else is this batch's own.
    if ((failure as BrokerError | undefined)?.code === 'BROKER_UNAVAILABLE') throw failure
    if (hasApiId((failure as Error | undefined)?.cause, NO_TOPIC))
      throw await this.#unknown(open, failure)
    for (const batch of open) batch.failure = failure
  }

  /** Brokers answer so for a moment after a topic was made: only the metadata tells that there is none. */
  async #unknown(batches: readonly PartitionBatch[], failure: unknown): Promise<unknown> {
    await this.#cluster.topics([...new Set(batches.map(batch => batch.topic))], true)
    const text = failure instanceof Error ? failure.message : String(failure)
    return new BrokerError('BROKER_UNAVAILABLE', text, { cause: failure })
  }

  #take(answer: ProduceAnswer, batches: readonly PartitionBatch[]): void {
    for (const { name, partitionResponses } of answer.responses) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        const batch = batches.find(one => one.topic === name && one.partition === index)
        if (batch === undefined || errorCode !== 0) continue
        batch.baseOffset = baseOffset
        const key = `${name}:${index}`
        // Sequence numbers are 32 bits without a sign, and begin again after the largest.
        const next = (this.#sequences.get(key) ?? 0) + batch.messages.length
        this.#sequences.set(key, next % 2 ** 31)
      }
    }
  }

  async #identify(): Promise<{ producerId: bigint; producerEpoch: number }> {
    if (this.#identity !== undefined) return this.#identity
    const { producerId, producerEpoch } = await this.#cluster.call(
      undefined,
      'admin',
      'InitProducerId',
      [null, ACK_TIMEOUT_MS, -1n, -1]
    )
    this.#sequences = new Map()
    this.#identity = { producerId, producerEpoch }
    return this.#identity
  }
}

interface Place {
  readonly batch: PartitionBatch
  readonly index: number
}

/**
 * Adds a record to the last batch of its partition, or to a new one: a batch must not exceed the topic's limit,
 * and large ones compress no better.
 */
function place(
  message: ProduceMessage,
  partitions: Map<string, PartitionBatch[]>,
  limits: TopicLimits
): Place {
  const { topic, partition } = message
  const key = `${topic}:${partition}`
  const list = partitions.get(key) ?? []
  partitions.set(key, list)
  const size = sizeOf(message)
  const limit = Math.min(limits.known(topic), BATCH_BYTES)
  let batch = list.at(-1)
  if (batch === undefined || batch.bytes + size > limit || isFar(batch, message)) {
    batch = { topic, partition, messages: [], bytes: 0, baseOffset: undefined, failure: undefined }
    list.push(batch)
  }
  batch.bytes += size
  return { batch, index: batch.messages.push(message) - 1 }
}

/**
 * The library encodes times of a batch's records relative to its first one, and wrongly beyond 31 bits
 * (`int64ZigZagEncode` of @platformatic/dynamic-buffer): so times that are far apart never share a batch.
 */
function isFar({ messages: [first] }: PartitionBatch, { timestamp }: ProduceMessage): boolean {
  const distance = timestamp - (first?.timestamp ?? timestamp)
  return distance >= FAR_MS || distance <= -FAR_MS
}

/** The batch of a round; none when one before it failed, since records must not overtake each other. */
function open(batches: readonly PartitionBatch[], round: number): PartitionBatch[] {
  const batch = batches[round]
  if (batch === undefined) return []
  batch.failure = batches[round - 1]?.failure
  return batch.failure === undefined ? [batch] : open(batches, round + 1)
}

function metadataOf({ batch, index }: Place): RecordMetadata {
  const { topic, partition, baseOffset = 0n } = batch
  return { topic, partition, offset: baseOffset + BigInt(index) }
}

function tooLarge(topic: string, size: number, limit: number): BrokerError {
  return new BrokerError(
    'BROKER_RECORD_TOO_LARGE',
    `A record of ${size} bytes is too large for the topic "${topic}", which takes ${limit} ` +
      '(max.message.bytes)',
    { details: { topic, bytes: size, limit } }
  )
}
