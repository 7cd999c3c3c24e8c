/** The message log on Apache Kafka, or a broker that is compatible with it. */
import { BrokerError } from '../../core/index.ts'
import type {
  Consumer,
  ConsumerOptions,
  GroupLag,
  LogRecord,
  MessageLog,
  Producer,
  TopicDescription,
  TopicPartitionOffset,
  TopicSpec
} from '../../ports/index.ts'
import { Cluster } from './cluster.ts'
import { KafkaConsumer } from './consumer.ts'
import { committedOffsets, setGroupOffsets } from './group-offsets.ts'
import type { KafkaLogOptions, KafkaPorts } from './options.ts'
import { KafkaProducer } from './producer.ts'
import { readRecords } from './read.ts'
import { keyOf, partitionsOf, TopicLimits, Topics } from './topics.ts'

/** Resolves when a broker answered that speaks what is needed. Rejects with `BrokerError`. */
export async function openKafkaLog(
  options: KafkaLogOptions,
  ports: KafkaPorts
): Promise<MessageLog> {
  const cluster = new Cluster(options, ports)
  try {
    await cluster.retried('Connecting to Kafka', () =>
      cluster.call(undefined, 'admin', 'Metadata', [[], false, false])
    )
    return new KafkaLog(cluster, options, ports)
  } catch (error) {
    await cluster.close()
    throw error
  }
}

class KafkaLog implements MessageLog {
  readonly #cluster: Cluster
  readonly #topics: Topics
  readonly #limits: TopicLimits
  readonly #options: KafkaLogOptions
  readonly #ports: KafkaPorts
  readonly #users = new Set<{ close(): Promise<void> }>()

  constructor(cluster: Cluster, options: KafkaLogOptions, ports: KafkaPorts) {
    this.#cluster = cluster
    this.#options = options
    this.#ports = ports
    this.#topics = new Topics(cluster, options)
    this.#limits = new TopicLimits(this.#topics)
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    this.#cluster.assertOpen()
    await this.#topics.create(topics)
  }

  async describeTopics(names?: readonly string[]): Promise<TopicDescription[]> {
    this.#cluster.assertOpen()
    return await this.#topics.describe(names)
  }

  async deleteRecords(before: readonly TopicPartitionOffset[]): Promise<void> {
    this.#cluster.assertOpen()
    if (before.length > 0) await this.#topics.deleteRecords(before)
  }

  async groupLag(groupId: string, topics: readonly string[]): Promise<GroupLag[]> {
    this.#cluster.assertOpen()
    const found = await this.#cluster.topics([...new Set(topics)], true)
    const partitions = found.flatMap(partitionsOf)
    const committed = await committedOffsets(this.#cluster, groupId, partitions)
    const earliest = await this.#topics.earliest(partitions)
    const ends = await this.#topics.ends(partitions)
    return partitions.map(({ topic, partition }) => {
      const key = keyOf({ topic, partition })
      const end = ends.get(key) ?? 0n
      const first = earliest.get(key) ?? 0n
      const at = committed.get(key)
      const from = at === undefined || at < first ? first : at
      return { topic, partition, committed: at, end, lag: end > from ? end - from : 0n }
    })
  }

  async setGroupOffsets(groupId: string, offsets: readonly TopicPartitionOffset[]): Promise<void> {
    this.#cluster.assertOpen()
    if (offsets.length === 0) return
    // Kafka would take positions of what does not exist.
    await this.#topics.byLeader(offsets)
    await setGroupOffsets(this.#cluster, groupId, offsets)
  }

  async read(from: TopicPartitionOffset, maxRecords: number): Promise<LogRecord[]> {
    this.#cluster.assertOpen()
    return await readRecords(this.#cluster, this.#topics, from, maxRecords)
  }

  async producer(): Promise<Producer> {
    this.#cluster.assertOpen()
    return this.#track(new KafkaProducer(this.#cluster, this.#limits, this.#options, this.#ports))
  }

  async consumer(options: ConsumerOptions): Promise<Consumer> {
    this.#cluster.assertOpen()
    if (options.topics.length === 0) {
      throw new BrokerError('BROKER_UNKNOWN_TOPIC', 'A consumer needs a topic')
    }
    await this.#cluster.topics(options.topics, true)
    const { ids } = this.#ports
    const named = { ...options, clientId: options.clientId ?? ids.uuid() }
    return this.#track(
      new KafkaConsumer(this.#cluster, this.#topics, named, this.#options, this.#ports)
    )
  }

  async close(): Promise<void> {
    if (this.#cluster.closed) return
    await Promise.allSettled([...this.#users].map(user => user.close()))
    await this.#cluster.close()
  }

  #track<T extends { close(): Promise<void> }>(user: T): T {
    this.#users.add(user)
    return user
  }
}
