/** The contract of `src/delta/parquet-engine.ts`; DuckDB's engine and the one for tests pass it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type CellValue, parseJson, type Row } from '../../src/core/index.ts'
import {
  type DataFile,
  type DataType,
  type EngineColumn,
  hashKeys,
  type KeyHashes,
  type ParquetEngine,
  type SchemaField
} from '../../src/delta/index.ts'

const column = (name: string, type: DataType, physicalName = name): EngineColumn => ({
  name,
  physicalName,
  type,
  partition: false
})

const id = column('id', 'string')
const n = column('n', 'long')
const place: EngineColumn = { ...column('place', 'string'), partition: true }
const everything: readonly EngineColumn[] = [
  id,
  n,
  column('i', 'integer'),
  column('d', 'double'),
  column('b', 'boolean'),
  column('t', 'timestamp'),
  column('day', 'date'),
  column('s', 'short'),
  column('tiny', 'byte'),
  column('f', 'float'),
  column('m', 'decimal(10,3)'),
  column('part', 'decimal(38,38)'),
  column('x', 'binary'),
  column('l', 'timestamp_ntz')
]

const rows: readonly Row[] = [
  {
    ...{ id: 'a', n: 1, i: -5, d: 0.5, b: true, t: 1_700_000_000_123_456n, day: '2023-11-14' },
    ...{ s: -32768, tiny: 127, f: Math.fround(0.1), m: '-9.500', part: `-0.${'0'.repeat(37)}1` },
    ...{ x: 'AP+A', l: -62_135_596_800_000_000n }
  },
  {
    ...{ id: 'b', n: 2n ** 60n, i: 7, d: -2, b: false, t: -1n, day: '1969-12-31' },
    ...{ s: 32767, tiny: -128, f: -0, m: '10.000', part: `0.${'9'.repeat(38)}` },
    ...{ x: '', l: 253_402_300_799_999_999n }
  },
  { id: "it's \u{1f600}", n: null, i: null, d: null, b: null, t: null, day: null, x: null },
  { id: 'c', n: -3 }
]
const complete = (row: Row): Record<string, CellValue> =>
  Object.fromEntries(everything.map(({ name }) => [name, row[name] ?? null]))
const byId = (a: Row, b: Row): number => (String(a['id']) < String(b['id']) ? -1 : 1)

interface Bench {
  readonly engine: ParquetEngine
  readonly path: (name: string) => string
  write(
    name: string,
    columns: readonly EngineColumn[],
    rows: readonly Row[],
    copies?: readonly { readonly file: DataFile; readonly without: readonly number[] }[]
  ): Promise<DataFile & { readonly numRecords: number }>
}

/** Some 25,000 rows in three files with some deleted, and where 50 of them went. */
async function cluster({ engine, path, write }: Bench, by: readonly EngineColumn[]) {
  const files: DataFile[] = []
  for (const file of [0, 1, 2]) {
    const made = Array.from({ length: 8000 + file * 1000 }, (_, row) => ({
      id: `${file}-${row}`,
      n: row === 7 && file > 0 ? null : (row * 7919 + file * 31) % 10_007
    }))
    const deleted = file === 1 ? Uint32Array.of(0, 3, 500, 8999) : new Uint32Array(0)
    files.push({ ...(await write(`f${file}`, [id, n], made)), deleted })
  }
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  const directory = path('clustered')
  const request = { files, columns: [id, n], compression: 'snappy', directory, by } as const
  const name = { namePattern: 'part-{i}-x', targetFileBytes: bytes / 4 }
  const written = await engine.cluster({ ...request, ...name })
  const clustered = written.map(file => ({
    localPath: `${directory}/${file.name}`,
    size: file.size,
    partitionValues: {}
  }))
  const places = Array.from({ length: 50 }, (_, i) => ({ file: i % 3, position: 10 + i * 150 }))
  const found: CellValue[] = []
  for (const rank of await engine.clusterRanks({ files, by, places })) {
    let position = rank
    const file = written.findIndex(({ numRecords }) => {
      if (position < numRecords) return true
      position -= numRecords
      return false
    })
    const [row] = await engine.fetch({
      files: clustered,
      columns: [id],
      places: [{ file, position }]
    })
    found.push(row?.values['id'] ?? null)
  }
  const wanted = places.map(({ file, position }) => `${file}-${position}`)
  const count = written.reduce((sum, { numRecords }) => sum + numRecords, 0)
  assert.equal(count, 27_000 - 4)
  for (const [index, { size }] of written.entries()) {
    assert.equal((await stat(clustered[index]?.localPath ?? '')).size, size)
  }
  return { clustered, count, ranks: { found, wanted } }
}

export function parquetEngineConformance(name: string, open: () => Promise<ParquetEngine>): void {
  const withEngine = async (use: (bench: Bench) => Promise<void>): Promise<void> => {
    const directory = await mkdtemp(join(tmpdir(), 'parquet-engine-'))
    const engine = await open()
    const path = (file: string): string => join(directory, file)
    const write: Bench['write'] = async (file, columns, written, copies = []) => {
      const request = { target: path(file), columns, copies, rows: written }
      const { size, numRecords } = await engine.write({ ...request, compression: 'snappy' })
      return { localPath: path(file), size, partitionValues: {}, numRecords }
    }
    try {
      await use({ engine, path, write })
    } finally {
      await engine.close()
      await rm(directory, { recursive: true })
    }
  }
  const scanAll = (engine: ParquetEngine, files: readonly DataFile[], schema = everything) =>
    engine.scan({ files, schema, columns: schema.map(({ name }) => name) })

  describe(`Parquet engine: ${name}`, () => {
    test('gives back the values of every type that it takes', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('deep/er/f', everything, rows)
        assert.equal(file.numRecords, 4)
        assert.equal((await stat(file.localPath)).size, file.size)
        assert.deepEqual(await scanAll(engine, [file]), rows.map(complete))
        assert.deepEqual(await engine.rowCounts([file.localPath]), [4])
      }))

    test('gives back whatever a text holds, of many rows in their order', () =>
      withEngine(async ({ engine, write }) => {
        const odd = [
          '',
          '\u001e',
          '\u001f',
          'a\u001fb',
          '\u001e\u001f',
          '\u0000',
          'x\u0000',
          '\n',
          '\u{1f600}',
          "'"
        ]
        const other = column('other', 'string')
        const written = Array.from({ length: 20_000 }, (_, i) => ({
          id: i < 9000 ? `k${i}` : (odd[i % 10] ?? null),
          n: i % 7 === 0 ? null : i,
          other: i % 5 === 0 ? null : i % 3 === 0 ? '' : `${i}`
        }))
        // Each alone too: one odd text may hide what another one does.
        const alone = odd.map(id => [
          { id: 'a', n: 1, other: id },
          { id, n: 1, other: null }
        ])
        for (const [i, rows] of [written, ...alone].entries()) {
          const file = await write(`f${i}`, [id, n, other], rows)
          assert.deepEqual(await scanAll(engine, [file], [id, n, other]), rows)
        }
        const keys = odd.map(id => ({ id }))
        const file = await write('keys', [id], keys)
        const matches = await engine.match({ files: [file], keys: [id], rows: keys, columns: [] })
        matches.sort((a, b) => a.row - b.row)
        assert.deepEqual(
          matches,
          odd.map((_, row) => ({ row, file: 0, position: row, values: {} }))
        )
      }))

    test('reports null counts and bounds, and no bounds where there is a NaN or nothing', () =>
      withEngine(async ({ engine, path }) => {
        const request = { target: path('f'), columns: everything, copies: [], rows }
        const { columns } = await engine.write({ ...request, compression: 'zstd' })
        assert.deepEqual(columns.get('n'), { nullCount: 1, min: '-3', max: String(2n ** 60n) })
        assert.deepEqual(columns.get('id'), { nullCount: 0, min: 'a', max: "it's \u{1f600}" })
        assert.deepEqual(columns.get('day'), {
          nullCount: 2,
          min: '1969-12-31',
          max: '2023-11-14'
        })
        assert.deepEqual(columns.get('s'), { nullCount: 2, min: '-32768', max: '32767' })
        assert.deepEqual(columns.get('m'), { nullCount: 2, min: '-9.500', max: '10.000' })
        assert.match(columns.get('l')?.max ?? '', /^9999-12-31 23:59:59\.999999$/)
        const times = columns.get('t')
        assert.match(times?.min ?? '', /^1969-12-31 23:59:59\.999999/)
        assert.match(times?.max ?? '', /^2023-11-14 22:13:20\.123456/)
        const odd = { target: path('g'), columns: everything, copies: [] }
        const nan = [
          { id: 'x', d: Number.NaN },
          { id: 'y', d: 1 }
        ]
        const strange = await engine.write({ ...odd, rows: nan, compression: 'snappy' })
        assert.deepEqual(strange.columns.get('d'), { nullCount: 0 })
        assert.deepEqual(strange.columns.get('n'), { nullCount: 2 })
      }))

    test('writes a file without rows, and reports none', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('f', everything, [])
        assert.equal(file.numRecords, 0)
        assert.deepEqual(await scanAll(engine, [file]), [])
      }))

    test('copies files without the rows named and without deleted ones, then adds new rows', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write('a', everything, rows)
        const second = await write('b', everything, [{ id: 'x' }, { id: 'y' }, { id: 'z' }])
        const copies = [
          { file: { ...first, deleted: Uint32Array.of(1) }, without: [0] },
          { file: second, without: [2] }
        ]
        const joined = await write('c', everything, [{ id: 'new' }], copies)
        const ids = (await scanAll(engine, [joined])).map(row => row['id'])
        assert.deepEqual([...ids].sort(), ['c', "it's \u{1f600}", 'new', 'x', 'y'].sort())
        assert.equal(joined.numRecords, 5)
      }))

    test('reads and copies the only rows of a file that are asked for, beside whole files', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write('a', everything, rows)
        const second = await write('b', everything, [{ id: 'x' }, { id: 'y' }, { id: 'z' }])
        const third = await write('c', everything, [{ id: 'u' }, { id: 'v' }])
        const files = [
          { ...first, only: Uint32Array.of(0, 3) },
          { ...second, deleted: Uint32Array.of(1) },
          third,
          { ...second, only: Uint32Array.of(1) },
          { ...third, only: new Uint32Array(0) }
        ]
        const expected = ['a', 'c', 'u', 'v', 'x', 'y', 'z']
        const ids = (await scanAll(engine, files)).map(row => row['id'])
        assert.deepEqual([...ids].sort(), expected)
        const copies = files.map(file => ({ file, without: [] }))
        const copy = await write('d', everything, [], copies)
        assert.deepEqual((await scanAll(engine, [copy])).map(row => row['id']).sort(), expected)
        assert.deepEqual(
          (await scanAll(engine, [{ ...first, only: Uint32Array.of(3) }])).map(row => row['id']),
          ['c']
        )
      }))

    test('copies columns that are constant in a file from the log, beside rows that hold them', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('a', [id], [{ id: 'a' }, { id: 'b' }])
        const gone = { ...file, only: Uint32Array.of(1), partitionValues: { place: 'x' } }
        const copies = [{ file: gone, without: [] }]
        const copy = await write('b', [id, place], [{ id: 'c', place: 'y' }], copies)
        const stored = { ...place, partition: false }
        assert.deepEqual((await scanAll(engine, [copy], [id, stored])).sort(byId), [
          { id: 'b', place: 'x' },
          { id: 'c', place: 'y' }
        ])
      }))

    test('copies the rows of files in their order when asked to', () =>
      withEngine(async ({ engine, path, write }) => {
        const files: DataFile[] = []
        const expected: string[] = []
        for (const [file, count] of [300, 1, 130_000, 40].entries()) {
          const ids = Array.from({ length: count }, (_, row) => `${file}-${row}`)
          const stored = await write(
            `f${file}`,
            [id],
            ids.map(value => ({ id: value }))
          )
          const deleted = ids.map((_, row) => row).filter(row => file > 1 && row % 7 === 3)
          files.push({ ...stored, deleted: Uint32Array.from(deleted) })
          const gone = new Set(deleted)
          for (const [row, value] of ids.entries()) if (!gone.has(row)) expected.push(value)
        }
        const copies = files.map(file => ({ file, without: [] }))
        const target = path('copy')
        const compression = 'snappy'
        await engine.write({ target, columns: [id], copies, rows: [], compression, inOrder: true })
        const copy = { localPath: target, size: 1, partitionValues: {} }
        const places = expected.map((_, position) => ({ file: 0, position }))
        const found = await engine.fetch({ files: [copy], columns: [id], places })
        const ids = [...found].sort((a, b) => a.place - b.place).map(row => row.values['id'])
        assert.deepEqual(ids, expected)
      }))

    test('generates ids and versions of rows that the file has none of, and copies keep them', () =>
      withEngine(async ({ engine, write }) => {
        const rowId: EngineColumn = { ...column('_id', 'long'), generated: 'rowId' }
        const version: EngineColumn = { ...column('_v', 'long'), generated: 'commitVersion' }
        const columns = [id, rowId, version]
        const plain = await write('a', [id], [{ id: 'a' }, { id: 'b' }, { id: 'c' }])
        const kept = await write('b', columns, [
          { id: 'x', _id: 7 },
          { id: 'y', _v: 2 },
          { id: 'z' }
        ])
        const files = [
          { ...plain, baseRowId: 2n ** 60n, commitVersion: 3, deleted: Uint32Array.of(0) },
          { ...kept, baseRowId: 100, commitVersion: 5 },
          plain
        ]
        const stored = [
          { id: 'b', _id: 2n ** 60n + 1n, _v: 3 },
          { id: 'c', _id: 2n ** 60n + 2n, _v: 3 },
          { id: 'x', _id: 7, _v: 5 },
          { id: 'y', _id: 101, _v: 2 },
          { id: 'z', _id: 102, _v: 5 }
        ]
        const nothing = ['a', 'b', 'c'].map(text => ({ id: text, _id: null, _v: null }))
        const texts = (found: readonly Row[]): string[] =>
          found.map(one => [one['id'], one['_id'], one['_v']].join()).sort()
        assert.deepEqual(
          texts(await scanAll(engine, files, columns)),
          texts([...stored, ...nothing])
        )
        const copies = files.slice(0, 2).map(file => ({ file, without: [] }))
        const copy = await write('c', columns, [{ id: 'new', _id: 9 }], copies)
        const moved = { ...copy, baseRowId: 1000, commitVersion: 8 }
        assert.deepEqual(
          texts(await scanAll(engine, [moved], columns)),
          texts([...stored, { id: 'new', _id: 9, _v: 8 }])
        )
        const [match] = await engine.match({ files, keys: [id], rows: [{ id: 'y' }], columns })
        assert.deepEqual(match?.values, { id: 'y', _id: 101, _v: 2 })
        const places = [{ file: 0, position: 1 }]
        const [fetched] = await engine.fetch({ files, columns: [rowId], places })
        assert.deepEqual(fetched?.values, { _id: 2n ** 60n + 1n })
      }))

    test('clusters files by one column: sorted, in files of about the size asked for', () =>
      withEngine(async ({ engine, path, write }) => {
        const { clustered, ranks, count } = await cluster({ engine, path, write }, [n])
        assert.ok(clustered.length > 2, `${clustered.length} files`)
        const values: (CellValue | undefined)[] = []
        for (const file of clustered) {
          values.push(...(await scanAll(engine, [file], [id, n])).map(row => row['n']))
        }
        assert.equal(values.length, count)
        const sorted = [...values].sort((a, b) => Number(a ?? -1) - Number(b ?? -1))
        assert.deepEqual(values, sorted)
        assert.deepEqual(values.slice(0, 2), [null, null])
        assert.deepEqual(ranks.found, ranks.wanted)
      }))

    test('clusters files by several columns, and tells where each row went', () =>
      withEngine(async ({ engine, path, write }) => {
        const { clustered, ranks, count } = await cluster({ engine, path, write }, [n, id])
        const all = await scanAll(engine, clustered, [id, n])
        assert.equal(new Set(all.map(row => row['id'])).size, count)
        assert.deepEqual(ranks.found, ranks.wanted)
      }))

    test('clusters what is left of files, which may be nothing', () =>
      withEngine(async ({ engine, path, write }) => {
        const file = await write('a', [id], [{ id: 'a' }])
        const files = [{ ...file, deleted: Uint32Array.of(0) }]
        const request = { columns: [id], compression: 'snappy', directory: path('out') } as const
        const names = { namePattern: 'p{i}', targetFileBytes: 1000 }
        assert.deepEqual(await engine.cluster({ ...request, ...names, files, by: [id] }), [])
      }))

    test('gives columns that a file lacks as null, and copies them so', () =>
      withEngine(async ({ engine, write }) => {
        const old = await write('a', [id], [{ id: 'a' }])
        assert.deepEqual(await scanAll(engine, [old], [id, n]), [{ id: 'a', n: null }])
        const copy = await write('b', [id, n], [{ id: 'b', n: 1 }], [{ file: old, without: [] }])
        const expected = [
          { id: 'a', n: null },
          { id: 'b', n: 1 }
        ]
        assert.deepEqual((await scanAll(engine, [copy], [id, n])).sort(byId), expected)
      }))

    test('finds columns by their name in the file, whatever the table calls them', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('a', [column('col-1', 'string')], [{ 'col-1': 'a' }])
        const renamed = column('renamed', 'string', 'col-1')
        assert.deepEqual(await scanAll(engine, [file], [renamed]), [{ renamed: 'a' }])
        const again = column('col-1', 'string', 'col-2')
        assert.deepEqual(await scanAll(engine, [file], [again]), [{ 'col-1': null }])
      }))

    test('keeps nested values, finds their fields by the names in the file, and tells their bounds', () =>
      withEngine(async ({ engine, path, write }) => {
        const field = (name: string, type: DataType, physicalName: string): SchemaField => ({
          ...{ name, type, nullable: true },
          metadata: { 'delta.columnMapping.physicalName': physicalName }
        })
        const array = (elementType: DataType): DataType => {
          return { type: 'array', elementType, containsNull: true }
        }
        const struct = (...fields: SchemaField[]): DataType => ({ type: 'struct', fields })
        const a = field('a', 'decimal(5,2)', 'p1')
        const inner = struct(a, field('b', array(struct(field('x', 'long', 'p3'))), 'p2'))
        const map: DataType = {
          ...{ type: 'map', keyType: 'date', valueType: 'binary', valueContainsNull: true }
        }
        const columns = [id, column('s', inner), column('l', array('timestamp')), column('m', map)]
        const cells: readonly Row[] = [
          {
            ...{ id: 'a', s: '{"a":"-1.50","b":[{"x":9007199254740993},null]}', l: '[]' },
            m: '[{"key":"0001-01-01","value":"AP8="},{"key":"2024-02-29","value":null}]'
          },
          { id: 'b', s: '{"a":"10.00","b":null}', l: '["1969-12-31T23:59:59.999999Z"]', m: '[]' },
          { id: 'c', s: null, l: null, m: null }
        ]
        const file = await write('a', columns, cells)
        assert.deepEqual(await scanAll(engine, [file], columns), cells)
        const copies = [{ file, without: [0] }]
        const copy = await write('b', columns, cells.slice(0, 1), copies)
        const found = (await scanAll(engine, [copy], columns)).sort(byId)
        assert.deepEqual(found, cells)
        const later = struct(field('new', 'long', 'p9'), { ...a, name: 'renamed' })
        const renamed = (await scanAll(engine, [copy], [id, column('s', later)])).sort(byId)
        const texts = ['{"new":null,"renamed":"-1.50"}', '{"new":null,"renamed":"10.00"}', null]
        assert.deepEqual(
          renamed.map(row => row['s']),
          texts
        )
        const request = { target: path('f'), columns, copies: [], rows: cells }
        const written = await engine.write({ ...request, compression: 'snappy' })
        const bounds = written.columns.get('s')?.fields?.get('p1')
        assert.deepEqual(bounds, { nullCount: 1, min: '-1.50', max: '10.00' })
        assert.equal(written.columns.get('l'), undefined)
        assert.equal(written.columns.get('m'), undefined)
      }))

    test('takes partition values from the log, null and typed ones too', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('a', [id], [{ id: 'a' }])
        const year: EngineColumn = { ...column('year', 'integer'), partition: true }
        const at: EngineColumn = { ...column('at', 'timestamp'), partition: true }
        const others = [
          column('money', 'decimal(5,2)'),
          column('bytes', 'binary'),
          column('local', 'timestamp_ntz'),
          column('real', 'float')
        ].map(one => ({ ...one, partition: true }))
        const schema = [id, place, year, at, ...others]
        const values = {
          ...{ place: 'p/1', year: '2024', at: '1970-01-01 00:00:01.5' },
          ...{ money: '-0.50', bytes: '\u0001ü', local: '0001-01-01 00:00:00', real: '-Infinity' }
        }
        const nulls = Object.fromEntries(Object.keys(values).map(name => [name, null]))
        const files = [
          { ...file, partitionValues: values },
          { ...file, partitionValues: nulls }
        ]
        const found = await scanAll(engine, files, schema)
        assert.deepEqual(
          found.sort((a, b) => Number(b['year']) - Number(a['year'])),
          [
            {
              ...{ id: 'a', place: 'p/1', year: 2024, at: 1_500_000n, money: '-0.50' },
              ...{ bytes: 'AcO8', local: -62_135_596_800_000_000n, real: Number.NEGATIVE_INFINITY }
            },
            { id: 'a', ...nulls }
          ]
        )
      }))

    test('matches rows by key, each with file and position, and never deleted ones', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write(
          'a',
          [id, n],
          [
            { id: 'a', n: 1 },
            { id: 'b', n: 2 },
            { id: 'a', n: 3 }
          ]
        )
        const second = await write(
          'b',
          [id, n],
          [
            { id: 'c', n: 4 },
            { id: null, n: 5 }
          ]
        )
        const files = [{ ...first, deleted: Uint32Array.of(0) }, second]
        const wanted = [{ id: 'c' }, { id: 'nothing' }, { id: 'a' }]
        const matches = await engine.match({ files, keys: [id], rows: wanted, columns: [n] })
        matches.sort((a, b) => a.row - b.row)
        assert.deepEqual(matches, [
          { row: 0, file: 1, position: 0, values: { n: 4 } },
          { row: 2, file: 0, position: 2, values: { n: 3 } }
        ])
      }))

    test('matches by several key columns, partition columns among them', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write(
          'a',
          [id, n],
          [
            { id: 'a', n: 1 },
            { id: 'a', n: 2 }
          ]
        )
        const files = [
          { ...file, partitionValues: { place: 'p' } },
          { ...file, partitionValues: { place: 'q' } }
        ]
        const wanted = [
          { id: 'a', n: 2, place: 'q' },
          { id: 'a', n: 3, place: 'q' }
        ]
        const keys = [id, n, place]
        const matches = await engine.match({ files, keys, rows: wanted, columns: [] })
        assert.deepEqual(matches, [{ row: 0, file: 1, position: 1, values: {} }])
      }))

    test('fetches rows by place, deleted ones too, and none where there is none', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write('a', everything, rows)
        const second = await write('b', everything, [{ id: 'x' }])
        const files = [{ ...first, deleted: Uint32Array.of(1) }, second]
        const places = [
          { file: 1, position: 0 },
          { file: 0, position: 1 },
          { file: 1, position: 9 }
        ]
        const fetched = await engine.fetch({ files, columns: [id, n], places })
        fetched.sort((a, b) => a.place - b.place)
        assert.deepEqual(fetched, [
          { place: 0, values: { id: 'x', n: null } },
          { place: 1, values: { id: 'b', n: 2n ** 60n } }
        ])
      }))

    test('fetches each place of many files, and of large ones', () =>
      withEngine(async ({ engine, write }) => {
        const files: DataFile[] = []
        for (let i = 0; i < 40; i++) {
          files.push(await write(`f${i}`, [id, n], [{ id: `a${i}`, n: i }, { id: `b${i}` }]))
        }
        for (const count of [40, 3]) {
          for (const size of [1000, 50_000_000]) {
            const some = files.slice(0, count).map(file => ({ ...file, size }))
            const places = some.flatMap((_, file) => [
              { file, position: 1 },
              { file, position: 7 },
              { file: count - 1 - file, position: 0 }
            ])
            const fetched = await engine.fetch({ files: some, columns: [id], places })
            fetched.sort((a, b) => a.place - b.place)
            const expected = places.flatMap(({ file, position }, place) =>
              position > 1 ? [] : [{ place, values: { id: `${'ab'[position]}${file}` } }]
            )
            assert.deepEqual(fetched, expected)
          }
        }
      }))

    test('hashes the keys of stored rows as those of a batch, ascending, deleted ones too', () =>
      withEngine(async ({ engine, write }) => {
        const kinds: readonly EngineColumn[] = [
          ...['string', 'long', 'integer', 'date', 'timestamp'].map(type => column(type, type)),
          column('text', 'string')
        ]
        const many = oddRows(300)
        const first = await write('a', kinds, many)
        const second = await write('b', kinds, [...many, { ...many[0], string: null }])
        const files = [{ ...first, deleted: Uint32Array.of(3) }, second]
        const [text] = kinds.slice(-1)
        for (const keys of [
          kinds,
          [...kinds].reverse(),
          ...kinds.map(one => [one]),
          [text, text]
        ]) {
          const named = keys.flatMap(key => key ?? [])
          const known = new Map<string, { hash: Uint32Array; times: number }>()
          const wanted = hashKeys(named, 'a salt', many)
          for (const [row] of many.entries()) {
            const hash = wanted.slice(row * 4, row * 4 + 4)
            for (const file of [0, 1]) known.set(`${row},${file}`, { hash, times: 0 })
          }
          let top = 0
          for await (const { hashes, places } of engine.sortedKeyHashes(files, named, 'a salt')) {
            for (let i = 0; i * 2 < places.length; i++) {
              const hash = hashes.slice(i * 4, i * 4 + 4)
              assert.ok((hash[3] ?? 0) >= top)
              top = hash[3] ?? 0
              const place = known.get(`${places[i * 2]},${places[i * 2 + 1]}`)
              if (place === undefined) continue
              assert.deepEqual(hash, place.hash, JSON.stringify(many[places[i * 2] ?? 0], bigText))
              place.times++
            }
          }
          assert.ok([...known.values()].every(({ times }) => times === 1))
        }
        assert.notDeepEqual(hashKeys([id], 'a', many), hashKeys([id], 'b', many))
      }))

    test('hashes keys in partition columns, and none that is null', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('a', [id], [{ id: 'x' }, { id: null }])
        const files = [
          { ...file, partitionValues: { place: 'p' } },
          { ...file, partitionValues: { place: null } }
        ]
        const found: KeyHashes[] = []
        for await (const batch of engine.sortedKeyHashes(files, [place, id], 's')) found.push(batch)
        assert.deepEqual(
          found.flatMap(({ places }) => [...places]),
          [0, 0]
        )
        const hashes = found.flatMap(batch => [...batch.hashes])
        assert.deepEqual(hashes, [...hashKeys([place, id], 's', [{ id: 'x', place: 'p' }])])
      }))

    test('filters, projects and limits', () =>
      withEngine(async ({ engine, write }) => {
        const file = await write('a', everything, rows)
        const files = [{ ...file, deleted: Uint32Array.of(0) }]
        const find = (where: string, limit?: number) =>
          engine.scan({
            files,
            schema: everything,
            columns: ['id'],
            where,
            ...(limit === undefined ? {} : { limit })
          })
        assert.deepEqual(await find('i > 0'), [{ id: 'b' }])
        assert.deepEqual(await find("i IS NULL AND id = 'it''s \u{1f600}'"), [
          { id: "it's \u{1f600}" }
        ])
        assert.deepEqual(await find('n <= 1'), [{ id: 'c' }])
        assert.equal((await find("id <> 'b'", 1)).length, 1)
        await assert.rejects(find('nothing = 1'), { code: 'DELTA_QUERY_INVALID' })
        const batched: Row[] = []
        const request = { files, schema: everything, columns: ['id'] }
        for await (const batch of engine.scanBatches(request)) batched.push(...batch)
        assert.deepEqual(batched, await engine.scan(request))
        const none = { files: [], schema: everything, columns: ['id'] }
        assert.deepEqual(await engine.scan(none), [])
      }))

    test('takes a filter apart into what statistics can answer', () =>
      withEngine(async ({ engine }) => {
        const parts = await engine.filterParts("id = 'a' AND n < 5 AND i IS NULL")
        assert.deepEqual(parts.terms, [
          { column: 'id', operator: '=', values: ['a'] },
          { column: 'n', operator: '<', values: [5] }
        ])
        assert.equal(parts.complete, false)
        assert.deepEqual([...(parts.columns ?? [])].sort(), ['i', 'id', 'n'])
        assert.equal((await engine.filterParts("id = 'a' AND 5 > n")).complete, true)
        assert.equal((await engine.filterParts("id = 'a' OR n < 5")).complete, false)
        await assert.rejects(engine.filterParts('n <'), { code: 'DELTA_QUERY_INVALID' })
      }))

    test('finds the rows for which a filter is true, and no deleted ones', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write('a', everything, rows)
        const many = Array.from({ length: 5000 }, (_, i) => ({ id: 'x', n: i }))
        const second = await write('b', [id, n], many)
        const files = [
          { ...first, deleted: Uint32Array.of(0), partitionValues: { place: 'p' } },
          { ...second, partitionValues: { place: null } }
        ]
        const find = async (where: string) =>
          (await engine.findRows({ files, schema: [...everything, place], where })).map(found => [
            ...found
          ])
        assert.deepEqual(await find('n < 3'), [[3], [0, 1, 2]])
        assert.deepEqual(await find("place = 'p'"), [[1, 2, 3], []])
        assert.deepEqual(await find('NOT (n <> 1 OR i > 5)'), [[], []])
        assert.deepEqual(await find("d IS NULL AND id <> 'x'"), [[2, 3], []])
        assert.equal((await find('n >= 1'))[1]?.length, 4999)
        await assert.rejects(find('nothing = 1'), { code: 'DELTA_QUERY_INVALID' })
        const none = { files: [], schema: [id], where: "id = 'a'" }
        assert.deepEqual(await engine.findRows(none), [])
        await assert.rejects(engine.findRows({ ...none, where: 'n = 1' }), {
          code: 'DELTA_QUERY_INVALID'
        })
      }))

    test('writes rows with new values, beside copies and rows given', () =>
      withEngine(async ({ engine, write, path }) => {
        const stored = [0, 1, 2, 3].map(n => ({ id: `r${n}`, n }))
        const file = { ...(await write('a', [id, n], stored)), partitionValues: { place: 'p' } }
        const changes = {
          files: [{ ...file, only: Uint32Array.of(1, 3) }],
          schema: [id, n, place],
          set: [
            { column: 'n', to: { sql: 'n * 10 + 1' } },
            { column: 'id', to: { value: 'new' } }
          ]
        }
        const copies = [{ file: { ...file, deleted: Uint32Array.of(0) }, without: [1, 3] }]
        const { numRecords } = await engine.write({
          target: path('b'),
          columns: [id, n],
          copies,
          rows: [{ id: 'r9', n: 9 }],
          changes,
          compression: 'snappy'
        })
        assert.equal(numRecords, 4)
        const out = { localPath: path('b'), size: 1, partitionValues: {} }
        const found = await scanAll(engine, [out], [id, n])
        assert.deepEqual(
          found.map(row => `${row['id']} ${row['n']}`).sort(),
          ['new 11', 'new 31', 'r2 2', 'r9 9'].sort()
        )
      }))

    test('groups changed rows by new values, and counts those that break a check', () =>
      withEngine(async ({ engine, write }) => {
        const stored = [0, 1, 2, 3].map(n => ({ id: n < 2 ? 'a' : null, n }))
        const file = { ...(await write('a', [id, n], stored)), partitionValues: { place: 'p' } }
        const changes = {
          files: [
            { ...file, deleted: Uint32Array.of(3) },
            { ...file, only: Uint32Array.of(0, 3) }
          ],
          schema: [id, n, place],
          set: [
            { column: 'place', to: { sql: 'id' } },
            { column: 'n', to: { value: 7 } }
          ]
        }
        const groups = await engine.groupChanges(changes, ['place'])
        const texts = groups.map(({ values, positions }) => {
          return `${values['place']}: ${positions.map(list => list.join(' ')).join(', ')}`
        })
        assert.deepEqual(texts.sort(), ['a: 0 1, 0', 'null: 2, 3'])
        const checks = ['n = 7', "place = 'a'", 'n < 7', 'place IS NOT NULL']
        assert.deepEqual(await engine.countViolations(changes, checks), [0, 2, 5, 2])
        assert.deepEqual(await engine.countViolations({ ...changes, set: [] }, ['n < 3']), [1])
      }))

    test('computes expressions of tables over rows, in their order', () =>
      withEngine(async ({ engine }) => {
        const translate = (expression: string, type: string) =>
          engine.translate(expression, [id, n], type)
        const sum = await translate('n + 1', 'long')
        const check = await translate("n > 1 OR id = 'a'", 'boolean')
        assert.deepEqual([...check.columns].sort(), ['id', 'n'])
        const expressions = [
          { sql: sum.sql, type: 'long' },
          { sql: check.sql, type: 'boolean' }
        ]
        const given = [{ id: 'a', n: 1 }, { id: 'b', n: 2n ** 60n }, { id: 'c', n: 0 }, { id: 'd' }]
        assert.deepEqual(await engine.evaluate({ columns: [id, n], rows: given, expressions }), [
          [2, 2n ** 60n + 1n, 1, null],
          [true, true, false, null]
        ])
        const one = await engine.translate("'x'", [], 'string')
        const constant = [{ sql: one.sql, type: 'string' }]
        assert.deepEqual(
          await engine.evaluate({ columns: [], rows: [{}], expressions: constant }),
          [['x']]
        )
      }))

    test('computes columns of changed rows from their new values', () =>
      withEngine(async ({ engine, write, path }) => {
        const file = await write(
          'a',
          [id, n],
          [
            { id: 'a', n: 1 },
            { id: 'b', n: 2 }
          ]
        )
        const twice = column('twice', 'long')
        const changes = {
          files: [{ ...file, only: Uint32Array.of(1) }],
          schema: [id, n, twice],
          set: [{ column: 'n', to: { sql: 'n + 10' } }],
          computed: new Map([['twice', 'n * 2']])
        }
        const request = { target: path('b'), columns: [id, n, twice], copies: [], rows: [] }
        await engine.write({ ...request, changes, compression: 'snappy' })
        const out = { localPath: path('b'), size: 1, partitionValues: {} }
        assert.deepEqual(await scanAll(engine, [out], [id, n, twice]), [
          { id: 'b', n: 12, twice: 24 }
        ])
        assert.deepEqual(await engine.countViolations(changes, ['twice = 24', 'n < 12']), [0, 1])
        const [group] = await engine.groupChanges(changes, ['twice'])
        assert.deepEqual(group?.values, { twice: 24 })
      }))

    test('tells what expressions do not fit the table', () =>
      withEngine(async ({ engine }) => {
        const check = (sql: string) =>
          engine.checkAssignments([id, n], [{ column: 'n', to: { sql } }])
        await check('n + 1')
        await check('NULL')
        for (const sql of ['nothing', 'n +', '(n']) {
          await assert.rejects(check(sql), { code: 'DELTA_QUERY_INVALID' }, sql)
        }
      }))

    test('tells of which partitions a filter is true', () =>
      withEngine(async ({ engine }) => {
        const year: EngineColumn = { ...column('year', 'integer', 'y'), partition: true }
        const partitions = [
          { place: 'p', y: '2024' },
          { place: null, y: '1999' },
          { place: 'q', y: null }
        ]
        const ask = (where: string) =>
          engine.filterPartitions({ partitions, columns: [place, year], where })
        assert.deepEqual(await ask("place IS NULL OR place = 'q'"), [false, true, true])
        assert.deepEqual(await ask('year > 2000'), [true, false, false])
        await assert.rejects(ask('n = 1'), { code: 'DELTA_QUERY_INVALID' })
      }))

    test('exports rows as lines of JSON that lose nothing', () =>
      withEngine(async ({ engine, path, write }) => {
        const written = [...rows.slice(0, 3), { id: 'numbers', d: Number.NaN }, { id: 'z', d: -0 }]
        const file = await write('a', everything, written)
        const columns = everything.map(({ name }) => name)
        const request = { files: [file], schema: everything, columns }
        assert.equal(await engine.export(request, path('out'), 'ndjson'), 5)
        const lines = (await readFile(path('out'), 'utf8')).trim().split('\n')
        const found = lines.map(line => parseJson(line) as Record<string, CellValue>).sort(byId)
        const [first, second, third, numbers, zero] = found
        const times = { t: '2023-11-14T22:13:20.123456Z', l: '0001-01-01T00:00:00.000000' }
        assert.deepEqual(first, { ...complete(rows[0] ?? {}), ...times })
        assert.equal(second?.['n'], 2n ** 60n)
        assert.equal(second?.['t'], '1969-12-31T23:59:59.999999Z')
        assert.deepEqual(third, complete(rows[2] ?? {}))
        assert.equal(numbers?.['d'], 'NaN')
        assert.ok(Object.is(zero?.['d'], -0))
      }))

    test('counts keys that occur more than once, of rows that are not deleted', () =>
      withEngine(async ({ engine, write }) => {
        const first = await write(
          'a',
          [id, n],
          [
            { id: 'a', n: 1 },
            { id: 'b', n: 1 }
          ]
        )
        const second = await write(
          'b',
          [id, n],
          [
            { id: 'a', n: 2 },
            { id: 'c', n: 1 }
          ]
        )
        assert.equal(await engine.duplicateKeys([first, second], [id]), 1)
        assert.equal(await engine.duplicateKeys([first, second], [id, n]), 0)
        const marked = [{ ...first, deleted: Uint32Array.of(0) }, second]
        assert.equal(await engine.duplicateKeys(marked, [id]), 0)
      }))

    test('tells files that are damaged or missing', () =>
      withEngine(async ({ engine, path }) => {
        await writeFile(path('bad'), 'this is no data file, however long it may be')
        await assert.rejects(engine.rowCounts([path('bad')]), { code: 'DELTA_DATA_CORRUPT' })
        const files = [{ localPath: path('none'), size: 1, partitionValues: {} }]
        await assert.rejects(scanAll(engine, files), { code: 'DELTA_DATA_CORRUPT' })
        const batches = engine.scanBatches({ files, schema: [id], columns: ['id'] })
        await assert.rejects(Array.fromAsync(batches), { code: 'DELTA_DATA_CORRUPT' })
      }))

    test('keeps the actions of a checkpoint, with nulls for what they lack', () =>
      withEngine(async ({ engine, path }) => {
        const vector = { storageType: 'i', pathOrInlineDv: 'x', sizeInBytes: 1, cardinality: 1 }
        const actions = [
          { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
          { txn: { appId: 'app', version: 2 ** 40 } },
          {
            add: {
              path: 'a b',
              partitionValues: { place: null, 'p=1': 'x' },
              size: 1,
              modificationTime: 2,
              dataChange: false,
              stats: '{"numRecords":1}',
              deletionVector: vector
            }
          },
          {
            add: { path: 'c', partitionValues: {}, size: 1, modificationTime: 2, dataChange: true }
          },
          { remove: { path: 'd', deletionTimestamp: 3, dataChange: false } }
        ]
        const size = await engine.writeCheckpoint(
          path('cp'),
          actions.map(one => JSON.stringify(one))
        )
        assert.equal((await stat(path('cp'))).size, size)
        const read = await engine.readCheckpoint([path('cp')])
        const texts = read.map(action => JSON.stringify(withoutNulls(action)))
        assert.deepEqual(texts.sort(), actions.map(one => JSON.stringify(withoutNulls(one))).sort())
      }))
  })
}

/** For messages: JSON has no bigint. */
const bigText = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value

/** Rows with whatever a key column may hold; the same each time. */
function oddRows(count: number): Row[] {
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const units = [0, 0x30, 0x31, 0x2c, 0x3a, 0x27, 0xe9, 0x20ac, 0xd83d, 0xde00, 0xd800, 0xffff]
  const text = (): string =>
    String.fromCharCode(...Array.from({ length: random(9) }, () => units[random(12)] ?? 0))
  const two = (value: number): string => String(value).padStart(2, '0')
  const big = (): bigint => BigInt.asIntN(62, BigInt(random(2 ** 32)) * BigInt(random(2 ** 31)))
  return Array.from({ length: count }, (_, i) => ({
    string: text(),
    text: text(),
    long:
      i % 2 === 0 ? random(2 ** 32) - 2 ** 31 : [2n ** 63n - 1n, -(2n ** 63n), 2n ** 60n][i % 3],
    integer: [0, 2 ** 31 - 1, -(2 ** 31), random(1000) - 500][i % 4],
    date: `${String([0, 1, 1969, 2024, 9999][i % 5]).padStart(4, '0')}-${two(1 + random(12))}-${two(1 + random(28))}`,
    timestamp: i % 2 === 0 ? big() : -big()
  }))
}

/** Nulls of partition values are values. The order of fields means nothing. */
function withoutNulls(value: unknown, key = ''): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if (key === 'partitionValues') return value
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== null)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutNulls(inner, name)]))
}
