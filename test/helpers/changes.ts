/** Replays the change data feed of a table: each version must be the one before with its changes. */
import assert from 'node:assert/strict'
import { type CellValue, stringifyJson } from '../../src/core/index.ts'
import type { DeltaTable } from '../../src/delta/index.ts'

type Cells = Readonly<Record<string, CellValue>>

/** A row as text, with its columns in order; columns of the feed and nulls are left out. */
export function rowText(row: Cells): string {
  const cells = Object.entries(row).filter(
    ([name, value]) => value !== null && !name.startsWith('_c')
  )
  cells.sort(([a], [b]) => (a < b ? -1 : 1))
  return stringifyJson(
    cells.map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value])
  )
}

/** What is wrong with the changes from one version to the next; undefined when they are right. */
export function replayProblem(
  before: readonly Cells[],
  changes: readonly Cells[],
  after: readonly Cells[]
): string | undefined {
  const counts = new Map<string, number>()
  const add = (row: Cells, by: number): void => {
    const text = rowText(row)
    const count = (counts.get(text) ?? 0) + by
    if (count === 0) counts.delete(text)
    else counts.set(text, count)
  }
  for (const row of before) add(row, 1)
  const types = new Map<CellValue, number>()
  // Rows are taken away first: a commit may bring back what it takes.
  for (const row of changes) {
    const type = row['_change_type'] ?? null
    types.set(type, (types.get(type) ?? 0) + 1)
    if (type === 'delete' || type === 'update_preimage') add(row, -1)
    else if (type === 'insert' || type === 'update_postimage') add(row, 1)
    else return `a change of type ${type}`
  }
  for (const row of after) add(row, -1)
  if (types.get('update_preimage') !== types.get('update_postimage')) {
    return `${types.get('update_preimage')} rows before and ${types.get('update_postimage')} after updates`
  }
  const [wrong] = counts
  if (wrong === undefined) return undefined
  return `${wrong[1] > 0 ? 'too many' : 'too few'} of ${wrong[0]} (${wrong[1]})`
}

/** Asserts that the changes since a version tell how the rows came about. */
export async function assertReplays(table: DeltaTable, from = 1): Promise<void> {
  const { version: newest } = await table.snapshot()
  const changes = await table.changes({ fromVersion: from })
  let before = await table.read({ version: from - 1 })
  for (let version = from; version <= newest; version++) {
    const after = await table.read({ version })
    const own = changes.filter(row => row['_commit_version'] === version)
    assert.equal(replayProblem(before, own, after), undefined, `version ${version}`)
    before = after
  }
}
