import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs, parseRetryAfter } from '../../../src/http/index.ts'

const now = Date.UTC(2026, 0, 15, 12, 0, 0)

test('reads seconds and HTTP dates', () => {
  assert.equal(parseRetryAfter('7', now), 7000)
  assert.equal(parseRetryAfter(' 0 ', now), 0)
  assert.equal(parseRetryAfter(['3', '9'], now), 3000)
  assert.equal(parseRetryAfter('Thu, 15 Jan 2026 12:00:30 GMT', now), 30_000)
  assert.equal(parseRetryAfter('Thu, 15 Jan 2026 11:00:00 GMT', now), 0)
})

test('ignores negative and unreadable values', () => {
  for (const value of [undefined, '', '-1', 'soon', '1e3', '2026-01-15', '12 apples', 'NaN']) {
    assert.equal(parseRetryAfter(value, now), undefined, String(value))
  }
})

test('backs off exponentially, half fixed and half random, up to the maximum', () => {
  const options = { baseMs: 1000, factor: 2, maxMs: 30_000 }
  assert.equal(backoffMs(options, 1, 0), 500)
  assert.equal(backoffMs(options, 2, 0.5), 1500)
  assert.equal(backoffMs(options, 20, 1), 30_000)
})
