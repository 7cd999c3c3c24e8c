import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { TransferError } from '../../../src/core/index.ts'
import { DependencyGate, defaultGateOptions } from '../../../src/runtime/index.ts'
import { FakeClock, fakeIds, settle } from '../../helpers/fake-clock.ts'

const away = () => new TransferError('STORAGE_UNAVAILABLE', 'the store is away')
const forever = new AbortController().signal
let clock: FakeClock

beforeEach(() => {
  clock = new FakeClock()
})

function gateWith(options = defaultGateOptions): DependencyGate {
  return new DependencyGate({ clock, ids: fakeIds() }, options)
}

describe('DependencyGate', () => {
  it('waits out an outage however long it is, and says what it waits for', async () => {
    const gate = gateWith()
    let down = true
    const run = gate.run(async () => {
      if (down) throw away()
      return 'stored'
    }, forever)
    await clock.advance(3_600_000)
    assert.match(String(gate.blockedBy), /the store is away/)
    down = false
    await clock.advance(10_000)
    assert.equal(await run, 'stored')
    assert.equal(gate.blockedBy, undefined)
  })

  it('gives a failure back when others succeed meanwhile: then it is its own', async () => {
    const gate = gateWith()
    const run = gate.run(async () => {
      throw away()
    }, forever)
    run.catch(() => undefined)
    await clock.advance(100)
    await gate.run(async () => 'fine', forever)
    await clock.advance(60_000)
    await assert.rejects(run, /the store is away/)
  })

  it('gives permanent failures and foreign errors back at once', async () => {
    const gate = gateWith()
    const refused = new TransferError('STORAGE_INVALID_PATH', 'bad path')
    await assert.rejects(
      gate.run(() => Promise.reject(refused), forever),
      /bad path/
    )
    await assert.rejects(
      gate.run(() => Promise.reject(new TypeError('bug')), forever),
      /bug/
    )
    assert.equal(clock.pending, 0)
  })

  it('can be told which failures are an outage', async () => {
    const gate = gateWith({
      ...defaultGateOptions,
      isOutage: error => error.code === 'STORAGE_UNAVAILABLE'
    })
    const slow = new TransferError('DOWNLOAD_FAILED', 'broke off')
    await assert.rejects(
      gate.run(() => Promise.reject(slow), forever),
      /broke off/
    )
    const waiting = gate.run(() => Promise.reject(away()), forever)
    waiting.catch(() => undefined)
    await settle()
    assert.ok(gate.blockedBy !== undefined)
  })

  it('lets go when aborted', async () => {
    const gate = gateWith()
    const controller = new AbortController()
    const run = gate.run(() => Promise.reject(away()), controller.signal)
    run.catch(() => undefined)
    await settle()
    controller.abort()
    await assert.rejects(run, { name: 'AbortError' })
    assert.equal(gate.blockedBy, undefined)
    assert.equal(clock.pending, 0)
  })
})
