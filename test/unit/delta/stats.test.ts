import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AddAction } from '../../../src/delta/actions.ts'
import {
  compareCells,
  mayHoldKeys,
  mayHoldTerms,
  wantedValues
} from '../../../src/delta/data-skipping.ts'
import type { DataType, SchemaField } from '../../../src/delta/schema.ts'
import { parseStats, serialiseStats } from '../../../src/delta/stats.ts'

const field = (name: string, type: DataType): SchemaField => ({
  name,
  type,
  nullable: true,
  metadata: {}
})

describe('file statistics', () => {
  const stats = (type: DataType, min: string, max: string): { min: unknown; max: unknown } => {
    const columns = new Map([['c', { nullCount: 0, min, max }]])
    const text = serialiseStats({ size: 1, numRecords: 2, columns }, [field('c', type)], 32)
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

  test('has no bounds for booleans and for what is not finite', () => {
    assert.deepEqual(stats('boolean', '0', '1'), { min: undefined, max: undefined })
    assert.deepEqual(stats('double', '-inf', '5'), { min: undefined, max: undefined })
  })

  test('covers only the indexed columns', () => {
    const columns = new Map([
      ['a', { nullCount: 1, min: '1', max: '2' }],
      ['b', { nullCount: 2, min: '1', max: '2' }]
    ])
    const fields = [field('a', 'long'), field('b', 'long')]
    const text = serialiseStats({ size: 1, numRecords: 3, columns }, fields, 1)
    assert.deepEqual(parseStats(text), {
      numRecords: 3,
      minValues: { a: 1 },
      maxValues: { a: 2 },
      nullCount: { a: 1 }
    })
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
