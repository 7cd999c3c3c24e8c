/** What a table must hold: rows in a map, and what each operation makes of them, in plain words. */
import type { CellValue, Row } from '../../../src/core/index.ts'
import { COLUMNS, POLICIES } from './program.ts'

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
