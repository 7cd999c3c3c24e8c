/** A race of two writers for one table: a rival commits right before our commit is put. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'text', type: 'string', nullable: true }
] as const
export const rules: MergeRules = { keys: ['id'], policies: new Map() }
export const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, text: `${(from + i) * 7919}` }))

export interface Race {
  readonly delta: TestDelta
  readonly ours: DeltaTable
  readonly theirs: DeltaTable
  before(rival: () => Promise<unknown>): void
  ids(where?: string): Promise<number[]>
}

/** 20,000 rows in one file and 10,000 in another. */
export async function race(vectors: boolean, work: (race: Race) => Promise<void>): Promise<void> {
  await using delta = await openTestDelta()
  const { store, before } = withRival(delta.ports.store)
  const properties = { 'delta.enableDeletionVectors': String(vectors) }
  const spec = { columns, properties }
  const theirs = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
  await theirs.append(many(0, 20_000))
  await theirs.append(many(20_000, 10_000))
  const ours = await DeltaTable.open('t', delta.over(store), delta.options)
  const ids = async (where = 'true') =>
    (await theirs.read({ where })).map(row => Number(row['id'])).sort((a, b) => a - b)
  await work({ delta, ours, theirs, before, ids })
  const fresh = await DeltaTable.open('t', delta.ports, delta.options)
  assert.deepEqual((await fresh.verify(['id'])).problems, [])
  const used = new Set([...(await fresh.snapshot()).files.values()].map(add => add.path))
  const there = readdirSync(join(delta.root, 'tables', 't')).filter(n => n.endsWith('.parquet'))
  // What lost attempts wrote is gone; what stays was in the table once.
  const once = new Set(await everAdded(delta, fresh))
  assert.deepEqual(
    there.filter(name => !used.has(name) && !once.has(name)),
    []
  )
}

async function everAdded(delta: TestDelta, table: DeltaTable): Promise<string[]> {
  const { version } = await table.snapshot()
  const paths: string[] = []
  for (let v = 0; v <= version; v++) {
    const path = `t/_delta_log/${String(v).padStart(20, '0')}.json`
    const text = Buffer.from(await delta.ports.store.get(path)).toString()
    for (const line of text.split('\n')) {
      if (line !== '') paths.push(...[JSON.parse(line).add?.path].filter(Boolean))
    }
  }
  return paths
}
