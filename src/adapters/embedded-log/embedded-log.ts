/**
 * The message log in one SQLite file, shared by the processes of one machine
 * (docs/specs/embedded-log.md). This file puts the parts together.
 */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { BrokerError } from '../../core/index.ts'
import type {
  Clock,
  Consumer,
  ConsumerOptions,
  GroupLag,
  Ids,
  Logger,
  LogRecord,
  MessageLog,
  TopicPartitionOffset
} from '../../ports/index.ts'
import { createChangeWatch } from './change-watch.ts'
import { createCheckpointer } from './checkpointer.ts'
import { createConsumer } from './consumer.ts'
import { type Durability, walDurability } from './durability.ts'
import { createGroups, type Groups } from './groups.ts'
import { isProcessGone, processIdentity } from './liveness.ts'
import { createMembership } from './membership.ts'
import { createLogNotifier, type LogNotifier } from './notifier.ts'
import { createProducer } from './producer.ts'
import { createRecords, type Records } from './records.ts'
import { deletePrefix, startRetention } from './retention.ts'
import { offsetNumber, openDatabase } from './schema.ts'
import { closedError, isBusy, toBrokerError } from './sqlite-errors.ts'
import { createTopics, type Topics } from './topics.ts'
import { createWriter, nextTurn, pause, type Writer } from './writer.ts'

export interface EmbeddedLogOptions {
  /** The file; it and its directory are created. `-wal` and `-shm` files appear beside it. */
  readonly path: string
  /** Key, value and headers of one record together; default 16 MiB. */
  readonly maxRecordBytes?: number
  /** How often expired records are deleted; default 60,000. */
  readonly retentionCheckMs?: number
  /** How often a waiting consumer looks for writes of other processes; default 25. */
  readonly pollIntervalMs?: number
}

export interface EmbeddedLogPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log?: Logger
  /** Shared by logs of this process on the same file, so that they wake each other at once. */
  readonly notifier?: LogNotifier
}

const OPEN_LIMIT_MS = 60_000
const READ_RECORDS = 512
const READ_BYTES = 4 << 20
const DEFAULT_SESSION_MS = 60_000
const DEFAULT_HEARTBEAT_MS = 3_000

/**
 * Opens the log, creating the file when it is missing. Rejects with `BROKER_FORMAT` when the file is
 * something else, with `BROKER_UNAVAILABLE` when it cannot be opened.
 */
export async function openEmbeddedLog(
  options: EmbeddedLogOptions,
  ports: EmbeddedLogPorts
): Promise<MessageLog> {
  const { path } = options
  try {
    await mkdir(dirname(path), { recursive: true })
    const db = await openWhenFree(path, ports.ids)
    try {
      return assemble(options, ports, db, await walDurability(path))
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw toBrokerError(error, path, 'Opening')
  }
}

/** Several processes may start at once, or one recovers the file after a crash: wait for it. */
async function openWhenFree(path: string, ids: Ids): Promise<DatabaseSync> {
  const startMs = performance.now()
  for (;;) {
    try {
      return openDatabase(path)
    } catch (error) {
      if (!isBusy(error) || performance.now() - startMs > OPEN_LIMIT_MS) throw error
    }
    await pause(2 + 20 * ids.random())
  }
}

function assemble(
  options: EmbeddedLogOptions,
  ports: EmbeddedLogPorts,
  db: DatabaseSync,
  durability: Durability
): MessageLog {
  const {
    path,
    maxRecordBytes = 16 << 20,
    retentionCheckMs = 60_000,
    pollIntervalMs = 25
  } = options
  const { clock, ids, log, notifier = createLogNotifier() } = ports
  const warn = (what: string) => (error: unknown) =>
    log?.warn(what, { path, reason: String(error) })
  const checkpointer = createCheckpointer(path, warn('Checkpoint of the embedded log failed'))
  const writer = createWriter(path, { db, durability, ids, written: checkpointer.written })
  const topics = createTopics(db)
  const records = createRecords(db, topics.state)
  const groups = createGroups(db, topics)
  const watch = createChangeWatch(db, notifier, pollIntervalMs)
  const failed = warn('Retention of the embedded log failed')
  const retention = startRetention(retentionCheckMs, {
    clock,
    writer,
    topics,
    records,
    groups,
    failed
  })
  const consumers = new Set<Consumer>()
  let closing: Promise<void> | undefined

  async function openConsumer(consumerOptions: ConsumerOptions): Promise<Consumer> {
    const member = memberOptions(consumerOptions, ids)
    const heartbeatFailed = warn('Heartbeat to the embedded log failed')
    const membership = createMembership(member, {
      writer,
      groups,
      topics,
      notifier,
      heartbeatFailed
    })
    await membership.join()
    const consumer: Consumer = createConsumer(member.memberId, {
      ...{ writer, topics, records, groups, notifier, watch, membership },
      closed: () => consumers.delete(consumer)
    })
    consumers.add(consumer)
    return consumer
  }

  async function closeAll(): Promise<void> {
    // A member that cannot leave (disk full) is expired by the others; the file is closed anyway.
    const left = await Promise.allSettled([...consumers].map(consumer => consumer.close()))
    for (const one of left) {
      if (one.status === 'rejected') warn('Leaving a group of the embedded log failed')(one.reason)
    }
    await retention.close()
    await writer.close()
    watch.close()
    await checkpointer.close()
    await durability.close()
    db.close()
  }

  function whileOpen(): void {
    if (closing !== undefined) throw closedError('log')
  }

  return {
    async createTopics(specs) {
      const rows = specs.reduce((sum, spec) => sum + spec.partitions, 0)
      await writer.submit({ rows, bytes: 0, durable: true, run: () => topics.create(specs) })
    },
    describeTopics: async names => writer.read(() => topics.describe(names)),
    async deleteRecords(before) {
      for (const { topic, partition, offset } of before) {
        const id = await writer.read(() => topics.partitionId(topic, partition))
        await deletePrefix(id, () => offsetNumber(offset), { writer, records })
      }
    },
    groupLag: async (groupId, names) => writer.read(() => lagOf(groupId, names, topics, groups)),
    async setGroupOffsets(groupId, offsets) {
      const identity = processIdentity()
      await writer.submit({
        rows: offsets.length,
        bytes: 0,
        durable: true,
        run: () => {
          const rows = offsets.map(({ topic, partition, offset }) => ({
            partitionId: topics.partitionId(topic, partition),
            offset: offsetNumber(offset)
          }))
          groups.setOffsets(groupId, rows, member => isProcessGone(member.process, identity))
        }
      })
    },
    read: async (from, maxRecords) => readRange(from, maxRecords, { writer, topics, records }),
    async producer() {
      whileOpen()
      return createProducer(maxRecordBytes, { clock, ids, writer, topics, records, notifier })
    },
    async consumer(consumerOptions) {
      whileOpen()
      return openConsumer(consumerOptions)
    },
    close() {
      closing ??= closeAll()
      return closing
    }
  }
}

function memberOptions(options: ConsumerOptions, ids: Ids) {
  const sessionTimeoutMs = options.sessionTimeoutMs ?? DEFAULT_SESSION_MS
  const heartbeatIntervalMs =
    options.heartbeatIntervalMs ?? Math.min(DEFAULT_HEARTBEAT_MS, sessionTimeoutMs / 4)
  if (heartbeatIntervalMs * 3 >= sessionTimeoutMs) {
    throw new BrokerError(
      'CONFIG_INVALID',
      `Group ${options.groupId}: the heartbeat interval (${heartbeatIntervalMs} ms) must be below a ` +
        `third of the session time-out (${sessionTimeoutMs} ms).`
    )
  }
  return {
    groupId: options.groupId,
    topics: options.topics,
    memberId: `${options.clientId ?? 'consumer'}-${ids.uuid()}`,
    sessionTimeoutMs,
    heartbeatIntervalMs
  }
}

function lagOf(
  group: string,
  names: readonly string[],
  topics: Topics,
  groups: Groups
): GroupLag[] {
  const groupId = groups.groupId(group)
  return names.flatMap(name => {
    const topic = topics.require(name)
    return topic.partitionIds.map((partitionId, partition) => {
      const { earliest, next } = topics.state(partitionId)
      const committed = groupId === undefined ? undefined : groups.committed(groupId, partitionId)
      // An offset out of range continues at the earliest record (G3).
      const known = committed !== undefined && committed >= earliest && committed <= next
      return {
        topic: name,
        partition,
        committed: committed === undefined ? undefined : BigInt(committed),
        end: BigInt(next),
        lag: BigInt(next - (known ? committed : earliest))
      }
    })
  })
}

async function readRange(
  from: TopicPartitionOffset,
  maxRecords: number,
  ports: { readonly writer: Writer; readonly topics: Topics; readonly records: Records }
): Promise<LogRecord[]> {
  const { writer, topics, records } = ports
  const found: LogRecord[] = []
  let offset = offsetNumber(from.offset)
  while (found.length < maxRecords) {
    const run = await writer.read(() => {
      const partitionId = topics.partitionId(from.topic, from.partition)
      const start = Math.max(offset, topics.state(partitionId).earliest)
      const bounds = {
        maxRecords: Math.min(READ_RECORDS, maxRecords - found.length),
        maxBytes: READ_BYTES
      }
      return records.read(partitionId, from, start, bounds).records
    })
    const last = run.at(-1)
    if (last === undefined) break
    found.push(...run)
    offset = Number(last.offset) + 1
    await nextTurn()
  }
  return found
}
