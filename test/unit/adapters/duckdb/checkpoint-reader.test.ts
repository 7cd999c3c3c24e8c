/** Checkpoints of other engines, made here with DuckDB in the forms that ours does not write. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../../../../src/adapters/duckdb/index.ts'
import type { JsonObject } from '../../../../src/core/index.ts'

/** What the engine reads from a checkpoint with these rows. */
async function readBack(...files: readonly string[]): Promise<JsonObject[]> {
  const directory = await mkdtemp(join(tmpdir(), 'checkpoint-'))
  const instance = await DuckDBInstance.create(':memory:')
  const engine = await openDuckDb()
  try {
    const connection = await instance.connect()
    await connection.run("SET TimeZone = 'UTC'")
    const paths = files.map((_, index) => join(directory, `${index}.parquet`))
    for (const [index, sql] of files.entries()) {
      await connection.run(`COPY (${sql}) TO '${paths[index]}' (FORMAT parquet)`)
    }
    connection.closeSync()
    return await engine.readCheckpoint(paths)
  } finally {
    await engine.close()
    instance.closeSync()
    await rm(directory, { recursive: true })
  }
}

const adds = (actions: readonly JsonObject[]): JsonObject[] =>
  actions.flatMap(({ add }) => (add === undefined ? [] : [add as JsonObject]))

describe('A checkpoint of another engine', () => {
  test('gives statistics from its struct where it has no text', async () => {
    const bounds = (n: string, at: string): string =>
      `{n: ${n}, d: DATE '2024-02-29', t: TIMESTAMPTZ '${at}', z: TIMESTAMP '${at}', x: 1234567890123456789.10::DECIMAL(38, 2),
        f: 'nan'::DOUBLE, b: 'x'::BLOB, s: {i: 1, o: NULL::VARCHAR}}`
    const parsed = `{numRecords: 3::BIGINT, minValues: ${bounds('1', '2024-01-01 01:02:03.004')},
      maxValues: ${bounds('9007199254740993', '2024-01-01 01:02:03.004005')}, nullCount: {n: 0::BIGINT, d: NULL::BIGINT}}`
    const actions = await readBack(
      `SELECT {path: 'a', size: 1::BIGINT, modificationTime: 2::BIGINT, dataChange: false, stats: NULL::VARCHAR,
         stats_parsed: ${parsed}} AS add
       UNION ALL SELECT {path: 'b', size: 1, modificationTime: 2, dataChange: true, stats: '{"numRecords":7}',
         stats_parsed: NULL} UNION ALL SELECT {path: 'c', size: 1, modificationTime: 2, dataChange: false,
         stats: NULL, stats_parsed: NULL}`
    )
    const [a, b, c] = adds(actions)
    assert.equal(
      a?.['stats'],
      '{"numRecords":3,"minValues":{"n":1,"d":"2024-02-29","t":"2024-01-01T01:02:03.004000Z",' +
        '"z":"2024-01-01T01:02:03.004000","x":1234567890123456789.10,"s":{"i":1}},"maxValues":{"n":9007199254740993,' +
        '"d":"2024-02-29","t":"2024-01-01T01:02:03.004005Z","z":"2024-01-01T01:02:03.004005","x":1234567890123456789.10,"s":{"i":1}},' +
        '"nullCount":{"n":0}}'
    )
    assert.equal(b?.['stats'], '{"numRecords":7}')
    assert.equal(b?.['dataChange'], true)
    assert.equal(c?.['stats'], null)
    assert.equal(c?.['dataChange'], false)
  })

  test('gives partition values from their struct where there is no map', async () => {
    const actions = await readBack(
      `SELECT {path: 'a', size: 1, modificationTime: 2, dataChange: false, partitionValues_parsed:
         {s: 'x', i: 7, d: DATE '2024-02-29', b: true, n: NULL::INTEGER, t: TIMESTAMPTZ '2024-01-01 01:02:03.004'}} AS add`
    )
    assert.deepEqual(adds(actions)[0]?.['partitionValues'], {
      s: 'x',
      i: '7',
      d: '2024-02-29',
      b: 'true',
      n: null,
      t: '2024-01-01 01:02:03.004000'
    })
  })

  test('may name files with the character that the texts are joined by', async () => {
    const paths = ['a', 'b\u001fc', 'd"\\\n', 'é\u{1f600}']
    const rows = paths.map(
      path => `SELECT {path: '${path}', size: 1::BIGINT, stats: '${path}'} AS add`
    )
    const actions = adds(await readBack(rows.join(' UNION ALL ')))
    assert.deepEqual(
      actions.map(({ path, stats }) => [path, stats]),
      paths.map(path => [path, path])
    )
  })

  test('may be of more rows than are read at a time, and of several files', async () => {
    const file = (from: number, to: number): string =>
      `SELECT {path: 'f' || i, size: i, tags: CASE WHEN i % 50000 = 0 THEN MAP {'k': i::VARCHAR} END,
         partitionValues: CASE WHEN i % 2 = 0 THEN MAP {'p': (i % 10)::VARCHAR} ELSE MAP {} END} AS add,
         CASE WHEN i % 100000 = 99999 THEN {appId: 'app' || i, version: i} END AS txn FROM range(${from}, ${to}) r(i)`
    const actions = await readBack(file(0, 250_000), file(250_000, 250_010))
    const found = adds(actions)
    assert.equal(found.length, 250_010)
    for (const [i, { path, size, tags, partitionValues }] of found.entries()) {
      const expected = [
        `f${i}`,
        i,
        i % 50_000 === 0 ? `${i}` : undefined,
        i % 2 === 0 ? `${i % 10}` : undefined
      ]
      const tag = (tags as JsonObject | undefined)?.['k']
      assert.deepEqual([path, size, tag, (partitionValues as JsonObject)['p']], expected)
    }
    const txns = actions.flatMap(({ txn }) => (txn === undefined ? [] : [txn]))
    assert.deepEqual(txns, [
      { appId: 'app99999', version: 99_999 },
      { appId: 'app199999', version: 199_999 }
    ])
  })

  test('tells a map that is empty from one that is missing, where only some are', async () => {
    const rows = ['MAP {}', 'NULL', "MAP {'p': NULL, 'q': ''}"].map(
      (values, i) =>
        `SELECT {path: 'f${i}', size: 1, deletionTimestamp: 5, partitionValues: ${values}::MAP(VARCHAR, VARCHAR)} AS remove`
    )
    const actions = await readBack(rows.join(' UNION ALL '))
    assert.deepEqual(
      actions.map(({ remove }) => (remove as JsonObject)['partitionValues']),
      [{}, null, { p: null, q: '' }]
    )
  })

  test('is refused when its columns hold no actions', async () => {
    await assert.rejects(readBack("SELECT 'x' AS add, {appId: 'a', version: 1} AS txn"), {
      code: 'DELTA_DATA_CORRUPT'
    })
    assert.deepEqual(await readBack("SELECT {path: 'a', size: 1} AS add WHERE false"), [])
    assert.deepEqual(await readBack('SELECT 1 AS other'), [])
  })
})
