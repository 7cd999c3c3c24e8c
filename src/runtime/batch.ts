/**
 * One batch from decode to durable. Poison records are isolated here: a message that makes its batch
 * fail ends alone, its neighbours proceed (design.md D5).
 */
import { InvariantError, isPipelineError, MessageError } from '../core/index.ts'
import type {
  Clock,
  LogRecord,
  Producer,
  ProducerRecord,
  TableStore,
  Telemetry,
  TopicPartitionOffset
} from '../ports/index.ts'
import type { DependencyGate } from './dependency-gate.ts'
import type { BatchResult, Delivery, Outcome, StageSpec, TableWrite } from './stage.ts'

export interface Batch<M> {
  readonly generation: number
  readonly records: readonly LogRecord[]
  readonly deliveries: readonly Delivery<M>[]
  /** Ends of the records that could not be decoded. */
  readonly poison: readonly Outcome[]
  readonly controller: AbortController
  readonly startedAt: number
  /** Never rejects before it is awaited; an abort rejects it. */
  readonly result: Promise<BatchResult>
}

export interface BatchPorts {
  readonly clock: Clock
  readonly tables: TableStore
  readonly producer: Producer
  readonly telemetry: Telemetry
  /** Waits out a lake or a log that is down as a whole. */
  readonly gate: DependencyGate
}

/** Decodes the records and starts their processing at once. */
export function beginBatch<M>(
  spec: StageSpec<M>,
  generation: number,
  records: readonly LogRecord[],
  startedAt: number
): Batch<M> {
  const controller = new AbortController()
  const deliveries: Delivery<M>[] = []
  const poison: Outcome[] = []
  for (const record of records) {
    try {
      deliveries.push({ record, message: spec.decode(record) })
    } catch (cause) {
      const error = isPipelineError(cause)
        ? cause
        : new MessageError('MESSAGE_INVALID', 'the record cannot be decoded', { cause })
      poison.push({ kind: 'dead', records: [spec.undecodable(record, error)], error })
    }
  }
  const result = resolveDeliveries(spec, deliveries, controller.signal)
  result.catch(() => undefined)
  return { generation, records, deliveries, poison, controller, startedAt, result }
}

/**
 * Writes, produces, runs `afterProduce`. When it resolves, every effect of the batch is durable and
 * the offsets may be committed. Returns the outcomes of all records.
 */
export async function applyBatch<M>(
  spec: StageSpec<M>,
  batch: Batch<M>,
  ports: BatchPorts
): Promise<readonly Outcome[]> {
  const { signal } = batch.controller
  const planned = await batch.result
  let written: BatchResult | undefined
  try {
    signal.throwIfAborted()
    written = await writeTables(spec, batch.deliveries, planned, ports, signal)
    const outcomes = [...batch.poison, ...written.outcomes]
    const records = outcomes.flatMap(outcome => outcome.records)
    if (records.length > 0) await produce(records, ports, signal)
    if (written.afterProduce !== undefined) await ports.gate.run(written.afterProduce, signal)
    return outcomes
  } finally {
    planned.release?.()
    if (written !== planned) written?.release?.()
  }
}

/** For each partition of the batch the offset after its last record. */
export function nextOffsets(records: readonly LogRecord[]): TopicPartitionOffset[] {
  const next = new Map<string, TopicPartitionOffset>()
  for (const { topic, partition, offset } of records) {
    next.set(`${topic}/${partition}`, { topic, partition, offset: offset + 1n })
  }
  return [...next.values()]
}

/** Processes; on an unexpected failure, halves until the message that causes it is alone. */
async function resolveDeliveries<M>(
  spec: StageSpec<M>,
  deliveries: readonly Delivery<M>[],
  signal: AbortSignal
): Promise<BatchResult> {
  const [first] = deliveries
  if (first === undefined) return { outcomes: [], writes: [] }
  try {
    const result = await spec.process(deliveries, signal)
    if (result.outcomes.length === deliveries.length) return result
    result.release?.()
    throw new InvariantError('INVARIANT', `${spec.worker} gave not one outcome a message`)
  } catch (error) {
    if (signal.aborted) throw error
    if (deliveries.length === 1) return spec.failed(first, error)
    const [left, right] = halves(deliveries)
    const done = await resolveDeliveries(spec, left, signal)
    try {
      return combine(spec, done, await resolveDeliveries(spec, right, signal))
    } catch (failure) {
      done.release?.()
      throw failure
    }
  }
}

/** On a row fault writes again by halves. Frees what it planned itself when it rejects. */
async function writeTables<M>(
  spec: StageSpec<M>,
  deliveries: readonly Delivery<M>[],
  result: BatchResult,
  ports: BatchPorts,
  signal: AbortSignal
): Promise<BatchResult> {
  try {
    await writeInSteps(result.writes, ports, signal)
    return result
  } catch (error) {
    const [first] = deliveries
    if (!isRowFault(error) || first === undefined) throw error
    // What the stage holds for the failed plan would keep the next one from planning the same rows.
    result.release?.()
    if (deliveries.length === 1) {
      const failed = spec.failed(first, error)
      await writeInSteps(failed.writes, ports, signal)
      return failed
    }
    const parts: BatchResult[] = []
    try {
      for (const half of halves(deliveries)) {
        parts.push(await planAndWrite(spec, half, ports, signal))
      }
    } catch (failure) {
      for (const part of parts) part.release?.()
      throw failure
    }
    return parts.reduce((a, b) => combine(spec, a, b))
  }
}

async function planAndWrite<M>(
  spec: StageSpec<M>,
  deliveries: readonly Delivery<M>[],
  ports: BatchPorts,
  signal: AbortSignal
): Promise<BatchResult> {
  const planned = await resolveDeliveries(spec, deliveries, signal)
  try {
    return await writeTables(spec, deliveries, planned, ports, signal)
  } catch (error) {
    planned.release?.()
    throw error
  }
}

/** Rejects with the first failure of a step, when all of the step have come to an end. */
async function writeInSteps(
  writes: readonly TableWrite[],
  ports: BatchPorts,
  signal: AbortSignal
): Promise<void> {
  for (let from = 0; from < writes.length; ) {
    const step = writes[from]?.step
    let to = from + 1
    while (step !== undefined && writes[to]?.step === step) to += 1
    const ends = await Promise.allSettled(
      writes.slice(from, to).map(write => writeTable(write, ports, signal))
    )
    for (const end of ends) {
      if (end.status === 'rejected') throw end.reason
    }
    from = to
  }
}

async function writeTable(
  write: TableWrite,
  { clock, gate, tables, telemetry }: BatchPorts,
  signal: AbortSignal
): Promise<void> {
  if (write.rows.length === 0) return
  const table = write.table.name
  const startedAt = clock.monotonic()
  const outcome = await gate.run(async () => {
    try {
      return await tables.merge(write.table, write.rows, signal)
    } catch (error) {
      telemetry.metrics.count('delta_writes_total', 1, { table, status: 'error' })
      throw error
    }
  }, signal)
  const { metrics, log } = telemetry
  metrics.count('delta_writes_total', 1, { table, status: 'success' })
  const seconds = (clock.monotonic() - startedAt) / 1000
  metrics.observe('delta_write_duration_seconds', seconds, { table })
  metrics.count('delta_rows_total', outcome.inserted, { table, change: 'inserted' })
  metrics.count('delta_rows_total', outcome.updated, { table, change: 'updated' })
  metrics.count('delta_rows_total', outcome.unchanged, { table, change: 'unchanged' })
  metrics.count('delta_bytes_written_total', outcome.bytesWritten, { table })
  metrics.count('delta_commit_conflicts_total', outcome.conflicts, { table })
  if (outcome.dropped > 0) {
    metrics.count('delta_rows_total', outcome.dropped, { table, change: 'dropped' })
    log.warn('rows without a merge key were dropped', { table, rows: outcome.dropped })
  }
}

async function produce(
  records: readonly ProducerRecord[],
  { gate, producer, telemetry }: BatchPorts,
  signal: AbortSignal
): Promise<void> {
  await gate.run(() => producer.send(records), signal)
  for (const { topic } of records) {
    telemetry.metrics.count('kafka_messages_produced_total', 1, { topic, status: 'success' })
  }
}

/** A value that does not fit its column: the row's fault. Anything else concerns the whole table. */
function isRowFault(error: unknown): boolean {
  return isPipelineError(error) && error.code === 'DELTA_SCHEMA_MISMATCH'
}

function halves<T>(items: readonly T[]): [readonly T[], readonly T[]] {
  const middle = items.length >> 1
  return [items.slice(0, middle), items.slice(middle)]
}

/** Both results as one; rows of one table become one write, in the order of the stage's tables. */
export function combine(
  { tables }: Pick<StageSpec<never>, 'tables'>,
  a: BatchResult,
  b: BatchResult
): BatchResult {
  const order = new Map(tables.map(({ name }, index) => [name, index]))
  const place = ({ table }: TableWrite): number => order.get(table.name) ?? tables.length
  const writes = new Map<string, TableWrite>()
  for (const write of [...a.writes, ...b.writes]) {
    const before = writes.get(write.table.name)
    const rows = before === undefined ? write.rows : [...before.rows, ...write.rows]
    writes.set(write.table.name, { ...write, rows })
  }
  return {
    outcomes: [...a.outcomes, ...b.outcomes],
    writes: [...writes.values()].sort((one, other) => place(one) - place(other)),
    afterProduce: async () => {
      await a.afterProduce?.()
      await b.afterProduce?.()
    },
    release: () => {
      a.release?.()
      b.release?.()
    }
  }
}
