import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseJson, type Row } from '../../src/core/index.ts'
import { type ColumnSpec, DeltaTable, type MergeRules } from '../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'

type Rows = Record<string, unknown>[]
interface Reading {
  readonly schema: [string, string, boolean][]
  readonly rows: Rows
}

const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false, comment: 'the "key"' },
  { name: 'n', type: 'long', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'x', type: 'double', nullable: true },
  { name: 'i', type: 'integer', nullable: true },
  { name: 'ok', type: 'boolean', nullable: true },
  { name: 'odd-name.é', type: 'string', nullable: true }
]
const rules: MergeRules = { keys: ['id'], policies: new Map([['id', 'key']]) }
const texts = [
  '',
  'plain',
  'it\'s "quoted"\\',
  'ünï😀\ncode',
  `long ${'\u{10fffe}z'.repeat(40)}`,
  null
]

function rowOf(index: number): Row {
  return {
    id: `key ${index}`,
    n:
      index % 5 === 0
        ? null
        : BigInt(index) * 9_007_199_254_740_993n * (index % 2 === 0 ? 1n : -1n),
    at: index % 7 === 0 ? null : BigInt(index - 20) * 100_000_000_000_001n,
    day: index % 4 === 0 ? null : `19${String(60 + (index % 40)).padStart(2, '0')}-12-31`,
    x: index % 3 === 0 ? null : index / 3 - 5,
    i: index % 6 === 0 ? null : index - 2_147_483_000,
    ok: index % 3 === 1 ? null : index % 2 === 0,
    'odd-name.é': texts[index % texts.length] ?? null
  }
}

const { python, missing } = await openPython()

describe('tables that we write, read by deltalake and Spark', { skip: missing ?? false }, () => {
  let delta: TestDelta
  let answers: Record<string, Record<'deltalake' | 'spark', Reading>> = {}
  const expected = new Map<string, { rows: Rows; schema: [string, string, boolean][] }>()

  before(async () => {
    delta = await openTestDelta()
    const request: object[] = []
    const add = async (name: string, table: DeltaTable, version?: number): Promise<void> => {
      const at = version === undefined ? {} : { version }
      const { fields } = await table.snapshot(version)
      const schema = fields.map(
        f => [f.name, String(f.type), f.nullable] as [string, string, boolean]
      )
      expected.set(name, { rows: await table.read(at), schema })
      request.push({ name, path: table.location, ...at })
    }
    await writeTables(delta, add)
    await mkdir(delta.root, { recursive: true })
    const file = join(delta.root, 'request.json')
    await writeFile(file, JSON.stringify(request))
    const script = join(import.meta.dirname, 'read_tables.py')
    const output = (await python?.run(script, [file, python.sparkJars])) ?? '{}'
    answers = parseJson(output.trim().split('\n').at(-1) ?? '{}') as never
  })

  after(async () => {
    await delta[Symbol.asyncDispose]()
  })

  const names = [
    'every type',
    'an older version',
    'partitioned by date',
    'partitioned by text',
    'partitioned by timestamp, long and boolean',
    'evolved',
    'many merges',
    'empty',
    'zstd',
    'two key columns'
  ]
  for (const name of names) {
    for (const engine of ['deltalake', 'spark'] as const) {
      test(`${engine} reads the same rows and schema: ${name}`, () => {
        const ours = expected.get(name)
        const theirs = answers[name]?.[engine]
        assert.ok(ours !== undefined && theirs !== undefined)
        assert.deepEqual(
          theirs.schema.map(([column, type]) => [column, type]),
          ours.schema.map(([column, type]) => [column, type])
        )
        assert.deepEqual(canonical(theirs.rows), canonical(ours.rows))
        if (name !== 'empty') assert.ok(ours.rows.length > 0)
      })
    }
  }

  test('tables that deltalake writes are read, merged into and read by it again', async () => {
    const own = await create(delta, 'shared', {})
    await own.merge([{ id: 'ours', n: 1 }], rules)
    const directory = join(delta.root, 'tables')
    const script = join(import.meta.dirname, 'write_tables.py')
    await python?.run(script, [directory, own.location])
    assert.deepEqual(
      (await own.read({ columns: ['id', 'n'] })).sort((a, b) => Number(a['n']) - Number(b['n'])),
      [
        { id: 'ours', n: 1 },
        { id: 'from deltalake', n: 7 }
      ]
    )
    const foreign = await DeltaTable.open('foreign', delta.ports, delta.options)
    const result = await foreign.merge(
      [
        { id: 'k1', n: 100 },
        { id: 'new', n: 6 }
      ],
      rules
    )
    assert.deepEqual([result.inserted, result.updated], [1, 1])
    const rows = await foreign.read()
    assert.equal(rows.length, 7)
    assert.deepEqual(
      rows.find(row => row['id'] === 'k1'),
      { id: 'k1', n: 100, at: 1_714_979_289_123_456n, day: null }
    )
    assert.deepEqual((await foreign.verify(['id'])).problems, [])
  })
})

async function create(
  delta: TestDelta,
  name: string,
  spec: { partitionBy?: string[]; properties?: Record<string, string>; columns?: ColumnSpec[] }
): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate(name, { columns, ...spec }, delta.ports, delta.options)
}

async function writeTables(
  delta: TestDelta,
  add: (name: string, table: DeltaTable, version?: number) => Promise<void>
): Promise<void> {
  const rows = Array.from({ length: 60 }, (_, i) => rowOf(i))
  const plain = await create(delta, 'every-type', {})
  await plain.merge(rows.slice(0, 40), rules)
  await plain.merge(
    rows.slice(20, 60).map(row => ({ ...row, x: 1.25 })),
    rules
  )
  await add('every type', plain)
  await add('an older version', plain, 1)
  const byDate = await create(delta, 'by-date', { partitionBy: ['day'] })
  await byDate.append(rows)
  await byDate.merge(
    rows.slice(0, 10).map(({ id }) => ({ id: id as string, n: 5 })),
    rules
  )
  await add('partitioned by date', byDate)
  const byText = await create(delta, 'by-text', { partitionBy: ['odd-name.é'] })
  const places = ['a b', 'x/y', 'q?=%', '%2F', 'ü', '{[^]}', "it's", 'c:\\d', '#1&2', '"']
  await byText.append(places.map((place, i) => ({ ...rowOf(i), 'odd-name.é': place })))
  await byText.merge(
    [
      { id: 'none', 'odd-name.é': null },
      { id: 'key 0', n: 1 }
    ],
    rules
  )
  await add('partitioned by text', byText)
  const several = await create(delta, 'by-several', { partitionBy: ['at', 'n', 'ok'] })
  await several.append(rows.slice(0, 12))
  await add('partitioned by timestamp, long and boolean', several)
  const evolved = await create(delta, 'evolved', {})
  await evolved.append(rows.slice(0, 5))
  await evolved.addColumns([...columns, { name: 'extra', type: 'timestamp', nullable: true }])
  await evolved.append([{ id: 'with', extra: 1n }])
  await add('evolved', evolved)
  const many = await create(delta, 'many', { properties: { 'delta.checkpointInterval': '10' } })
  for (let i = 0; i < 25; i++) {
    await many.merge([rowOf(i), { id: `key ${i >> 1}`, n: i }], rules)
  }
  await many.close()
  await add('many merges', many)
  await add('empty', await create(delta, 'empty', {}))
  const zstd = await create(delta, 'zstd', {
    properties: { 'delta.parquet.compression.codec': 'zstd' }
  })
  await zstd.append(rows)
  await add('zstd', zstd)
  const twoKeys = { keys: ['id', 'i'], policies: new Map([['id', 'key'] as const]) }
  const two = await create(delta, 'two-keys', {})
  await two.merge(
    [
      { id: 'a', i: 1 },
      { id: 'a', i: 2 },
      { id: 'a', i: 1, n: 5 }
    ],
    twoKeys
  )
  await two.merge(
    [
      { id: 'a', i: 2, n: 6 },
      { id: 'b', i: 1 }
    ],
    twoKeys
  )
  await add('two key columns', two)
}

/** Rows as sorted texts: numbers, whatever their JavaScript type, by value. */
function canonical(rows: Rows): string[] {
  return rows
    .map(row =>
      JSON.stringify(
        Object.entries(row)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, value]) => [name, typeof value === 'bigint' ? asNumber(value) : value])
      )
    )
    .sort()
}

function asNumber(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}
