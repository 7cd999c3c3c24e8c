/** Nested values leave the engine as JSON text that loses nothing (src/delta/README.md "Nested values"). */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { type DataType, DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const struct = (fields: Readonly<Record<string, DataType>>): DataType => ({
  type: 'struct',
  fields: Object.entries(fields).map(([name, type]) => ({
    name,
    type,
    nullable: true,
    metadata: {}
  }))
})
const array = (elementType: DataType): DataType => ({
  type: 'array',
  elementType,
  containsNull: true
})
const map = (keyType: DataType, valueType: DataType): DataType => ({
  type: 'map',
  keyType,
  valueType,
  valueContainsNull: true
})

test('integers, decimals, bytes and instants of nested values keep every digit', async () => {
  const type = struct({
    long: 'long',
    decimal: 'decimal(38,3)',
    bytes: 'binary',
    at: 'timestamp',
    local: 'timestamp_ntz',
    day: 'date',
    missing: 'timestamp'
  })
  const value = `{'long': 9223372036854775807::BIGINT,
    'decimal': 12345678901234567890123456789012345.600::DECIMAL(38, 3),
    'bytes': '\\x00\\xFFab'::BLOB, 'at': TIMESTAMPTZ '0001-01-01 00:00:00.123456+00',
    'local': TIMESTAMP '9999-12-31 23:59:59.999999', 'day': DATE '1582-10-10',
    'missing': NULL::TIMESTAMPTZ}`
  assert.deepEqual(await read(type, value), [
    '{"long":9223372036854775807,"decimal":"12345678901234567890123456789012345.600",' +
      '"bytes":"AP9hYg==","at":"0001-01-01T00:00:00.123456Z","local":"9999-12-31T23:59:59.999999",' +
      '"day":"1582-10-10","missing":null}'
  ])
})

test('what JSON has no numbers for is text, so that the text is JSON', async () => {
  const type = array('double')
  const [cell] = await read(type, `['nan'::DOUBLE, 'inf', '-inf', 0.1, NULL]`)
  assert.deepEqual(JSON.parse(String(cell)), ['NaN', 'Infinity', '-Infinity', 0.1, null])
})

test('maps are lists of their entries, whatever the type of their keys', async () => {
  const type = map(struct({ x: 'integer' }), array('date'))
  const [cell, none] = await read(
    type,
    `map {{'x': 1}: [DATE '2020-01-31', NULL], {'x': NULL}: NULL}`,
    'NULL'
  )
  assert.deepEqual(JSON.parse(String(cell)), [
    { key: { x: 1 }, value: ['2020-01-31', null] },
    { key: { x: null }, value: null }
  ])
  assert.equal(none, null)
})

test('a null struct is null and not a struct of nulls, at any depth', async () => {
  const type = array(struct({ 'a"b': map('string', 'float'), c: 'string' }))
  const [cell] = await read(type, `[NULL, {'a"b': map {'k': 1.5::FLOAT}, 'c': '"ü'}]`)
  assert.deepEqual(JSON.parse(String(cell)), [null, { 'a"b': [{ key: 'k', value: 1.5 }], c: '"ü' }])
})

async function read(type: DataType, ...values: readonly string[]): Promise<unknown[]> {
  await using delta = await openTestDelta()
  await createTable(delta, type, values)
  const table = await DeltaTable.open('t', delta.ports, delta.options)
  const rows = await table.read()
  await table.close()
  return rows.map(row => row['v']).sort((a, b) => Number(a === null) - Number(b === null))
}

/** A table of one column, whose file is not written by the engine. */
async function createTable(
  delta: TestDelta,
  type: DataType,
  values: readonly string[]
): Promise<void> {
  const directory = join(delta.root, 'tables', 't')
  mkdirSync(join(directory, '_delta_log'), { recursive: true })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const selects = values.map(value => `SELECT ${value} AS v`)
  await connection.run(`COPY (${selects.join(' UNION ALL ')}) TO '${directory}/a.parquet'`)
  connection.closeSync()
  instance.closeSync()
  const field = { name: 'v', type, nullable: true, metadata: {} }
  const actions = [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: 'd7f8a5a2-0000-4000-8000-000000000000',
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields: [field] }),
        partitionColumns: [],
        configuration: {}
      }
    },
    {
      add: {
        path: 'a.parquet',
        partitionValues: {},
        size: 1,
        modificationTime: 1,
        dataChange: true
      }
    }
  ]
  const log = actions.map(action => JSON.stringify(action)).join('\n')
  writeFileSync(join(directory, '_delta_log', `${'0'.padStart(20, '0')}.json`), log)
}
