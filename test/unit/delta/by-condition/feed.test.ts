/** What the change data feed tells of deletes and updates by condition. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { assertReplays } from '../../../helpers/changes.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true }
] as const
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, place: `p${(from + i) % 2}`, n: i }))

async function create(delta: TestDelta, vectors: boolean): Promise<DeltaTable> {
  const properties = {
    'delta.enableDeletionVectors': String(vectors),
    'delta.enableChangeDataFeed': 'true'
  }
  const spec = { columns, partitionBy: ['place'], properties }
  return await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
}

const changeFiles = (delta: TestDelta): string[] =>
  readdirSync(join(delta.root, 'tables', 't'), { recursive: true })
    .map(String)
    .filter(name => /^_change_data\/.*parquet$/.test(name))

async function typesOf(table: DeltaTable): Promise<Record<string, number>> {
  const { version } = await table.snapshot()
  const counts: Record<string, number> = {}
  for (const row of await table.changes({ fromVersion: version })) {
    const type = String((row as Record<string, unknown>)['_change_type'])
    counts[type] = (counts[type] ?? 0) + 1
  }
  return counts
}

for (const vectors of [true, false]) {
  const how = vectors ? 'with vectors' : 'by copying'
  test(`the feed tells what deletes and updates did, ${how}`, async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, vectors)
    await table.append(many(0, 20_000))
    await table.append(many(20_000, 20))
    await table.delete({ where: 'id < 20000 AND id % 100 = 7' })
    assert.deepEqual(await typesOf(table), { delete: 200 })
    // A reader tells by the vectors.
    if (vectors) assert.deepEqual(changeFiles(delta), [])
    await table.delete({ where: 'id % 100 = 9' })
    assert.deepEqual(await typesOf(table), { delete: 201 })
    await table.update({ where: 'id % 1000 = 1', set: { n: { sql: 'n + 1' } } })
    assert.deepEqual(await typesOf(table), { update_preimage: 21, update_postimage: 21 })
    await table.update({
      where: 'id < 10',
      set: { place: { sql: "CASE WHEN id < 5 THEN 'new' ELSE place END" }, n: null }
    })
    await table.update({ where: "place = 'p1'", set: { place: 'p0' } })
    await table.delete({ where: "place = 'new'" })
    await table.update({ set: { n: 1 } })
    const before = changeFiles(delta).length
    await table.delete()
    assert.equal(changeFiles(delta).length, before)
    await assertReplays(table)
  })

  test(`what a lost attempt told is told once, and rightly, ${how}`, async () => {
    await using delta = await openTestDelta()
    const theirs = await create(delta, vectors)
    await theirs.append(many(0, 20_000))
    const { store, before } = withRival(delta.ports.store)
    const ours = await DeltaTable.open('t', delta.over(store), delta.options)
    before(() => theirs.update({ where: 'id = 3', set: { n: -3 } }))
    const updated = await ours.update({ where: 'id < 10', set: { n: { sql: 'n * 10' } } })
    assert.deepEqual([updated.conflicts, updated.updated], [1, 10])
    before(() => theirs.delete({ where: 'id IN (4, 5)' }))
    const again = await DeltaTable.open('t', delta.over(store), delta.options)
    const deleted = await again.delete({ where: 'id < 10' })
    assert.deepEqual([deleted.conflicts, deleted.deleted], [1, 8])
    await assertReplays(theirs)
    const { version } = await theirs.snapshot()
    const told = new Set<string>()
    for (let v = 0; v <= version; v++) {
      const path = `t/_delta_log/${String(v).padStart(20, '0')}.json`
      const text = Buffer.from(await delta.ports.store.get(path)).toString()
      for (const line of text.split('\n')) {
        const cdc = line === '' ? undefined : JSON.parse(line).cdc
        if (cdc !== undefined) told.add(decodeURIComponent(cdc.path))
      }
    }
    assert.deepEqual(
      changeFiles(delta).filter(name => !told.has(name)),
      []
    )
  })
}
