import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AddAction } from '../../../../src/delta/actions.ts'
import { DeltaTable, type MergeRules, type TableSpec } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'x', type: 'long', nullable: true },
  { name: 'y', type: 'string', nullable: true },
  { name: 'b', type: 'boolean', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const id = from + i
    return { id, x: (id * 7919) % 10_007, y: `k${(id * 31) % 1009}` }
  })

const create = (delta: TestDelta, spec: Partial<TableSpec> = {}) =>
  DeltaTable.openOrCreate('t', { columns, ...spec }, delta.ports, delta.options)
const filesOf = async (table: DeltaTable): Promise<AddAction[]> => [
  ...(await table.snapshot()).files.values()
]
const columnsOf = async (table: DeltaTable): Promise<unknown> =>
  JSON.parse((await table.snapshot()).domains.get('delta.clustering')?.configuration ?? 'null')

describe('Clustered tables', () => {
  test('are created with their columns, and clustered by optimize, once', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { clusterBy: ['x'] })
    const { protocol } = await table.snapshot()
    assert.equal(protocol.minWriterVersion, 7)
    for (const name of ['clustering', 'domainMetadata']) {
      assert.ok(protocol.writerFeatures?.includes(name), name)
    }
    assert.deepEqual(await columnsOf(table), { clusteringColumns: [['x']] })
    for (let i = 0; i < 3; i++) await table.append(rows(i * 1000, 1000))
    assert.ok((await filesOf(table)).every(add => add.clusteringProvider === undefined))
    const result = await table.optimize()
    assert.deepEqual([result.filesAdded, result.filesRemoved], [1, 3])
    const [add] = await filesOf(table)
    assert.equal(add?.clusteringProvider, 'liquid')
    assert.deepEqual(JSON.parse(add?.tags?.['ZCUBE_ZORDER_BY'] ?? ''), ['x'])
    const stored = (await table.read()).map(row => Number(row['x']))
    assert.deepEqual(
      stored,
      stored.toSorted((a, b) => a - b)
    )
    assert.equal((await table.optimize()).version, result.version)
    const { domains } = await (await create(delta)).snapshot()
    assert.ok(domains.has('delta.clustering'))
    await table.close()
  })

  test('cluster what is new, with what was clustered only when that is not much more', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { clusterBy: ['x', 'y'] })
    await table.append(rows(0, 20_000))
    await table.optimize()
    const [large] = await filesOf(table)
    await table.append(rows(20_000, 1000))
    await table.append(rows(21_000, 1000))
    const first = await table.optimize()
    assert.deepEqual([first.filesAdded, first.filesRemoved], [1, 2])
    assert.ok((await filesOf(table)).includes(large ?? assert.fail()))
    await table.append(rows(22_000, 15_000))
    const second = await table.optimize()
    assert.deepEqual([second.filesAdded, second.filesRemoved], [1, 3])
    assert.ok((await filesOf(table)).every(add => add.clusteringProvider === 'liquid'))
    assert.equal(await table.countRows(), 37_000)
    await table.close()
  })

  test('take merges, of which the copies are clustered again', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, {
      clusterBy: ['x'],
      properties: { 'delta.enableDeletionVectors': 'true' }
    })
    await table.append(rows(0, 20_000))
    await table.optimize()
    const merged = await table.merge(
      rows(19_000, 3000).map(row => ({ ...row, y: 'new' })),
      rules
    )
    assert.deepEqual([merged.updated, merged.inserted], [1000, 2000])
    assert.equal((await filesOf(table)).filter(add => add.clusteringProvider == null).length, 1)
    await table.optimize()
    assert.ok((await filesOf(table)).every(add => add.clusteringProvider === 'liquid'))
    assert.equal((await table.read({ where: "y = 'new'" })).length, 3000)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
  })

  test('change their columns; old files stay until all is clustered anew', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 1000))
    await table.setClustering(['x'])
    await table.optimize()
    await table.setClustering(['y', 'x'])
    assert.deepEqual(await columnsOf(table), { clusteringColumns: [['y'], ['x']] })
    await table.append(rows(1000, 1000))
    const some = await table.optimize()
    assert.deepEqual([some.filesAdded, some.filesRemoved], [1, 1])
    const all = await table.optimize({ full: true })
    assert.deepEqual([all.filesAdded, all.filesRemoved], [1, 2])
    assert.equal((await table.optimize({ full: true })).version, all.version)
    await table.setClustering(null)
    assert.deepEqual(await columnsOf(table), { clusteringColumns: [] })
    await table.append(rows(2000, 1000))
    assert.equal((await table.optimize()).filesRemoved, 2)
    assert.equal((await filesOf(table))[0]?.clusteringProvider, undefined)
    await table.restore({ version: all.version })
    assert.deepEqual(await columnsOf(table), { clusteringColumns: [['y'], ['x']] })
    await table.close()
  })

  test('always keep bounds of their columns', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, {
      clusterBy: ['y'],
      properties: { 'delta.dataSkippingNumIndexedCols': '0' }
    })
    await table.append(rows(0, 10))
    await table.merge(rows(5, 10), rules)
    for (const add of await filesOf(table)) {
      assert.deepEqual(Object.keys(JSON.parse(add.stats ?? '').minValues), ['y'])
    }
    await assert.rejects(table.setClustering(['x']), {
      code: 'DELTA_CLUSTERING_INVALID',
      message: /files have no bounds of it/
    })
    await table.close()
  })

  test('know their columns by what the files call them', async () => {
    await using delta = await openTestDelta()
    const properties = { 'delta.columnMapping.mode': 'name' }
    const table = await create(delta, { clusterBy: ['x', 'y'], properties })
    await table.append(rows(0, 1000))
    await table.append(rows(1000, 1000))
    const { clusteringColumns } = (await columnsOf(table)) as { clusteringColumns: string[][] }
    assert.ok(clusteringColumns.every(([name]) => /^col-/.test(name ?? '')))
    assert.equal((await table.optimize()).filesRemoved, 2)
    const values = (await table.read()).map(row => Number(row['x']))
    assert.deepEqual(
      values.toSorted((a, b) => a - b),
      rows(0, 2000)
        .map(row => row.x)
        .toSorted((a, b) => a - b)
    )
    await assert.rejects(table.dropColumn('x'), { message: /clustering/ })
    await table.setClustering(['y'])
    await table.dropColumn('x')
    await table.close()
  })

  test('are refused with partitions, without bounds, and for Z-order', async () => {
    await using delta = await openTestDelta()
    const code = 'DELTA_CLUSTERING_INVALID'
    const partitioned = { clusterBy: ['x'], partitionBy: ['y'] }
    await assert.rejects(create(delta, partitioned), { code, message: /partitioned by y/ })
    await assert.rejects(create(delta, { clusterBy: ['b'] }), { code, message: /no bounds/ })
    const five = { clusterBy: ['a', 'b', 'c', 'd', 'e'] }
    await assert.rejects(create(delta, five), { code, message: /at most 4/ })
    const table = await create(delta, { clusterBy: ['x'] })
    await table.append(rows(0, 10))
    await assert.rejects(table.optimize({ zOrderBy: ['y'] }), { code, message: /clustered by x/ })
    await table.close()
  })
})
