/** Tables that map their columns (PROTOCOL.md "Column Mapping"), written by us. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ColumnSpec, DeltaTable, physicalName } from '../../../src/delta/index.ts'
import { parseStats } from '../../../src/delta/stats.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const MODE = 'delta.columnMapping.mode'
const MAX_ID = 'delta.columnMapping.maxColumnId'
const columns: readonly ColumnSpec[] = [
  { name: 'the id', type: 'long', nullable: false },
  { name: 'place (p)', type: 'string' },
  { name: 'n', type: 'integer', comment: 'a number' }
]
const keyed = { keys: ['the id'] }

async function create(
  delta: TestDelta,
  name: string,
  properties: Readonly<Record<string, string>>,
  partitionBy: readonly string[] = [],
  own = columns
): Promise<DeltaTable> {
  const spec = { columns: own, partitionBy, properties }
  return await DeltaTable.openOrCreate(name, spec, delta.ports, delta.options)
}

async function parquetFields(path: string): Promise<(readonly [string, number | null])[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const query = `SELECT name, field_id FROM parquet_schema('${path}') OFFSET 1`
    const rows = (await connection.runAndReadAll(query)).getRows()
    return rows.map(([name, id]) => [String(name), id === null ? null : Number(id)] as const)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

describe('Column mapping', () => {
  for (const mode of ['name', 'id']) {
    test(`by ${mode} gives columns of a new table ids and physical names, which files, statistics and partitions have`, async () => {
      await using delta = await openTestDelta()
      const table = await create(delta, 't', { [MODE]: mode }, ['place (p)'])
      await table.append([
        { 'the id': 1, 'place (p)': 'a b', n: 5 },
        { 'the id': 2, 'place (p)': null, n: null }
      ])
      const { fields, files, metadata, protocol } = await table.snapshot()
      assert.deepEqual(protocol, { minReaderVersion: 2, minWriterVersion: 5 })
      assert.equal(metadata.configuration[MAX_ID], '3')
      const ids = fields.map(field => field.metadata['delta.columnMapping.id'])
      assert.deepEqual(ids, [1, 2, 3])
      assert.equal(fields[2]?.metadata['comment'], 'a number')
      const [id = '', place = '', n = ''] = fields.map(physicalName)
      for (const name of [id, place, n]) assert.match(name, /^col-[0-9a-f-]{36}$/)
      assert.equal(files.size, 2)
      for (const add of files.values()) {
        const path = join(delta.root, 'tables/t', decodeURIComponent(add.path))
        assert.deepEqual(await parquetFields(path), [
          [id, 1],
          [n, 3]
        ])
        assert.deepEqual(Object.keys(add.partitionValues), [place])
        assert.deepEqual(Object.keys(parseStats(add.stats).nullCount ?? {}), [id, n])
      }
      await table.close()
    })

    test(`by ${mode} holds through merges, copies, vectors, optimize and deletes`, async () => {
      for (const vectors of ['false', 'true']) {
        await using delta = await openTestDelta()
        const properties = { [MODE]: mode, 'delta.enableDeletionVectors': vectors }
        const table = await create(delta, 't', properties, ['place (p)'])
        const row = (id: number, place: string | null, n: number | null) => ({
          'the id': id,
          'place (p)': place,
          n
        })
        await table.append(Array.from({ length: 2000 }, (_, i) => row(i, i % 2 ? 'x' : null, i)))
        await table.merge([row(1, 'x', -1), row(2, 'y', -2), row(5000, 'x', 1)], keyed)
        await table.merge([{ 'the id': 3 }], { ...keyed, deleteWhen: () => true })
        await table.renameColumn('n', 'renamed n')
        await table.merge([{ 'the id': 4, 'renamed n': -4 }], keyed)
        await table.delete({ where: `"renamed n" = 7` })
        assert.equal((await table.findKeys('the id', [2, 3, 5000])).size, 2)
        await table.optimize()
        const rows = await table.read()
        assert.equal(rows.length, 1999)
        const found = await table.read({ where: `"renamed n" < 0` })
        found.sort((a, b) => Number(a['the id']) - Number(b['the id']))
        assert.deepEqual(found, [
          { 'the id': 1, 'place (p)': 'x', 'renamed n': -1 },
          { 'the id': 2, 'place (p)': 'y', 'renamed n': -2 },
          { 'the id': 4, 'place (p)': null, 'renamed n': -4 }
        ])
        assert.deepEqual((await table.verify(['the id'])).problems, [])
        await table.close()
      }
    })
  }

  test('is turned on by name for a table that is there, whose columns keep their names in files', async () => {
    await using delta = await openTestDelta()
    const plain = columns.map((column, at) => ({ ...column, name: ['id', 'place', 'n'][at] ?? '' }))
    const table = await create(delta, 't', {}, ['place'], plain)
    await table.append([{ id: 1, place: 'x', n: 1 }])
    const refused = (changes: Record<string, string | null>): Promise<void> =>
      assert.rejects(table.setProperties(changes), { code: 'DELTA_PROPERTY_INVALID' })
    await refused({ [MODE]: 'id' })
    await table.setProperties({ [MODE]: 'name' })
    const { fields, metadata } = await table.snapshot()
    assert.deepEqual(fields.map(physicalName), ['id', 'place', 'n'])
    assert.equal(metadata.configuration[MAX_ID], '3')
    await refused({ [MODE]: 'none' })
    await refused({ [MODE]: null })
    await refused({ [MODE]: 'id' })
    await refused({ [MAX_ID]: null })
    await table.renameColumn('place', 'the place')
    await table.renameColumn('id', 'ID')
    await table.merge([{ ID: 1, 'the place': 'y', n: 2 }], { keys: ['ID'] })
    assert.deepEqual(await table.read(), [{ ID: 1, 'the place': 'y', n: 2 }])
    const { metadata: after } = await table.snapshot()
    assert.deepEqual(after.partitionColumns, ['the place'])
    const before = await table.read({ version: 1 })
    assert.deepEqual(before, [{ id: 1, place: 'x', n: 1 }])
    await table.close()
  })

  test('makes a column that is dropped and added again another one', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, 't', { [MODE]: 'name' })
    await table.append([{ 'the id': 1, n: 1 }])
    await table.dropColumn('n')
    assert.deepEqual(await table.read(), [{ 'the id': 1, 'place (p)': null }])
    await table.addColumns([{ name: 'n', type: 'string', comment: 'again' }])
    await table.append([{ 'the id': 2, n: 'two' }])
    const rows = await table.read()
    rows.sort((a, b) => Number(a['the id']) - Number(b['the id']))
    assert.deepEqual(rows, [
      { 'the id': 1, 'place (p)': null, n: null },
      { 'the id': 2, 'place (p)': null, n: 'two' }
    ])
    const { fields, metadata } = await table.snapshot()
    assert.equal(fields[2]?.metadata['delta.columnMapping.id'], 4)
    assert.equal(fields[2]?.metadata['comment'], 'again')
    assert.equal(metadata.configuration[MAX_ID], '4')
    await table.close()
  })

  test('reaches fields of structs, in arrays and maps too', async () => {
    await using delta = await openTestDelta()
    const inner = {
      type: 'struct',
      fields: [
        { name: 'a', type: 'long' },
        { name: 'b', type: 'string' }
      ]
    } as const
    const own: readonly ColumnSpec[] = [
      { name: 'id', type: 'long' },
      { name: 's', type: inner },
      { name: 'list', type: { type: 'array', elementType: inner } },
      { name: 'map', type: { type: 'map', keyType: 'string', valueType: inner } }
    ]
    const properties = { [MODE]: 'name', 'delta.dataSkippingStatsColumns': 's.a,s.b,id' }
    const table = await create(delta, 't', properties, [], own)
    assert.equal((await table.snapshot()).metadata.configuration[MAX_ID], '10')
    await table.renameColumn(['s', 'a'], 'first.one')
    await table.renameColumn(['list', 'element', 'a'], 'x')
    await table.dropColumn(['map', 'value', 'b'])
    const { fields, metadata } = await table.snapshot()
    const names = (at: number): unknown => JSON.stringify(fields[at]?.type).match(/"name":"[^"]*"/g)
    assert.deepEqual(names(1), ['"name":"first.one"', '"name":"b"'])
    assert.deepEqual(names(2), ['"name":"x"', '"name":"b"'])
    assert.deepEqual(names(3), ['"name":"a"'])
    const property = 'delta.dataSkippingStatsColumns'
    assert.equal(metadata.configuration[property], 's.`first.one`,s.b,id')
    await table.dropColumn('s')
    assert.equal((await table.snapshot()).metadata.configuration[property], 'id')
    await table.close()
  })

  test('refuses what cannot be renamed or dropped', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, 't', { [MODE]: 'name' }, ['place (p)'])
    const invalid = (work: Promise<void>, message: RegExp): Promise<void> =>
      assert.rejects(work, { code: 'DELTA_SCHEMA_INVALID', message })
    await invalid(table.dropColumn('place (p)'), /partitioned by the column place/)
    await invalid(table.renameColumn('n', 'THE ID'), /THE ID occurs twice/)
    await invalid(table.renameColumn('n', ''), /no name/)
    const missing = { code: 'DELTA_SCHEMA_MISMATCH', message: /no column x.y/ }
    await assert.rejects(table.dropColumn(['x', 'y']), missing)
    assert.equal((await table.snapshot()).version, 0)
    const one = await create(delta, 'one', { [MODE]: 'name' }, [], columns.slice(0, 1))
    await invalid(one.dropColumn('the id'), /the only column/)
    const plain = await create(delta, 'plain', {}, [], [{ name: 'a', type: 'long' }])
    const unmapped = { code: 'DELTA_UNSUPPORTED', message: /columnMapping.mode to name/ }
    await assert.rejects(plain.renameColumn('a', 'b'), unmapped)
    await assert.rejects(plain.dropColumn('a'), unmapped)
  })

  test('is needed for names with blanks and some other characters', async () => {
    await using delta = await openTestDelta('memory')
    for (const name of ['a b', 'a,b', 'a;b', 'a{', 'a}', 'a(', 'a)', 'a\nb', 'a\tb', 'a=b']) {
      const own = [{ name, type: 'long' }] as const
      const refused = { code: 'DELTA_SCHEMA_INVALID', message: /need delta.columnMapping.mode/ }
      await assert.rejects(create(delta, 't', {}, [], own), refused, name)
      const inner = [{ name: 's', type: { type: 'struct', fields: own } }] as const
      await assert.rejects(create(delta, 't', {}, [], inner), refused, name)
    }
    const own = [{ name: 'a.b-ü"`', type: 'long' }] as const
    const table = await create(delta, 't', {}, [], own)
    const added = table.addColumns([{ name: 'x y', type: 'long' }])
    await assert.rejects(added, { code: 'DELTA_SCHEMA_INVALID' })
    await table.append([{ 'a.b-ü"`': 1 }])
    assert.deepEqual(await table.read(), [{ 'a.b-ü"`': 1 }])
  })
})
