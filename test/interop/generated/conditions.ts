/** Steps that change rows by a condition, take the table back, or set what it does from now on. */
import type { CellValue } from '../../../src/core/index.ts'
import type { GeneratedTable, ModelRow } from './table.ts'

export interface Condition {
  readonly sql: string
  holds(row: ModelRow): boolean
}

/** Rows of some keys, or those that lack a value, or have one. */
export function someCondition(at: GeneratedTable): Condition {
  const others = at.columns.filter(({ name, nullable }) => nullable && !at.keys.includes(name))
  if (others.length > 0 && at.random.chance(0.4)) {
    const { name } = at.random.pick(others)
    const there = at.random.chance(0.5)
    return {
      sql: `${quoted(name)} IS ${there ? 'NOT ' : ''}NULL`,
      holds: row => ((row[name] ?? null) !== null) === there
    }
  }
  const stored = [...at.rows.values()].map(row => row['id'] ?? null)
  const chosen = new Set(at.random.some(stored, 10).map(String))
  const literals = [...chosen].map(id =>
    at.columns.some(({ name, kind }) => name === 'id' && kind.type === 'string')
      ? `'${id.replaceAll("'", "''")}'`
      : id
  )
  if (literals.length === 0) return { sql: '1 = 0', holds: () => false }
  return {
    sql: `${quoted('id')} IN (${literals.join(', ')})`,
    holds: row => chosen.has(String(row['id']))
  }
}

export async function deleteWhere(at: GeneratedTable): Promise<void> {
  const { sql, holds } = someCondition(at)
  await at.table.delete({ where: sql })
  for (const [key, row] of at.rows) if (holds(row)) at.rows.delete(key)
}

export async function updateWhere(at: GeneratedTable): Promise<void> {
  const { sql, holds } = someCondition(at)
  const possible = at.columns.filter(
    ({ name, rule }) => !at.keys.includes(name) && rule === undefined
  )
  const chosen = at.random.some(possible, 2)
  if (chosen.length === 0) return
  const values = chosen.map(column => [column.name, at.value(column) as CellValue])
  const set: Record<string, CellValue> = Object.fromEntries(values)
  await at.table.update({ set, where: sql })
  for (const [key, row] of at.rows) if (holds(row)) at.rows.set(key, { ...row, ...set })
}

/** An older version that is still there, with its columns. */
export async function restore(at: GeneratedTable): Promise<void> {
  const { version: newest } = await at.table.snapshot()
  const older = [...at.versions].filter(([version]) => version < newest)
  if (older.length === 0) return
  const [version, { columns, rows }] = at.random.pick(older)
  await at.table.restore({ version })
  at.columns.splice(0, at.columns.length, ...columns)
  at.rows = new Map(rows.map(row => [at.keyOf(row), row]))
}

export async function switchVectors(at: GeneratedTable): Promise<void> {
  const value = at.random.pick(['true', 'false'])
  await at.table.setProperties({ 'delta.enableDeletionVectors': value })
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
