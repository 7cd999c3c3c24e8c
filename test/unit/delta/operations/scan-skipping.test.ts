/** What a filter on a clustered column does not need is not read: it may be damaged. */
import assert from 'node:assert/strict'
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'text', type: 'string', nullable: true }
] as const
const noise = (id: number): string => `${(id * 2_654_435_761) % 4_294_967_291} ${id * 7919}`
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, text: noise(from + i) }))

const create = (delta: TestDelta) =>
  DeltaTable.openOrCreate(
    't',
    { columns, clusterBy: ['id'], properties: { 'delta.enableDeletionVectors': 'true' } },
    delta.ports,
    delta.options
  )

function damage(delta: TestDelta, path: string, from: number, to: number): void {
  const file = openSync(join(delta.root, 'tables', 't', path), 'r+')
  writeSync(file, Buffer.alloc(to - from, 0xff), 0, to - from, from)
  closeSync(file)
}

test('files that cannot hold what is asked for are not opened', async () => {
  await using delta = await openTestDelta()
  const table = await create(delta)
  for (const from of [20_000, 0, 10_000]) await table.append(rows(from, 10_000))
  await table.optimize({ targetFileBytes: 50_000 })
  const files = [...(await table.snapshot()).files.values()]
  assert.ok(files.length > 4)
  for (const add of files) {
    const { minValues, maxValues } = JSON.parse(add.stats ?? '')
    if (minValues.id > 15_000 || maxValues.id < 15_000) damage(delta, add.path, 0, add.size)
  }
  assert.deepEqual(await table.read({ where: 'id = 15000' }), rows(15_000, 1))
  await assert.rejects(table.read())
  await table.close()
})

for (const marked of [false, true]) {
  const with_ = marked ? ', also of a file with deleted rows' : ''
  test(`row groups that cannot hold what is asked for are not read${with_}`, async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    for (const from of [200_000, 0, 100_000]) await table.append(rows(from, 100_000))
    await table.optimize()
    if (marked) {
      const policies = new Map()
      await table.merge(rows(299_000, 10), { keys: ['id'], policies, deleteWhen: () => true })
    }
    const large = [...(await table.snapshot()).files.values()].find(add => add.size > 1_000_000)
    const path = large?.path ?? assert.fail()
    assert.equal(large?.deletionVector != null, marked)
    // The first row group, but for the magic number of the file.
    damage(delta, path, 4, Math.floor(statSync(join(delta.root, 'tables', 't', path)).size / 4))
    assert.deepEqual(await table.read({ where: 'id BETWEEN 299009 AND 299011' }), [
      ...(marked ? [] : rows(299_009, 1)),
      ...rows(299_010, 2)
    ])
    await assert.rejects(table.read({ where: 'id < 10' }))
    await table.close()
  })
}
