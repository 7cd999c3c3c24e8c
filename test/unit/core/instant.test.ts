import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  dateOf,
  formatInstant,
  isoFromMillis,
  microsFromMillis,
  millisFromMicros,
  parseInstant
} from '../../../src/core/index.ts'

/** Microseconds of the years 0100 to 9999. */
const micros = fc.bigInt({ min: -59_011_459_200_000_000n, max: 253_402_300_799_999_999n })

describe('points in time', () => {
  it('reads every spelling of the reference as the same instant', () => {
    const expected = parseInstant('2026-01-10T22:15:51.580000Z')
    for (const text of [
      '2026-01-10T22:15:51.580+00:00',
      '2026-01-10T22:15:51.58',
      '2026-01-10 22:15:51.580Z',
      '2026-01-10T23:15:51.580+0100',
      '2026-01-10T23:15:51,58+01',
      ' 2026-01-10t22:15:51.580000999z '
    ]) {
      assert.equal(parseInstant(text), expected, text)
    }
  })

  it('cuts Kusto fractions of seven digits to microseconds', () => {
    assert.equal(
      parseInstant('2026-01-10T22:15:51.1234567Z'),
      parseInstant('2026-01-10T22:15:51.123456Z')
    )
  })

  it('takes a date alone as its midnight in UTC', () => {
    assert.equal(parseInstant('2024-02-29'), parseInstant('2024-02-29T00:00:00Z'))
  })

  it('refuses what is not a time or does not exist', () => {
    for (const text of [
      '',
      'yesterday',
      '2026-13-01',
      '2025-02-29',
      '2026-01-10T24:00:00Z',
      '2026-01-10T10:60:00Z',
      '2026-01-10T10:00:61Z',
      '2026-01-10T10:00:00+24:00',
      '20260110',
      '1768083351'
    ]) {
      assert.equal(parseInstant(text), undefined, text)
    }
  })

  it('writes and reads back every microsecond', () => {
    fc.assert(fc.property(micros, value => assert.equal(parseInstant(formatInstant(value)), value)))
  })

  it('writes texts that sort as the times do', () => {
    fc.assert(
      fc.property(micros, micros, (a, b) =>
        assert.equal(formatInstant(a) < formatInstant(b), a < b)
      )
    )
  })

  it('rounds milliseconds towards the past, before the epoch too', () => {
    assert.equal(millisFromMicros(-1n), -1)
    assert.equal(millisFromMicros(1_999n), 1)
    assert.equal(dateOf(-1n), '1969-12-31')
    assert.equal(isoFromMillis(0), '1970-01-01T00:00:00.000000Z')
    assert.equal(microsFromMillis(1.9), 1_000n)
  })
})
