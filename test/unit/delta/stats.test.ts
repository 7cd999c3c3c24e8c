import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exactText, parseExactJson, stringifyJson } from '../../../src/core/index.ts'
import type { AddAction } from '../../../src/delta/actions.ts'
import { mayHoldKeys, mayHoldTerms, wantedValues } from '../../../src/delta/data-skipping.ts'
import type { ColumnStatistics } from '../../../src/delta/parquet-engine.ts'
import type { DataType, SchemaField } from '../../../src/delta/schema.ts'
import { parseStats, serialiseStats } from '../../../src/delta/stats.ts'
import { statisticsColumns } from '../../../src/delta/table-properties.ts'
import { compareCells } from '../../../src/delta/values/order.ts'

const field = (name: string, type: DataType): SchemaField => ({
  name,
  type,
  nullable: true,
  metadata: {}
})

describe('file statistics', () => {
  const stats = (type: DataType, min: string, max: string): { min: unknown; max: unknown } => {
    const columns = new Map([['c', { nullCount: 0, min, max }]])
    const text = serialiseStats({ size: 1, numRecords: 2, columns }, [field('c', type)], {
      first: 32
    })
    const { minValues, maxValues } = parseStats(text)
    return { min: minValues?.['c'], max: maxValues?.['c'] }
  }

  test('cuts strings to 32 characters, the maximum upwards', () => {
    const long = 'a'.repeat(40)
    assert.deepEqual(stats('string', long, long), {
      min: 'a'.repeat(32),
      max: `${'a'.repeat(32)}\u007f`
    })
    const wide = '\u{1f600}'.repeat(33)
    assert.deepEqual(stats('string', wide, wide), {
      min: '\u{1f600}'.repeat(32),
      max: `${'\u{1f600}'.repeat(32)}\u{10ffff}`
    })
    assert.deepEqual(stats('string', 'b', 'c'), { min: 'b', max: 'c' })
  })

  test('cuts timestamps to milliseconds', () => {
    assert.deepEqual(
      stats('timestamp', '1969-12-31 23:59:59.999999+00', '2024-01-01 00:00:00.123999+00'),
      { min: '1969-12-31T23:59:59.999Z', max: '2024-01-01T00:00:00.123Z' }
    )
  })

  test('keeps 64-bit integers exact', () => {
    assert.deepEqual(stats('long', '-9223372036854775808', '9223372036854775807'), {
      min: -(2n ** 63n),
      max: 2n ** 63n - 1n
    })
  })

  test('keeps every digit of decimals, as numbers', () => {
    const columns = new Map([
      ['c', { nullCount: 0, min: '-.50000000000000000000', max: '12345678901234567890.1' }]
    ])
    const fields = [field('c', 'decimal(38,20)')]
    const text = serialiseStats({ size: 1, numRecords: 2, columns }, fields, { first: 32 })
    assert.match(text, /"minValues":{"c":-0\.50000000000000000000}/)
    assert.match(text, /"maxValues":{"c":12345678901234567890\.1}/)
    const { minValues, maxValues } = parseStats(text)
    assert.equal(exactText(minValues?.['c']), '-0.50000000000000000000')
    assert.equal(exactText(maxValues?.['c']), '12345678901234567890.1')
    assert.equal(stringifyJson(parseExactJson(text)), text)
  })

  test('have no zone for timestamps without one, and cover zeros of both signs', () => {
    assert.deepEqual(stats('timestamp_ntz', '0001-01-01 00:00:00', '2024-01-01 00:00:00.1239'), {
      min: '0001-01-01T00:00:00.000',
      max: '2024-01-01T00:00:00.123'
    })
    assert.deepEqual(stats('double', '0.0', '-0.0'), { min: -0, max: 0 })
  })

  test('has no bounds for booleans and for what is not finite', () => {
    assert.deepEqual(stats('boolean', '0', '1'), { min: undefined, max: undefined })
    assert.deepEqual(stats('binary', '00', 'FF'), { min: undefined, max: undefined })
    assert.deepEqual(stats('double', '-inf', '5'), { min: undefined, max: undefined })
  })

  test('covers only the indexed columns', () => {
    const columns = new Map([
      ['a', { nullCount: 1, min: '1', max: '2' }],
      ['b', { nullCount: 2, min: '1', max: '2' }]
    ])
    const fields = [field('a', 'long'), field('b', 'long')]
    const text = serialiseStats({ size: 1, numRecords: 3, columns }, fields, { first: 1 })
    assert.deepEqual(parseStats(text), {
      numRecords: 3,
      minValues: { a: 1 },
      maxValues: { a: 2 },
      nullCount: { a: 1 }
    })
  })

  test('cover the columns that are named, fields of structs too', () => {
    const configuration = { 'delta.dataSkippingStatsColumns': 'b, `a.x`, s.inner.`y`' }
    const metadata = { id: '', format: { provider: 'parquet' }, schemaString: '' }
    const wanted = statisticsColumns({ ...metadata, partitionColumns: [], configuration })
    const one = { nullCount: 0, min: '1', max: '2' }
    const inner: DataType = { type: 'struct', fields: [field('x', 'long'), field('Y', 'long')] }
    const fields = [
      field('a', 'long'),
      field('B', 'long'),
      field('a.x', 'long'),
      field('s', { type: 'struct', fields: [field('inner', inner)] })
    ]
    const columns = new Map<string, ColumnStatistics>([
      ...(['a', 'B', 'a.x'] as const).map(name => [name, one] as const),
      [
        's',
        {
          fields: new Map([
            [
              'inner',
              {
                fields: new Map([
                  ['x', one],
                  ['Y', one]
                ])
              }
            ]
          ])
        }
      ]
    ])
    const text = serialiseStats({ size: 1, numRecords: 3, columns }, fields, wanted)
    assert.deepEqual(parseStats(text).minValues, { B: 1, 'a.x': 1, s: { inner: { Y: 1 } } })
    assert.deepEqual(parseStats(text).nullCount, { B: 0, 'a.x': 0, s: { inner: { Y: 0 } } })
    const first = serialiseStats({ size: 1, numRecords: 3, columns }, fields, { first: 4 })
    assert.deepEqual(parseStats(first).maxValues, { a: 2, B: 2, 'a.x': 2, s: { inner: { x: 2 } } })
  })

  test('are empty when they cannot be read', () => {
    for (const text of [undefined, null, '', '{', '[]', '5']) assert.deepEqual(parseStats(text), {})
  })
})

describe('data skipping', () => {
  const add = (
    min: unknown,
    max: unknown,
    partitionValues: Record<string, string | null> = {}
  ): AddAction => ({
    path: 'p',
    partitionValues,
    size: 1,
    modificationTime: 0,
    dataChange: true,
    stats: JSON.stringify({ numRecords: 1, minValues: { c: min }, maxValues: { c: max } })
  })

  test('keeps a file whose cut maximum may still hide the key', () => {
    const key = `${'a'.repeat(32)}zzz`
    const file = add('a'.repeat(32), `${'a'.repeat(32)}\u007f`)
    assert.equal(mayHoldKeys(file, [wantedValues(field('c', 'string'), [key])]), true)
  })

  test('keeps a file whose timestamps were cut to the millisecond of the key', () => {
    const file = add('2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00.123Z')
    const at = BigInt(Date.UTC(2024, 0, 1)) * 1000n
    const holds = (value: bigint): boolean =>
      mayHoldKeys(file, [wantedValues(field('c', 'timestamp'), [value])])
    assert.equal(holds(at + 123_999n), true)
    assert.equal(holds(at + 124_000n), false)
    assert.equal(holds(at - 1n), false)
  })

  test('compares decimals by value and to the last digit', () => {
    const type = field('c', 'decimal(38,20)')
    const stats = `{"minValues":{"c":-2.5},"maxValues":{"c":10.00000000000000000001}}`
    const file = { ...add(0, 0), stats }
    const holds = (value: string): boolean => mayHoldKeys(file, [wantedValues(type, [value])])
    assert.equal(holds('9.00000000000000000000'), true)
    assert.equal(holds('10.00000000000000000001'), true)
    assert.equal(holds('10.00000000000000000002'), false)
    assert.equal(holds('-2.50000000000000000001'), false)
    const fields = new Map([['c', type]])
    const matches = (operator: '<' | '>' | '=', value: string | number): boolean =>
      mayHoldTerms(file, [{ column: 'c', operator, values: [value] }], fields)
    assert.equal(matches('>', 9), true)
    assert.equal(matches('>', 10), true)
    assert.equal(matches('>', 11), false)
    assert.equal(matches('<', -3), false)
    assert.equal(matches('=', '0.123456789012345678901'), true)
    assert.equal(matches('=', '-4'), false)
  })

  test('compares instants without zone, and floats by their shortest text', () => {
    const times = add('2024-01-01T00:00:00.000', '2024-01-02T00:00:00.123')
    const fields = new Map([['c', field('c', 'timestamp_ntz')]])
    const after = (value: string): boolean => {
      const term = { column: 'c', operator: '>' as const, values: [value] }
      return mayHoldTerms(times, [{ ...term, valueType: 'timestamp' }], fields)
    }
    assert.equal(after('2024-01-02 00:00:00.1234'), true)
    assert.equal(after('2024-01-02 00:00:00.124'), false)
    assert.equal(after('2024-01-03'), false)
    const floats = add(0.1, 0.3)
    const holds = (value: number): boolean =>
      mayHoldKeys(floats, [wantedValues(field('c', 'float'), [value])])
    assert.equal(holds(Math.fround(0.1)), true)
    assert.equal(holds(Math.fround(0.3)), true)
    assert.equal(holds(Math.fround(0.31)), false)
  })

  test('leaves a file out when no key is in its range', () => {
    const file = add('d', 'f')
    const holds = (...keys: string[]): boolean =>
      mayHoldKeys(file, [wantedValues(field('c', 'string'), keys)])
    assert.equal(holds('a', 'z'), false)
    assert.equal(holds('a', 'e', 'z'), true)
    assert.equal(holds('f'), true)
  })

  test('compares text by code point, not by UTF-16 unit', () => {
    assert.ok(compareCells('\uffee', '\u{1f600}') < 0)
    assert.ok(compareCells('a', 'ab') < 0)
  })

  test('uses partition values and keeps what it cannot judge', () => {
    const fields = new Map([
      ['day', field('day', 'date')],
      ['c', field('c', 'long')]
    ])
    const file = add(1, 5, { day: '2024-01-02' })
    const term = (column: string, operator: '=' | '<' | '>=', value: string | number) => ({
      column,
      operator,
      values: [value]
    })
    assert.equal(mayHoldTerms(file, [term('day', '=', '2024-01-02')], fields), true)
    assert.equal(mayHoldTerms(file, [term('day', '<', '2024-01-02')], fields), false)
    assert.equal(mayHoldTerms(file, [term('c', '>=', 6)], fields), false)
    assert.equal(mayHoldTerms(file, [term('c', '=', 'not a number')], fields), true)
    assert.equal(mayHoldTerms(file, [term('unknown', '=', 1)], fields), true)
    const nullDay = add(1, 5, { day: null })
    assert.equal(mayHoldTerms(nullDay, [term('day', '=', '2024-01-02')], fields), false)
  })
})
