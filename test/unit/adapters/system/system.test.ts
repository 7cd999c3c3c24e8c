import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock, systemIds } from '../../../../src/adapters/system/index.ts'

describe('system clock', () => {
  it('sleeps at least as long as asked', async () => {
    const clock = systemClock()
    const start = clock.monotonic()
    await clock.sleep(20)
    assert.ok(clock.monotonic() - start >= 19)
  })

  it('rejects with an AbortError when the signal aborts, before or during the sleep', async () => {
    const clock = systemClock()
    await assert.rejects(clock.sleep(60_000, AbortSignal.abort()), { name: 'AbortError' })
    const controller = new AbortController()
    const sleeping = clock.sleep(60_000, controller.signal)
    controller.abort()
    await assert.rejects(sleeping, { name: 'AbortError' })
  })

  it('does not wake at once from a sleep longer than a timer can hold', async () => {
    const controller = new AbortController()
    const sleeping = systemClock().sleep(2 ** 33, controller.signal)
    const first = await Promise.race([sleeping.then(() => 'woke'), systemClock().sleep(20)])
    controller.abort()
    await assert.rejects(sleeping)
    assert.notEqual(first, 'woke')
  })
})

describe('system ids', () => {
  it('gives version 4 UUIDs, all different, and numbers below one', () => {
    const ids = systemIds()
    const uuids = new Set(Array.from({ length: 100 }, () => ids.uuid()))
    assert.equal(uuids.size, 100)
    for (const uuid of uuids) assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/)
    const number = ids.random()
    assert.ok(number >= 0 && number < 1)
  })
})
