import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConcurrencyLimiter, defaultConcurrency } from '../../../src/http/index.ts'

function limiter(): ConcurrencyLimiter {
  return new ConcurrencyLimiter({ ...defaultConcurrency, max: 20 })
}

/** A small repeatable noise in [0, 1). */
function noise(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

test('starts at the maximum', () => {
  const limit = limiter()
  for (let i = 0; i < 20; i += 1) {
    assert.equal(limit.delay(), 0)
    limit.take()
  }
  assert.equal(limit.delay(), Number.POSITIVE_INFINITY)
  limit.release()
  assert.equal(limit.delay(), 0)
})

test('does not shrink for steady latency with jitter and a few slow answers', () => {
  const limit = limiter()
  const random = noise(7)
  for (let i = 0; i < 50_000; i += 1) {
    const latency = random() < 0.05 ? 2000 : 15 + random() * 20
    limit.onAnswer('a', latency, i)
    assert.equal(limit.limit, 20)
  }
})

test('does not shrink when the mix moves from quick to slow routes', () => {
  const limit = limiter()
  for (let i = 0; i < 1000; i += 1) limit.onAnswer('quick', 5, i)
  for (let i = 0; i < 1000; i += 1) limit.onAnswer('slow', 400, 1000 + i)
  assert.equal(limit.limit, 20)
})

test('shrinks when latency rises well above its minimum, not below a quarter, and climbs again', () => {
  const limit = limiter()
  for (let i = 0; i < 400; i += 1) limit.onAnswer('a', 20, i)
  for (let i = 0; i < 4000; i += 1) limit.onAnswer('a', 500, 400 + i)
  assert.ok(limit.limit < 12, String(limit.limit))
  assert.ok(limit.limit >= 5, String(limit.limit))
  for (let i = 0; i < 1000; i += 1) limit.onAnswer('a', 20, 5000 + i)
  assert.equal(limit.limit, 20)
})

test('accepts a server that stays slower as the new normal', () => {
  const limit = limiter()
  let now = 0
  for (; now < 1000; now += 1) limit.onAnswer('a', 20, now)
  for (; now < 200_000; now += 10) limit.onAnswer('a', 500, now)
  assert.equal(limit.limit, 20)
})

test('backs off once for a volley of 429 and once more for the next', () => {
  const limit = limiter()
  for (let i = 0; i < 20; i += 1) limit.onOverload('throttled', 0, 100)
  assert.equal(limit.limit, 18)
  limit.onOverload('throttled', 150, 200)
  assert.equal(limit.limit, 16)
  limit.onOverload('timeout', 250, 300)
  assert.equal(limit.limit, 11)
})

test('always leaves one call', () => {
  const limit = limiter()
  for (let i = 0; i < 200; i += 1) limit.onOverload('timeout', i * 10 + 1, i * 10 + 2)
  assert.equal(limit.limit, 1)
})
