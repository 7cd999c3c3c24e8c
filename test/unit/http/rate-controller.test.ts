import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateController } from '../../../src/http/index.ts'

interface Limiter {
  accept(now: number, perSecond: number): boolean
}

function tokenBucket(burstSeconds: number): Limiter {
  let tokens = 100 * burstSeconds
  let at = 0
  return {
    accept(now, perSecond) {
      tokens = Math.min(perSecond * burstSeconds, tokens + ((now - at) / 1000) * perSecond)
      at = now
      if (tokens < 1) return false
      tokens -= 1
      return true
    }
  }
}

const phaseMs = 30_000
const limits = [100, 40, 80]

/** Twenty eager callers against a hidden moving limit, in steps of a millisecond of virtual time. */
function simulate(limiter: Limiter, holdMs: number, roundTripMs = 20) {
  const rate = new RateController()
  const accepted: number[] = []
  let underWay: { at: number; sentAt: number; ok: boolean }[] = []
  let refused = 0
  let holdUntil = 0
  for (let now = 0; now < phaseMs * limits.length; now += 1) {
    for (const call of underWay.filter(one => one.at <= now)) {
      if (call.ok) rate.onAccepted(call.sentAt, now)
      else {
        rate.onThrottled(call.sentAt, now)
        holdUntil = Math.max(holdUntil, now + holdMs)
        rate.onHold(now, holdUntil)
      }
    }
    underWay = underWay.filter(one => one.at > now)
    while (underWay.length < 20 && now >= holdUntil && rate.delay(now) <= 0) {
      rate.take(now)
      const arrival = now + roundTripMs / 2
      const limit = limits[Math.min(2, Math.floor(arrival / phaseMs))] ?? 0
      const ok = limiter.accept(arrival, limit)
      if (ok) accepted.push(arrival)
      else refused += 1
      underWay.push({ at: now + roundTripMs, sentAt: now, ok })
    }
  }
  const held = limits.map((limit, phase) => {
    const from = phase * phaseMs + 10_000
    const to = (phase + 1) * phaseMs
    return accepted.filter(at => at >= from && at < to).length / ((to - from) / 1000) / limit
  })
  return { held, refusedShare: refused / (accepted.length + refused) }
}

test('knows no limit until a first volley of 429', () => {
  const rate = new RateController()
  for (let now = 0; now < 1000; now += 1) {
    assert.equal(rate.delay(now), 0)
    rate.take(now)
    rate.onAccepted(now, now)
  }
  assert.equal(rate.rate, undefined)
  rate.onThrottled(1000, 1000)
  assert.equal(rate.rate, undefined, 'one 429 among many answers is no limit')
  for (let i = 0; i < 3; i += 1) rate.onThrottled(1000, 1000)
  assert.ok(rate.rate !== undefined && rate.delay(1000) > 0)
})

for (const [burst, holdMs] of [
  [0.2, 200],
  [0.5, 1000],
  [1, 200],
  [1, 1000],
  [2, 200],
  [2, 1000]
] as const) {
  test(`holds a limit moving 100, 40, 80 within 10 % with under 1 % refused (burst ${burst} s, hold ${holdMs} ms)`, () => {
    const { held, refusedShare } = simulate(tokenBucket(burst), holdMs)
    for (const ratio of held) assert.ok(ratio > 0.9 && ratio < 1.1, JSON.stringify(held))
    assert.ok(refusedShare < 0.01, String(refusedShare))
  })
}

test('a volley of 429 for calls under way counts as one', () => {
  const rate = new RateController()
  for (let i = 0; i < 200; i += 1) rate.onAccepted(i, i)
  for (let i = 0; i < 4; i += 1) rate.onThrottled(201, 220)
  const after = rate.rate
  for (let i = 202; i < 220; i += 1) rate.onThrottled(i, 220)
  assert.equal(rate.rate, after)
})

test('does not climb while callers ask for less than is allowed', () => {
  const rate = new RateController()
  for (let i = 0; i < 100; i += 1) rate.onAccepted(i * 10, i * 10)
  for (let i = 0; i < 4; i += 1) rate.onThrottled(1001, 1010)
  const before = rate.rate
  for (let now = 2000; now < 60_000; now += 500) {
    assert.equal(rate.delay(now), 0)
    rate.take(now)
    rate.onAccepted(now, now + 20)
  }
  assert.equal(rate.rate, before)
})

test('429 by chance, without a limit behind them, do not slow it down', () => {
  const rate = new RateController()
  for (let i = 0; i < 5000; i += 1) {
    if (i % 50 === 49) rate.onThrottled(i, i)
    else rate.onAccepted(i, i)
  }
  assert.equal(rate.rate, undefined)
})
