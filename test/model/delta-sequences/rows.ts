/** What a table must hold: rows in a map, and what each operation makes of them, in plain words. */
import type { CellValue, Row } from '../../../src/core/index.ts'
import { evaluated, holds, parseSql } from '../../helpers/memory-sql.ts'
import { COLUMNS, POLICIES, type Setting } from './program.ts'

export type Stored = Readonly<Record<string, CellValue>>
export type Rows = ReadonlyMap<string, Stored>

export interface Merge {
  readonly rows: readonly Row[]
  readonly deletes: readonly number[]
  readonly insertOnly: boolean
  readonly overwrite: boolean
}

export function merged(before: Rows, merge: Merge): Rows {
  const after = new Map(before)
  merge.rows.forEach((row, index) => {
    const id = row['id']
    if (typeof id !== 'string') return
    const old = after.get(id)
    const deletes = merge.deletes.includes(index)
    if (merge.insertOnly) {
      if (old === undefined && !deletes) after.set(id, changed(undefined, row))
    } else if (deletes) after.delete(id)
    else after.set(id, changed(merge.overwrite ? undefined : old, row))
  })
  return after
}

export function appended(before: Rows, rows: readonly Row[]): Rows {
  const after = new Map(before)
  for (const row of rows) after.set(String(row['id']), changed(undefined, row))
  return after
}

/** Keys of the rows that a condition is true of; absent columns are null. */
export function meant(rows: Rows, where: string | undefined): string[] {
  const condition = parseSql(where ?? 'true')
  return [...rows].flatMap(([id, row]) => (holds(condition, complete(row)) ? [id] : []))
}

export function deleted(before: Rows, where: string | undefined): Rows {
  const after = new Map(before)
  for (const id of meant(before, where)) after.delete(id)
  return after
}

export function updated(
  before: Rows,
  where: string | undefined,
  set: Readonly<Record<string, Setting>>
): Rows {
  const after = new Map(before)
  for (const id of meant(before, where)) {
    const row = complete(before.get(id) ?? {})
    const values = Object.entries(set).map(([name, to]) => {
      const value = typeof to === 'object' && to !== null ? evaluated(parseSql(to.sql), row) : to
      return [name, value] as const
    })
    after.set(id, { ...before.get(id), ...Object.fromEntries(values) })
  }
  return after
}

function complete(row: Stored): Stored {
  return { ...Object.fromEntries(COLUMNS.map(column => [column.name, null])), ...row }
}

/** One row of a batch over the stored one. */
function changed(before: Stored | undefined, row: Row): Stored {
  const after: Record<string, CellValue> = { ...before }
  for (const [name, given] of Object.entries(row)) {
    const old = before?.[name] ?? null
    const policy = before === undefined ? 'replace' : (POLICIES[name] ?? 'replace')
    if (given === undefined || policy === 'key') continue
    if (policy === 'replace') after[name] = given
    else if (policy === 'coalesce') after[name] = given === null ? old : given
    else if (policy === 'min') after[name] = smaller(old, given)
    else after[name] = old === null ? given : old
  }
  return { ...after, id: row['id'] ?? null }
}

function smaller(a: CellValue, b: CellValue): CellValue {
  if (a === null) return b
  if (b === null) return a
  return BigInt(a) < BigInt(b) ? a : b
}

/** One text for equal contents: rows by key, absent columns as null, nulls of added ones left out. */
export function textOf(rows: Iterable<Stored>): string {
  const base = COLUMNS.map(column => column.name)
  return [...rows]
    .map(row => {
      const extra = Object.keys(row).filter(name => !base.includes(name) && row[name] !== null)
      return [...base, ...extra.sort()]
        .map(name => `${name}=${cellText(row[name] ?? null)}`)
        .join(' ')
    })
    .sort()
    .join('\n')
}

function cellText(cell: CellValue): string {
  return cell === null ? 'null' : typeof cell === 'string' ? JSON.stringify(cell) : String(cell)
}
