/** Topics: creating and describing them, where their partitions begin and end, what they take. */
import { BrokerError, isPipelineError } from '../../core/index.ts'
import type {
  PartitionDescription,
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
  TopicSpec
} from '../../ports/index.ts'
import type { Cluster, Topic } from './cluster.ts'
import { brokerError, hasApiId, responseOf } from './failures.ts'
import { DEFAULTS, type KafkaLogOptions } from './options.ts'
import type { ApiResult, ConfigsAnswer } from './protocol.ts'

const ADMIN = 'admin'
const TIMEOUT_MS = 15_000
const TOPIC_RESOURCE = 2
const LATEST = -1n
const EARLIEST = -2n
const CONSUMER = -1
const READ_UNCOMMITTED = 0
const BROKERS_DEFAULT = -1
const DESCRIPTIONS = 5

/** Largest record that each topic takes, as the broker says; asked once. */
export class TopicLimits {
  readonly #topics: Topics
  readonly #limits = new Map<string, Promise<number>>()
  readonly #known = new Map<string, number>()

  constructor(topics: Topics) {
    this.#topics = topics
  }

  async maxMessageBytes(topic: string): Promise<number> {
    const known = this.#known.get(topic)
    if (known !== undefined) return known
    const asked = this.#limits.get(topic) ?? this.#topics.maxMessageBytes(topic)
    this.#limits.set(topic, asked)
    try {
      const limit = await asked
      this.#known.set(topic, limit)
      return limit
    } finally {
      this.#limits.delete(topic)
    }
  }

  /** Of a topic that was asked for before. */
  known(topic: string): number {
    return this.#known.get(topic) ?? DEFAULTS.maxMessageBytes
  }
}

export class Topics {
  readonly #cluster: Cluster
  readonly #options: KafkaLogOptions

  constructor(cluster: Cluster, options: KafkaLogOptions) {
    this.#cluster = cluster
    this.#options = options
  }

  async create(specs: readonly TopicSpec[]): Promise<void> {
    if (specs.length === 0) return
    const topics = specs.map(spec => ({
      name: spec.name,
      numPartitions: spec.partitions,
      replicationFactor: this.#options.replicationFactor ?? BROKERS_DEFAULT,
      assignments: [],
      configs: this.#configsOf(spec)
    }))
    await this.#cluster.retried('Creating topics', async () => {
      try {
        await this.#cluster.call(undefined, ADMIN, 'CreateTopics', [topics, TIMEOUT_MS, false])
      } catch (error) {
        const answer = responseOf<ApiResult<'CreateTopics'>>(error)
        if (answer === undefined) throw error
        const refused = answer.topics.find(
          topic => ![0, TOPIC_ALREADY_EXISTS].includes(topic.errorCode)
        )
        if (refused === undefined) return
        const failure = brokerError(error, `Creating the topic "${refused.name}"`)
        if (failure.code === 'BROKER_UNAVAILABLE') throw error
        const why =
          refused.errorMessage === null
            ? failure.message
            : `${failure.message}: ${refused.errorMessage}`
        throw new BrokerError('BROKER_REFUSED', why, { cause: error })
      }
    })
    await this.#led(specs.map(spec => spec.name))
  }

  async describe(names?: readonly string[]): Promise<TopicDescription[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#describe(names)
      } catch (error) {
        // One of them was deleted between two of the questions.
        const gone = isPipelineError(error) && error.code === 'BROKER_UNKNOWN_TOPIC'
        if (!gone || attempt === DESCRIPTIONS) throw error
      }
    }
  }

  async #describe(names?: readonly string[]): Promise<TopicDescription[]> {
    const topics = await this.#cluster.existing(names)
    if (topics.length === 0) return []
    const all = topics.flatMap(partitionsOf)
    const [earliest, end, configs] = [
      await this.offsets(all, EARLIEST),
      await this.offsets(all, LATEST),
      await this.#configs(topics.map(topic => topic.name))
    ]
    return topics.map(topic => {
      const values = configs.get(topic.name)
      const partitions: PartitionDescription[] = topic.leaders.map((_, partition) => ({
        partition,
        earliest: earliest.get(keyOf({ topic: topic.name, partition })) ?? 0n,
        end: end.get(keyOf({ topic: topic.name, partition })) ?? 0n
      }))
      const retention = Number(values?.get('retention.ms') ?? -1)
      return {
        name: topic.name,
        partitions,
        retentionMs: retention < 0 ? undefined : retention,
        replicas: topic.replicas,
        minInsyncReplicas: numberOf(values?.get('min.insync.replicas')),
        maxMessageBytes: numberOf(values?.get('max.message.bytes'))
      }
    })
  }

  async maxMessageBytes(topic: string): Promise<number> {
    const values = (await this.#configs([topic])).get(topic)
    return numberOf(values?.get('max.message.bytes')) ?? DEFAULTS.maxMessageBytes
  }

  /** The first offset (`EARLIEST`) or the next one (`LATEST`) of partitions, by `keyOf`. */
  async earliest(partitions: readonly TopicPartition[]): Promise<Map<string, bigint>> {
    return await this.offsets(partitions, EARLIEST)
  }

  async ends(partitions: readonly TopicPartition[]): Promise<Map<string, bigint>> {
    return await this.offsets(partitions, LATEST)
  }

  async offsets(
    partitions: readonly TopicPartition[],
    timestamp: bigint
  ): Promise<Map<string, bigint>> {
    return await this.#cluster.retried('Reading offsets', async () => {
      const found = new Map<string, bigint>()
      for (const [leader, list] of await this.byLeader(partitions)) {
        const topics = grouped(list, ({ partition }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: -1,
          timestamp
        }))
        const args = [CONSUMER, READ_UNCOMMITTED, topics] as const
        const answer = await this.#cluster.callLeader(leader, ADMIN, 'ListOffsets', [...args])
        for (const { name, partitions: parts } of answer.topics) {
          for (const { partitionIndex, offset } of parts) {
            found.set(keyOf({ topic: name, partition: partitionIndex }), offset)
          }
        }
      }
      return found
    })
  }

  async deleteRecords(before: readonly TopicPartitionOffset[]): Promise<void> {
    const ends = await this.ends(before)
    const wanted = before.map(one => {
      const end = ends.get(keyOf(one)) ?? 0n
      return { ...one, offset: one.offset > end ? end : one.offset }
    })
    await this.#cluster.retried('Deleting records', async () => {
      for (const [leader, list] of await this.byLeader(wanted)) {
        const topics = grouped(list, ({ partition, offset }) => ({
          partitionIndex: partition,
          offset
        }))
        await this.#cluster.callLeader(leader, ADMIN, 'DeleteRecords', [topics, TIMEOUT_MS])
      }
    })
  }

  /** The partitions by the node that leads them. Rejects when one does not exist, or has no leader now. */
  async byLeader<T extends TopicPartition>(partitions: readonly T[]): Promise<Map<number, T[]>> {
    const names = [...new Set(partitions.map(one => one.topic))]
    const topics = new Map((await this.#cluster.topics(names)).map(topic => [topic.name, topic]))
    const byLeader = new Map<number, T[]>()
    for (const one of partitions) {
      const leader = topics.get(one.topic)?.leaders[one.partition]
      if (leader === undefined) {
        const text = `The topic "${one.topic}" has no partition ${one.partition}`
        throw new BrokerError('BROKER_UNKNOWN_TOPIC', text)
      }
      if (leader < 0) {
        const text = `Partition ${one.partition} of "${one.topic}" has no leader now`
        throw new BrokerError('BROKER_UNAVAILABLE', text)
      }
      const list = byLeader.get(leader)
      if (list === undefined) byLeader.set(leader, [one])
      else list.push(one)
    }
    return byLeader
  }

  #configsOf({ retentionMs }: TopicSpec): { name: string; value: string }[] {
    const { minInsyncReplicas, maxMessageBytes } = this.#options
    return [
      { name: 'cleanup.policy', value: 'delete' },
      { name: 'retention.ms', value: String(retentionMs ?? -1) },
      // Only time deletes: what waits for a repair must not go because others are many.
      { name: 'retention.bytes', value: '-1' },
      { name: 'max.message.bytes', value: String(maxMessageBytes ?? DEFAULTS.maxMessageBytes) },
      ...(minInsyncReplicas === undefined
        ? []
        : [{ name: 'min.insync.replicas', value: String(minInsyncReplicas) }])
    ]
  }

  /** Waits until each partition of new topics has a leader. */
  async #led(names: readonly string[]): Promise<void> {
    await this.#cluster.retried('Waiting for new topics', async () => {
      const found = await this.#cluster.existing(names)
      const ready = new Set(found.filter(isLed).map(topic => topic.name))
      const waiting = names.find(name => !ready.has(name))
      if (waiting !== undefined) {
        throw new BrokerError('BROKER_UNAVAILABLE', `The topic "${waiting}" has no leaders yet`)
      }
    })
  }

  async #configs(names: readonly string[]): Promise<Map<string, Map<string, string>>> {
    const resources = names.map(name => ({
      resourceType: TOPIC_RESOURCE,
      resourceName: name,
      configurationKeys: ['retention.ms', 'min.insync.replicas', 'max.message.bytes']
    }))
    const answer = await this.#cluster.retried('Reading the settings of topics', () =>
      this.#askConfigs(resources)
    )
    return new Map(
      answer.results.map(({ resourceName, configs }) => [
        resourceName,
        new Map(configs.map(({ name, value }) => [name, value ?? '']))
      ])
    )
  }

  /** Who may not read settings goes on without them. */
  async #askConfigs(
    resources: readonly {
      resourceType: number
      resourceName: string
      configurationKeys: string[]
    }[]
  ): Promise<ConfigsAnswer> {
    try {
      return await this.#cluster.call(undefined, ADMIN, 'DescribeConfigs', [
        resources,
        false,
        false
      ])
    } catch (error) {
      if (!hasApiId(error, NOT_ALLOWED)) throw error
      return responseOf<ConfigsAnswer>(error) ?? { results: [] }
    }
  }
}

const TOPIC_ALREADY_EXISTS = 36
const NOT_ALLOWED = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'])

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}

export function partitionsOf(topic: Topic): TopicPartition[] {
  return topic.leaders.map((_, partition) => ({ topic: topic.name, partition }))
}

/** Partitions by topic, in the form of the requests. */
export function grouped<T extends TopicPartition, P>(
  list: readonly T[],
  form: (one: T) => P
): { name: string; partitions: P[] }[] {
  const byTopic = new Map<string, P[]>()
  for (const one of list) {
    const partitions = byTopic.get(one.topic)
    if (partitions === undefined) byTopic.set(one.topic, [form(one)])
    else partitions.push(form(one))
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions }))
}

function isLed(topic: Topic): boolean {
  return topic.leaders.every(leader => leader >= 0)
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text)
}
