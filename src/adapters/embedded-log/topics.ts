/** Topics and partitions: creating, naming, describing. Topics never change once they exist. */
import type { DatabaseSync } from 'node:sqlite'
import { BrokerError } from '../../core/index.ts'
import type { TopicDescription, TopicSpec } from '../../ports/index.ts'
import { MAX_PARTITIONS } from './schema.ts'
import { unknownTopic } from './sqlite-errors.ts'

export interface Topic {
  readonly id: number
  readonly name: string
  readonly retentionMs: number | undefined
  /** Partition ids; the index is the partition's number. */
  readonly partitionIds: readonly number[]
}

export interface PartitionState {
  readonly earliest: number
  readonly next: number
}

export interface Topics {
  /** Inside a transaction. */
  create(specs: readonly TopicSpec[]): void
  /** Throws `BROKER_UNKNOWN_TOPIC`. */
  require(name: string): Topic
  partitionId(name: string, partition: number): number
  /** Topic and partition of a partition id. */
  locate(partitionId: number): { topic: string; partition: number }
  byId(topicId: number): Topic | undefined
  all(): Topic[]
  state(partitionId: number): PartitionState
  describe(names: readonly string[] | undefined): TopicDescription[]
}

const NAME = /^[a-zA-Z0-9._-]{1,249}$/

export function createTopics(db: DatabaseSync): Topics {
  const sql = {
    insertTopic: db.prepare(
      'INSERT INTO topics (name, retention_ms) VALUES (?, ?) ON CONFLICT DO NOTHING'
    ),
    insertPartition: db.prepare(
      `INSERT INTO partitions (topic_id, partition, earliest, next_offset) VALUES (?, ?, 0, 0)`
    ),
    countPartitions: db.prepare('SELECT count(*) AS n FROM partitions'),
    topics: db.prepare('SELECT id, name, retention_ms FROM topics ORDER BY id'),
    partitions: db.prepare(
      'SELECT id, topic_id, partition FROM partitions ORDER BY topic_id, partition'
    ),
    state: db.prepare('SELECT earliest, next_offset FROM partitions WHERE id = ?')
  }
  const byName = new Map<string, Topic>()
  const byId = new Map<number, Topic>()
  const places = new Map<number, { topic: string; partition: number }>()

  /** Reads the catalogue again: another process may have created topics. */
  function load(): void {
    const ids = new Map<number, number[]>()
    for (const row of sql.partitions.all()) {
      const topicId = Number(row['topic_id'])
      const list = ids.get(topicId) ?? []
      list.push(Number(row['id']))
      ids.set(topicId, list)
    }
    for (const row of sql.topics.all()) {
      const id = Number(row['id'])
      if (byId.has(id)) continue
      const retention = row['retention_ms']
      const topic: Topic = {
        id,
        name: String(row['name']),
        retentionMs: retention === null ? undefined : Number(retention),
        partitionIds: ids.get(id) ?? []
      }
      // A catalogue read between the two statements of another process sees no partitions yet.
      if (topic.partitionIds.length === 0) continue
      byName.set(topic.name, topic)
      byId.set(id, topic)
      topic.partitionIds.forEach((partitionId, partition) => {
        places.set(partitionId, { topic: topic.name, partition })
      })
    }
  }

  function find(name: string): Topic | undefined {
    if (!byName.has(name)) load()
    return byName.get(name)
  }

  function requireTopic(name: string): Topic {
    const topic = find(name)
    if (topic === undefined) throw unknownTopic(name)
    return topic
  }

  function state(partitionId: number): PartitionState {
    const row = sql.state.get(partitionId)
    if (row === undefined) throw new Error(`partition ${partitionId} is not in the file`)
    return { earliest: Number(row['earliest']), next: Number(row['next_offset']) }
  }

  return {
    create(specs) {
      for (const spec of specs) checkSpec(spec)
      const missing = specs.filter(spec => find(spec.name) === undefined)
      const count = missing.reduce(
        (sum, spec) => sum + spec.partitions,
        Number(sql.countPartitions.get()?.['n'] ?? 0)
      )
      if (count > MAX_PARTITIONS) throw tooManyPartitions(count)
      for (const spec of missing) {
        const { changes, lastInsertRowid } = sql.insertTopic.run(
          spec.name,
          spec.retentionMs ?? null
        )
        if (changes === 0) continue
        for (let partition = 0; partition < spec.partitions; partition++) {
          sql.insertPartition.run(lastInsertRowid, partition)
        }
      }
    },
    require: requireTopic,
    partitionId(name, partition) {
      const id = requireTopic(name).partitionIds[partition]
      if (id === undefined) throw unknownTopic(name, partition)
      return id
    },
    locate(partitionId) {
      if (!places.has(partitionId)) load()
      return places.get(partitionId) ?? { topic: '', partition: -1 }
    },
    byId(topicId) {
      if (!byId.has(topicId)) load()
      return byId.get(topicId)
    },
    all() {
      load()
      return [...byName.values()]
    },
    state,
    describe(names) {
      load()
      const wanted = names === undefined ? [...byName.keys()] : names
      return [...new Set(wanted)]
        .filter(name => byName.has(name))
        .sort()
        .map(name => describeTopic(requireTopic(name), state))
    }
  }
}

function describeTopic(topic: Topic, state: (id: number) => PartitionState): TopicDescription {
  return {
    name: topic.name,
    retentionMs: topic.retentionMs,
    partitions: topic.partitionIds.map((id, partition) => {
      const { earliest, next } = state(id)
      return { partition, earliest: BigInt(earliest), end: BigInt(next) }
    })
  }
}

function checkSpec(spec: TopicSpec): void {
  if (!NAME.test(spec.name) || spec.name === '.' || spec.name === '..') {
    throw new BrokerError(
      'CONFIG_INVALID',
      `Topic name ${JSON.stringify(spec.name)} is not valid: letters, digits, dot, dash and ` +
        'underscore, at most 249.'
    )
  }
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1) {
    throw new BrokerError(
      'CONFIG_INVALID',
      `Topic ${spec.name} needs at least one partition, not ${spec.partitions}.`
    )
  }
}

function tooManyPartitions(count: number): BrokerError {
  return new BrokerError(
    'CONFIG_INVALID',
    `An embedded log holds at most ${MAX_PARTITIONS} partitions; ${count} were asked for. ` +
      'Use fewer partitions, or Kafka.'
  )
}
