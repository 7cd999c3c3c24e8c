/** Steps that change where rows lie, and nothing of what the table holds. */
import type { Column, GeneratedTable } from './table.ts'

/** Columns of which bounds are kept. */
export function boundedColumns(columns: readonly Column[]): Column[] {
  return columns.filter(
    ({ kind: { type }, partition }) =>
      !partition && typeof type === 'string' && type !== 'boolean' && type !== 'binary'
  )
}

export async function zOrder(at: GeneratedTable): Promise<void> {
  const names = at.random.some(boundedColumns(at.columns), 2).map(({ name }) => name)
  if (names.length === 0 || at.clusterBy.length > 0) return
  await at.table.optimize({ zOrderBy: names })
}

export async function optimize(at: GeneratedTable): Promise<void> {
  const full = at.clusterBy.length > 0 && at.random.chance(0.5)
  await at.table.optimize(full ? { full } : {})
}

export async function maintain(at: GeneratedTable): Promise<void> {
  await at.table.maintain()
}
