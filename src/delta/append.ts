/** Append: new files, no look at the stored ones; any number of appends commit side by side. */
import type { CellValue } from '../core/index.ts'
import type { Action, AddAction } from './actions.ts'
import { writeFile } from './file-writer.ts'
import type { Snapshot } from './log-state.ts'
import { partitionKey, partitionOf } from './partition-values.ts'
import { type RowRules, rowRulesOf } from './row-rules/index.ts'
import { assertComplete, checkedRow, rowOfCells } from './rows.ts'
import type { TableLog } from './table-log.ts'
import { type TransactionOptions, transactionActions } from './transactions.ts'
import type { InputRow } from './values/cells.ts'

/** What an append did. */
export interface AppendResult {
  /** The version that holds the rows; the newest one when there were none. */
  readonly version: number
  /** Rows added. */
  readonly rows: number
  /** Of data files. */
  readonly bytesWritten: number
  /** Attempts that other writers won. */
  readonly conflicts: number
}

/** Options of `append`. */
export interface AppendOptions {
  /** Ends the work before the commit; then nothing is in the table. */
  readonly signal?: AbortSignal
  /** Committed with the rows. */
  readonly transaction?: TransactionOptions
}

/** Rejects with `DELTA_SCHEMA_MISMATCH` when a row does not fit the table. */
export async function appendTo(
  log: TableLog,
  rows: readonly InputRow[],
  { signal, transaction }: AppendOptions = {}
): Promise<AppendResult> {
  const transactionOf = (current: Snapshot): Action[] =>
    transactionActions(current, transaction, log.where, log.ports.clock.now())
  let snapshot = await log.refresh()
  transactionOf(snapshot)
  if (rows.length === 0 && transaction === undefined) {
    return { version: snapshot.version, rows: 0, bytesWritten: 0, conflicts: 0 }
  }
  let adds = await writeRows(log, snapshot, rows)
  for (let conflicts = 0; ; ) {
    signal?.throwIfAborted()
    const bytesWritten = adds.reduce((sum, add) => sum + add.size, 0)
    const response = await log.commit(
      snapshot,
      {
        operation: 'WRITE',
        operationParameters: { mode: 'Append' },
        operationMetrics: {
          numFiles: String(adds.length),
          numOutputRows: String(rows.length),
          numOutputBytes: String(bytesWritten)
        },
        isolationLevel: 'Serializable',
        isBlindAppend: true
      },
      [...transactionOf(snapshot), ...adds.map(add => ({ add }))]
    )
    if (response.kind === 'committed') {
      return { version: response.version, rows: rows.length, bytesWritten, conflicts }
    }
    conflicts++
    await log.pause(conflicts, signal)
    const newer = await log.refresh()
    const same = newer.metadata === snapshot.metadata && newer.protocol === snapshot.protocol
    if (!same) adds = await writeRows(log, newer, rows)
    snapshot = newer
  }
}

interface PartitionRows {
  readonly values: Readonly<Record<string, string | null>>
  readonly rows: Readonly<Record<string, CellValue>>[]
}

const UNPARTITIONED = {}

async function writeRows(
  log: TableLog,
  snapshot: Snapshot,
  rows: readonly InputRow[]
): Promise<AddAction[]> {
  const rules = await rowRulesOf(log, snapshot)
  const fields = new Map(snapshot.fields.map(field => [field.name, field]))
  // Rules fill in columns, which must not happen to the rows of the caller.
  const cellsOf = rules === undefined ? rowOfCells : checkedRow
  const complete = rows.map(row => cellsOf(fields, row, log.where) as Record<string, CellValue>)
  if (rules !== undefined) await applyRules(log, rules, complete)
  const required = rules === undefined ? snapshot.fields.filter(field => !field.nullable) : []
  const partitioned = snapshot.metadata.partitionColumns.length > 0
  const partitions = new Map<string, PartitionRows>()
  for (const row of complete) {
    assertComplete(required, row, log.where)
    const values = partitioned ? partitionOf(snapshot, row) : UNPARTITIONED
    const key = partitioned ? partitionKey(values) : ''
    const group = partitions.get(key)
    if (group === undefined) partitions.set(key, { values, rows: [row] })
    else group.rows.push(row)
  }
  const adds: AddAction[] = []
  for (const { values, rows: group } of partitions.values()) {
    const content = { partitionValues: values, inputs: [], rows: group }
    const add = await writeFile(log, snapshot, content)
    if (add !== undefined) adds.push(add)
  }
  return adds
}

/** Gives the rows what they lack by the rules of the table, and checks them. */
async function applyRules(
  log: TableLog,
  rules: RowRules,
  rows: readonly Record<string, CellValue>[]
): Promise<void> {
  const { engine, clock } = log.ports
  const given = rows.map(row => new Set(Object.keys(row)))
  const defaults = rules.defaults(clock.now())
  for (const row of rows) {
    for (const [column, value] of defaults) if (row[column] === undefined) row[column] = value
  }
  await rules.finish(engine, rows, (at, column) => given[at]?.has(column) === true, log.where)
}
