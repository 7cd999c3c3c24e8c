import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AddAction } from '../../../../src/delta/actions.ts'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { readCommitIfThere } from '../../../../src/delta/log-reader.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'x', type: 'long', nullable: true },
  { name: 'y', type: 'string', nullable: true },
  { name: 'place', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const hash = (value: number): number => (value * 2_654_435_761) % 4_294_967_291
const rowOf = (id: number) => ({
  id,
  x: id % 50 === 0 ? null : hash(id) % 100_000,
  y: `k${String(hash(id + 7) % 100_000).padStart(6, '0')}`,
  place: `p${id % 2}`
})
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => rowOf(from + i))

async function create(
  delta: TestDelta,
  partitionBy: readonly string[] = [],
  more: Record<string, string> = {},
  ports = delta.ports
): Promise<DeltaTable> {
  const properties = { 'delta.enableDeletionVectors': 'true', ...more }
  return await DeltaTable.openOrCreate(
    't',
    { columns, partitionBy, properties },
    ports,
    delta.options
  )
}

const boundsOf = (add: AddAction, column: string): [string, string] => {
  const { minValues, maxValues } = JSON.parse(add.stats ?? '{}')
  return [String(minValues[column]), String(maxValues[column])]
}
const byId = (list: readonly Record<string, unknown>[]) =>
  [...list].sort((a, b) => Number(a['id']) - Number(b['id']))

describe('Z-order', () => {
  test('brings rows near each other in several columns into the same files', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    for (let i = 0; i < 4; i++) await table.append(rows(i * 20_000, 20_000))
    await table.merge([{ id: 5, y: 'changed' }], rules)
    const before = byId(await table.read())
    const bytes = [...(await table.snapshot()).files.values()].reduce(
      (sum, add) => sum + add.size,
      0
    )
    const result = await table.optimize({ zOrderBy: ['x', 'y'], targetFileBytes: bytes / 16 })
    assert.equal(result.lost, 0)
    const files = [...(await table.snapshot()).files.values()]
    assert.ok(files.length >= 9, `${files.length} files`)
    assert.equal(result.filesAdded, files.length)
    assert.deepEqual(byId(await table.read()), before)
    assert.deepEqual((await table.verify(['id'])).problems, [])

    // A box of a tenth of both ranges lies in few files.
    const inside = files.filter(add => {
      const [low, high] = boundsOf(add, 'x')
      const [first, last] = boundsOf(add, 'y')
      return (
        Number(low) <= 30_000 && Number(high) >= 20_000 && first <= 'k060000' && last >= 'k050000'
      )
    })
    assert.ok(inside.length <= files.length / 2, `${inside.length} of ${files.length}`)

    const commit = (await readCommitIfThere(delta.ports, 't', result.version)) ?? []
    assert.equal(commit[0]?.commitInfo?.operationParameters?.['zOrderBy'], '["x","y"]')
    assert.ok(commit.every(({ add, remove }) => (add ?? remove)?.dataChange !== true))
    await table.close()
  })

  test('sorts by one column, and leaves alone what is sorted and unchanged', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    for (let i = 0; i < 4; i++) await table.append(rows(i * 5000, 5000))
    const bytes = [...(await table.snapshot()).files.values()].reduce(
      (sum, add) => sum + add.size,
      0
    )
    const options = { zOrderBy: ['y'], targetFileBytes: bytes / 4 }
    const { version } = await table.optimize(options)
    const files = [...(await table.snapshot()).files.values()].sort((a, b) =>
      boundsOf(a, 'y')[0] < boundsOf(b, 'y')[0] ? -1 : 1
    )
    for (const [index, add] of files.entries()) {
      const next = files[index + 1]
      if (next !== undefined) assert.ok(boundsOf(add, 'y')[1] <= boundsOf(next, 'y')[0])
    }
    assert.equal((await table.optimize(options)).version, version)
    const fresh = await DeltaTable.open('t', delta.ports, delta.options)
    await fresh.checkpoint()
    assert.equal((await fresh.optimize(options)).version, version)
    assert.equal((await fresh.optimize({ ...options, zOrderBy: ['x'] })).version, version + 1)
    await fresh.append(rows(90_000, 10))
    assert.equal((await fresh.optimize({ ...options, zOrderBy: ['x'] })).version, version + 3)
    for (const one of [table, fresh]) await one.close()
  })

  test('takes only the partitions that are asked for, and names what is no partition column', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, ['place'])
    for (let i = 0; i < 3; i++) await table.append(rows(i * 1000, 1000))
    const where = "place = 'p1' OR place IS NULL"
    const result = await table.optimize({ zOrderBy: ['x'], where })
    assert.deepEqual([result.filesAdded, result.filesRemoved], [1, 3])
    const { files } = await table.snapshot()
    assert.equal([...files.values()].filter(add => add.partitionValues['place'] === 'p0').length, 3)
    assert.equal((await table.optimize({ where: "place > 'p0'" })).filesRemoved, 0)
    assert.equal((await table.optimize({ where: "place < 'p1'" })).filesRemoved, 3)
    const message = /partition columns of .* only \(place\), not x/
    await assert.rejects(table.optimize({ where: "place = 'p1' AND x = 1" }), {
      code: 'DELTA_QUERY_INVALID',
      message
    })
    assert.equal(await table.countRows(), 3000)
    await table.close()
  })

  test('refuses columns of which nothing would come', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, ['place'])
    await table.append(rows(0, 10))
    for (const [zOrderBy, message] of [
      [['z'], /there is no column z/],
      [['place'], /place is a partition column/],
      [['x', 'x'], /given twice/],
      [
        columns
          .concat(columns)
          .map((_, i) => `c${i}`)
          .concat('d'),
        /at most 8/
      ]
    ] as const) {
      await assert.rejects(table.optimize({ zOrderBy }), {
        code: 'DELTA_CLUSTERING_INVALID',
        message
      })
    }
    await table.close()
  })

  test('writes bounds of the columns even where the table keeps none', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, [], { 'delta.dataSkippingNumIndexedCols': '1' })
    await table.append(rows(0, 100))
    await table.optimize({ zOrderBy: ['y'] })
    const [add] = (await table.snapshot()).files.values()
    const { minValues, nullCount } = JSON.parse(add?.stats ?? '{}')
    assert.deepEqual(Object.keys(minValues), ['id', 'y'])
    assert.deepEqual(Object.keys(nullCount), ['id', 'y'])
    await table.close()
  })

  test('keeps the ids of rows', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, [], { 'delta.enableRowTracking': 'true' })
    for (let i = 0; i < 3; i++) await table.append(rows(i * 1000, 1000))
    await table.merge([{ id: 5, y: 'changed' }], rules)
    const before = byId(await table.read({ rowIds: true }))
    await table.optimize()
    await table.optimize({ zOrderBy: ['x', 'y'], targetFileBytes: 20_000 })
    assert.ok((await table.snapshot()).files.size > 1)
    assert.deepEqual(byId(await table.read({ rowIds: true })), before)
    await table.close()
  })

  for (const zOrderBy of [['x'], ['x', 'y']]) {
    test(`carries over what a merge deletes meanwhile, by ${zOrderBy.join(' and ')}`, async () => {
      await using delta = await openTestDelta()
      const { store, before } = withRival(delta.ports.store)
      const theirs = await create(delta)
      for (let i = 0; i < 3; i++) await theirs.append(rows(i * 10_000, 10_000))
      const ours = await DeltaTable.open('t', delta.over(store), delta.options)
      const bytes = [...(await ours.snapshot()).files.values()].reduce(
        (sum, add) => sum + add.size,
        0
      )
      const changed = Array.from({ length: 500 }, (_, i) => ({ id: i * 60, y: 'changed' }))
      before(() => theirs.merge(changed, rules))
      const result = await ours.optimize({ zOrderBy, targetFileBytes: bytes / 5 })
      assert.deepEqual([result.lost, result.rowsCarried], [0, 500])
      assert.equal((await ours.read({ where: "y = 'changed'" })).length, 500)
      assert.equal(await ours.countRows(), 30_000)
      assert.deepEqual((await ours.verify(['id'])).problems, [])
      const stayed = await theirs.read({ where: "y <> 'changed'", columns: ['id', 'x'] })
      assert.deepEqual(
        byId(stayed),
        rows(0, 30_000).flatMap(({ id, x }) => (id % 60 === 0 ? [] : [{ id, x }]))
      )
      for (const table of [ours, theirs]) await table.close()
    })
  }
})
