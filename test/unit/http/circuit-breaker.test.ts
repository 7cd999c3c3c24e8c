import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BreakerPermit, CircuitBreaker } from '../../../src/http/index.ts'

const options = { failureThreshold: 5, openMs: 60_000, trialSlots: 3, successesToClose: 2 }

function opened(now = 0): CircuitBreaker {
  const breaker = new CircuitBreaker(options)
  for (let i = 0; i < 5; i += 1) breaker.settle(breaker.take(now), 'failure', now)
  return breaker
}

test('opens at the fifth failure in a row and tells the remaining time', () => {
  const breaker = new CircuitBreaker(options)
  for (let i = 0; i < 4; i += 1) breaker.settle(breaker.take(0), 'failure', 0)
  breaker.settle(breaker.take(0), 'success', 0)
  for (let i = 0; i < 4; i += 1) breaker.settle(breaker.take(0), 'failure', 0)
  assert.equal(breaker.state, 'closed', 'a success between starts the count again')
  breaker.settle(breaker.take(0), 'failure', 0)
  assert.equal(breaker.state, 'open')
  assert.equal(breaker.delay(20_000), 40_000)
})

test('permanent errors, 401 and 429 neither open nor close it', () => {
  const breaker = new CircuitBreaker(options)
  for (let i = 0; i < 50; i += 1) breaker.settle(breaker.take(0), 'ignored', 0)
  assert.equal(breaker.state, 'closed')
  const half = opened()
  for (let i = 0; i < 50; i += 1) half.settle(half.take(60_000), 'ignored', 60_000)
  assert.equal(half.state, 'half_open')
})

test('admits three trials at once while half-open, however many ask', () => {
  const breaker = opened()
  const permits: BreakerPermit[] = []
  while (breaker.delay(60_000) === 0) permits.push(breaker.take(60_000))
  assert.equal(permits.length, 3)
  assert.ok(permits.every(permit => permit.trial))
  assert.equal(breaker.delay(60_000), Number.POSITIVE_INFINITY)
})

test('closes after two successful trials and opens again after one failed trial', () => {
  const closing = opened()
  closing.settle(closing.take(60_000), 'success', 60_000)
  assert.equal(closing.state, 'half_open')
  closing.settle(closing.take(60_000), 'success', 60_000)
  assert.equal(closing.state, 'closed')

  const failing = opened()
  failing.settle(failing.take(60_000), 'success', 60_000)
  failing.settle(failing.take(60_000), 'failure', 61_000)
  assert.equal(failing.state, 'open')
  assert.equal(failing.delay(61_000), 60_000)
})

test('ignores results of calls that began before the state changed', () => {
  const breaker = new CircuitBreaker(options)
  const old = breaker.take(0)
  for (let i = 0; i < 5; i += 1) breaker.settle(breaker.take(0), 'failure', 0)
  breaker.take(60_000)
  breaker.settle(old, 'failure', 60_000)
  assert.equal(breaker.state, 'half_open')
})

test('keeps its rules under any sequence of calls, results and waits', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('take' as const) }),
    fc.record({
      do: fc.constant('settle' as const),
      pick: fc.nat(20),
      outcome: fc.constantFrom('success' as const, 'failure' as const, 'ignored' as const)
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 70_000 }) })
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const breaker = new CircuitBreaker(options)
      let now = 0
      let underWay: BreakerPermit[] = []
      let failuresInARow = 0
      let openedAt: number | undefined
      for (const action of steps) {
        const before = breaker.state
        if (action.do === 'wait') now += action.ms
        else if (action.do === 'take' && breaker.delay(now) === 0) {
          underWay.push(breaker.take(now))
          if (before === 'open') assert.ok(now - (openedAt ?? 0) >= options.openMs)
        } else if (action.do === 'settle' && underWay.length > 0) {
          const permit = underWay[action.pick % underWay.length] as BreakerPermit
          underWay = underWay.filter(other => other !== permit)
          breaker.settle(permit, action.outcome, now)
          if (before === 'closed' && !permit.trial) {
            if (action.outcome === 'failure') failuresInARow += 1
            if (action.outcome === 'success') failuresInARow = 0
          }
          if (before === 'closed' && breaker.state === 'open') assert.ok(failuresInARow >= 5)
        }
        if (before !== 'open' && breaker.state === 'open') {
          openedAt = now
          failuresInARow = 0
        }
        if (breaker.state === 'half_open') {
          const generation = Math.max(...underWay.map(permit => permit.generation), 0)
          const trials = underWay.filter(p => p.trial && p.generation === generation)
          assert.ok(trials.length <= options.trialSlots)
        }
      }
    })
  )
})
