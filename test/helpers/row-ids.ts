/** Row ids of a table from one version to the next. */
import assert from 'node:assert/strict'
import type { CellValue } from '../../src/core/index.ts'
import type { DeltaTable } from '../../src/delta/index.ts'
import { rowText } from './changes.ts'

type Cells = Readonly<Record<string, CellValue>>

interface Tracked {
  readonly id: bigint
  readonly version: number
  readonly text: string
}

/** The ids of a version by key. Rejects ids that are missing or occur twice. */
export function trackedRows(rows: readonly Cells[], key: string): Map<CellValue, Tracked> {
  const tracked = new Map<CellValue, Tracked>()
  const ids = new Set<string>()
  for (const row of rows) {
    const { _row_id: id, _row_commit_version: version, ...cells } = row
    assert.ok(id != null && version != null, `${row[key]} has no id or version`)
    assert.ok(!ids.has(String(id)), `the id ${id} occurs twice`)
    ids.add(String(id))
    tracked.set(row[key] ?? null, {
      id: BigInt(id),
      version: Number(version),
      text: rowText(cells)
    })
  }
  return tracked
}

/**
 * What is wrong with the ids of a version, after the one before: rows keep their ids, new rows have ids that
 * no row ever had, rows that changed are of this version and the others are not younger than they were.
 */
export function trackingProblem(
  before: ReadonlyMap<CellValue, Tracked>,
  after: ReadonlyMap<CellValue, Tracked>,
  version: number,
  used: Set<bigint>
): string | undefined {
  for (const [key, row] of after) {
    const old = before.get(key)
    if (old === undefined) {
      if (used.has(row.id)) return `the new row ${key} has the id ${row.id} of another one`
      if (row.version !== version) return `the new row ${key} is of version ${row.version}`
    } else {
      if (old.id !== row.id) return `the id of ${key} was ${old.id} and is ${row.id}`
      const rewritten = row.version === version
      if (!rewritten && (row.version !== old.version || row.text !== old.text)) {
        return `the row ${key} was of version ${old.version} and is of ${row.version}`
      }
    }
  }
  for (const row of after.values()) used.add(row.id)
  return undefined
}

/** Asserts it of every version from one on that tracks rows. */
export async function assertTracked(table: DeltaTable, key: string, from: number): Promise<void> {
  const { version: newest } = await table.snapshot()
  const used = new Set<bigint>()
  let before: Map<CellValue, Tracked> | undefined
  for (let version = from; version <= newest; version++) {
    const after = trackedRows(await table.read({ version, rowIds: true }), key)
    if (before === undefined) for (const row of after.values()) used.add(row.id)
    else
      assert.equal(trackingProblem(before, after, version, used), undefined, `version ${version}`)
    before = after
  }
}
