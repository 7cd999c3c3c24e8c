import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TokenBucket } from '../../../src/http/index.ts'

test('allows a burst of one second, then the rate', () => {
  const bucket = new TokenBucket({ perSecond: 10 })
  for (let i = 0; i < 10; i += 1) {
    assert.equal(bucket.delay(0), 0)
    bucket.take(0)
  }
  assert.equal(bucket.delay(0), 100)
  assert.equal(bucket.delay(100), 0)
})

test('never allows more than burst plus rate × time, whatever the pauses', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 60 }),
      (perSecond, pauses) => {
        const bucket = new TokenBucket({ perSecond })
        let now = 0
        let taken = 0
        for (const pause of pauses) {
          now += pause
          while (bucket.delay(now) === 0) {
            bucket.take(now)
            taken += 1
          }
        }
        assert.ok(taken <= perSecond + (perSecond * now) / 1000 + 1e-6)
      }
    )
  )
})
