/**
 * How rows with one merge key become one row: the column policies and the guard of core/table.ts
 * (reference/claimx-tables.md sections 1.3 and 12). Pure. Rows of a batch are applied one by one, in
 * order, to the stored row, so a batch gives what its rows would give singly.
 */
import {
  type CellValue,
  type ColumnPolicy,
  type MergeGuard,
  parseInstant,
  type Row
} from '../core/index.ts'
import type { DataType } from './schema.ts'
import { compareCells } from './values/order.ts'

/** Rules of a merge as the engine works with them: `MergeSpec` is what people write. */
export interface MergeRules {
  /** The columns that together name a row. */
  readonly keys: readonly string[]
  /** Policy of each column; columns that are not here are replaced when given. */
  readonly policies: ReadonlyMap<string, ColumnPolicy>
  /** Which of two rows with one key is newer; without it the one that comes later. */
  readonly guard?: MergeGuard
  /** Rows with a stored key are left as they are; then nothing is deleted either. */
  readonly insertOnly?: boolean
  /**
   * The newest row of a key takes the place of the stored one whatever that holds: policies and guard have
   * no say, absent columns become null, equal rows are written again. The cheapest upsert, since of the
   * stored rows only the keys are read.
   */
  readonly overwrite?: boolean
  /**
   * Which rows of the batch delete the stored row of their key, if the guard takes them for newer. Such a
   * row needs its key and the guard's columns only. It is asked with the row object that was given.
   */
  readonly deleteWhen?: (row: Row) => boolean
}

export interface MergedRow {
  readonly values: Record<string, CellValue>
  /** False when only audit columns differ from the stored row, which is then kept as it is. */
  readonly changed: boolean
  /** No row is left; `values` is then empty. */
  readonly deleted: boolean
}

/** Of columns whose order is not that of their cells; see `compareCells`. */
export type ColumnTypes = ReadonlyMap<string, DataType>

const NONE: ReadonlySet<Row> = new Set()
const NO_TYPES: ColumnTypes = new Map()
const NO_DEFAULTS: ReadonlyMap<string, CellValue> = new Map()

/**
 * Applies the rows of one key, in order, to the stored row, or to nothing. Those of `deletes` delete it.
 * `defaults`: of columns that a row without a stored one lacks.
 */
export function mergeRows(
  rules: MergeRules,
  columns: readonly string[],
  stored: Readonly<Record<string, CellValue>> | undefined,
  rows: readonly Row[],
  deletes: ReadonlySet<Row> = NONE,
  types: ColumnTypes = NO_TYPES,
  defaults: ReadonlyMap<string, CellValue> = NO_DEFAULTS
): MergedRow {
  let values: Record<string, CellValue> | undefined = stored === undefined ? undefined : stored
  let changed = false
  for (const row of rows) {
    if (deletes.has(row)) {
      if (values === undefined || rules.insertOnly === true) continue
      if (rules.overwrite !== true && !applies(rules.guard, values, row, types)) continue
      values = undefined
      changed = true
    } else if (values === undefined || rules.overwrite === true) {
      values = insertedRow(columns, row, defaults)
      changed = true
    } else if (rules.insertOnly !== true) {
      const next = updatedRow(rules, columns, values, row, types)
      changed ||= next !== values
      values = next
    }
  }
  return { values: values ?? {}, changed, deleted: values === undefined }
}

function insertedRow(
  columns: readonly string[],
  row: Row,
  defaults: ReadonlyMap<string, CellValue>
): Record<string, CellValue> {
  const values: Record<string, CellValue> = {}
  for (const column of columns) {
    const given = row[column]
    values[column] = given === undefined ? (defaults.get(column) ?? null) : given
  }
  return values
}

/** The stored object itself when nothing but audit columns would change. */
function updatedRow(
  rules: MergeRules,
  columns: readonly string[],
  stored: Record<string, CellValue>,
  row: Row,
  types: ColumnTypes
): Record<string, CellValue> {
  const newer = applies(rules.guard, stored, row, types)
  const next = { ...stored }
  let changed = false
  for (const column of columns) {
    const policy = rules.policies.get(column) ?? 'replace'
    const before = stored[column] ?? null
    const given = row[column]
    const after =
      policy === 'min' && given !== undefined
        ? smaller(before, given, types.get(column))
        : resolve(policy, before, given, newer, row, stored)
    next[column] = after
    if (policy !== 'audit' && compareCells(before, after) !== 0) changed = true
  }
  return changed ? next : stored
}

function resolve(
  policy: ColumnPolicy,
  stored: CellValue,
  given: CellValue | undefined,
  newer: boolean,
  row: Row,
  storedRow: Readonly<Record<string, CellValue>>
): CellValue {
  if (policy === 'key' || given === undefined) return stored
  if (policy === 'first') return stored ?? given
  // Like `min` this does not depend on the order of arrival, so the guard has no say.
  if (policy === 'or') return either(stored, given)
  if (policy === 'audit') return given
  // An older value fills a gap: the end is the newest value that is known, in any order of arrival.
  if (policy === 'coalesce') return newer ? (given ?? stored) : (stored ?? given)
  if (policy === 'replace') return newer ? given : stored
  const leader = policy.slice('with:'.length)
  if ((row[leader] ?? null) === null) return stored
  return newer || (storedRow[leader] ?? null) === null ? given : stored
}

function smaller(a: CellValue, b: CellValue, type: DataType | undefined): CellValue {
  if (a === null) return b
  return b !== null && compareCells(b, a, type) < 0 ? b : a
}

function either(a: CellValue, b: CellValue): CellValue {
  if (a === true || b === true) return true
  return a ?? b
}

function applies(
  guard: MergeGuard | undefined,
  stored: Readonly<Record<string, CellValue>>,
  row: Row,
  types: ColumnTypes
): boolean {
  const [first] = guard?.columns ?? []
  if (guard === undefined || first === undefined) return true
  if (row[first] === undefined) return true
  for (const column of guard.columns) {
    const order = compareCells(
      guardValue(guard, row[column] ?? null),
      guardValue(guard, stored[column] ?? null),
      types.get(column)
    )
    if (order !== 0) return order > 0
  }
  return !guard.strict
}

/** Text that is no point in time counts as unknown, hence oldest. */
function guardValue(guard: MergeGuard, value: CellValue): CellValue {
  if (guard.parse !== 'instant' || typeof value !== 'string') return value
  return parseInstant(value) ?? null
}
