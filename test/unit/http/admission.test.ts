import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Admission,
  type AdmissionPermit,
  AuthGate,
  CircuitBreaker,
  ConcurrencyLimiter,
  defaultConcurrency,
  type GateChange,
  RateController,
  TokenBucket
} from '../../../src/http/index.ts'
import { FakeClock, settle } from '../../helpers/fake-clock.ts'

function setUp(options: { max?: number; perSecond?: number } = {}) {
  const clock = new FakeClock()
  const changes: GateChange[] = []
  const parts = {
    breaker: new CircuitBreaker({
      failureThreshold: 5,
      openMs: 60_000,
      trialSlots: 3,
      successesToClose: 2
    }),
    auth: new AuthGate({ trialEveryMs: 60_000 }),
    rate: new RateController(),
    concurrency: new ConcurrencyLimiter({ ...defaultConcurrency, max: options.max ?? 20 }),
    ...(options.perSecond === undefined
      ? {}
      : { bucket: new TokenBucket({ perSecond: options.perSecond }) })
  }
  const admission = new Admission(parts, { clock, onChange: change => changes.push(change) })
  const entered: (AdmissionPermit & { readonly caller: number })[] = []
  const enter = (caller: number, signal?: AbortSignal, urgent = false) =>
    Promise.resolve(admission.enter(signal, urgent)).then(permit => {
      entered.push({ ...permit, caller })
    })
  return { clock, changes, admission, entered, enter, parts }
}

const failed = { kind: 'failure', timedOut: false } as const
const ok = { kind: 'success', route: 'r' } as const

test('admits in order of arrival up to the concurrency', async () => {
  const { admission, entered, enter } = setUp({ max: 2 })
  for (let i = 0; i < 5; i += 1) void enter(i)
  await settle()
  assert.deepEqual(
    entered.map(e => e.caller),
    [0, 1]
  )
  assert.equal(admission.waiting, 3)
  admission.settle(entered[0] as AdmissionPermit, ok)
  admission.settle(entered[1] as AdmissionPermit, ok)
  await settle()
  assert.deepEqual(
    entered.map(e => e.caller),
    [0, 1, 2, 3]
  )
})

test('an urgent call goes before those that wait, and one in five is still an ordinary one', async () => {
  const { admission, entered, enter } = setUp({ max: 1 })
  await enter(0)
  for (let i = 1; i <= 5; i += 1) void enter(i)
  for (let i = 11; i <= 20; i += 1) void enter(i, undefined, true)
  assert.equal(admission.waiting, 15)
  for (let i = 0; i < 15; i += 1) {
    admission.settle(entered[i] as AdmissionPermit, ok)
    await settle()
  }
  assert.deepEqual(
    entered.map(e => e.caller),
    [0, 11, 12, 13, 14, 1, 15, 16, 17, 18, 2, 19, 20, 3, 4, 5]
  )
})

test('an aborted urgent waiter leaves its lane, and close rejects both lanes', async () => {
  const { admission, enter } = setUp({ max: 1 })
  const abort = new AbortController()
  await enter(0)
  const urgent = enter(1, abort.signal, true)
  const others = Promise.allSettled([enter(2), enter(3, undefined, true)])
  abort.abort(new Error('gone'))
  await assert.rejects(urgent, /gone/)
  assert.equal(admission.waiting, 2)
  admission.close(new Error('closed'))
  assert.ok((await others).every(one => one.status === 'rejected'))
  assert.equal(admission.waiting, 0)
})

test('an aborted waiter leaves the queue and the one behind it moves up', async () => {
  const { admission, entered, enter } = setUp({ max: 1 })
  const abort = new AbortController()
  await enter(0)
  const waiting = enter(1, abort.signal)
  const behind = enter(2)
  abort.abort(new Error('gone'))
  await assert.rejects(waiting, /gone/)
  admission.settle(entered[0] as AdmissionPermit, ok)
  await behind
  assert.deepEqual(
    entered.map(e => e.caller),
    [0, 2]
  )
})

test('a fixed rate lets a burst of one second through and paces the rest', async () => {
  const { clock, entered, enter, admission } = setUp({ max: 100, perSecond: 10 })
  const all = Promise.allSettled(Array.from({ length: 30 }, (_, i) => enter(i)))
  await settle()
  assert.equal(entered.length, 10)
  await clock.advance(1000)
  assert.equal(entered.length, 20)
  admission.close(new Error('end'))
  await all
})

test('while the breaker is open callers wait; then three trials go; success lets all go', async () => {
  const { clock, entered, enter, admission, changes } = setUp()
  for (let i = 0; i < 5; i += 1) await enter(i)
  for (const permit of [...entered]) admission.settle(permit, failed)
  assert.deepEqual(changes, ['breaker_opened'])
  for (let i = 5; i < 15; i += 1) void enter(i)
  await clock.advance(59_000)
  assert.equal(entered.length, 5)
  await clock.advance(1000)
  assert.equal(entered.length, 8)
  assert.ok(entered.slice(5).every(e => e.trial))
  admission.settle(entered[5] as AdmissionPermit, ok)
  admission.settle(entered[6] as AdmissionPermit, ok)
  await settle()
  assert.equal(entered.length, 15)
  assert.deepEqual(changes, ['breaker_opened', 'breaker_closed'])
})

test('a 401 stops everybody; one trial goes out; its success lets all go', async () => {
  const { clock, entered, enter, admission, changes } = setUp()
  await enter(0)
  admission.settle(entered[0] as AdmissionPermit, { kind: 'unauthorized' })
  for (let i = 1; i < 10; i += 1) void enter(i)
  await clock.advance(60_000)
  assert.equal(entered.length, 2)
  admission.settle(entered[1] as AdmissionPermit, { kind: 'unauthorized' })
  await clock.advance(60_000)
  assert.equal(entered.length, 3)
  admission.settle(entered[2] as AdmissionPermit, ok)
  await settle()
  assert.equal(entered.length, 10)
  assert.deepEqual(changes, ['auth_closed', 'auth_opened'])
})

test('Retry-After of one call holds every call back for that long', async () => {
  const { clock, entered, enter, admission } = setUp()
  await enter(0)
  admission.settle(entered[0] as AdmissionPermit, { kind: 'throttled', holdMs: 7000 })
  assert.equal(admission.held, true)
  void enter(1)
  await clock.advance(6999)
  assert.equal(entered.length, 1)
  await clock.advance(1)
  assert.equal(entered.length, 2)
  assert.equal(admission.held, false)
})

test('close rejects what waits and what comes later, and leaves no timer', async () => {
  const { clock, enter, entered, admission } = setUp()
  await enter(0)
  admission.settle(entered[0] as AdmissionPermit, { kind: 'throttled', holdMs: 7000 })
  const waiting = enter(1)
  admission.close(new Error('closed'))
  await assert.rejects(waiting, /closed/)
  await assert.rejects(enter(2), /closed/)
  assert.equal(clock.pending, 0)
})
