import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import {
  createLiveness,
  isProcessGone,
  processIdentity
} from '../../../../src/adapters/embedded-log/liveness.ts'

const member = (beat: number) => ({
  memberId: 'm',
  beat,
  sessionTimeoutMs: 1_000,
  process: null
})

test('a member whose beat stands still for its session is silent', () => {
  const liveness = createLiveness(10_000)
  assert.deepEqual(liveness.silent([member(1)], 0), [])
  assert.deepEqual(liveness.silent([member(1)], 1_000), [])
  assert.deepEqual(liveness.silent([member(1)], 1_001), [member(1)])
})

test('a beat begins the measurement again', () => {
  const liveness = createLiveness(10_000)
  liveness.silent([member(1)], 0)
  assert.deepEqual(liveness.silent([member(2)], 900), [])
  assert.deepEqual(liveness.silent([member(2)], 1_900), [])
  assert.deepEqual(liveness.silent([member(2)], 1_901), [member(2)])
})

test('an observer that was asleep does not blame the others', () => {
  const liveness = createLiveness(500)
  liveness.silent([member(1)], 0)
  assert.deepEqual(liveness.silent([member(1)], 60_000), [])
})

test('a member that was away and came back is measured anew', () => {
  const liveness = createLiveness(10_000)
  liveness.silent([member(0)], 0)
  liveness.silent([], 500)
  assert.deepEqual(liveness.silent([member(0)], 1_400), [])
})

const onLinux = processIdentity() === null ? { skip: 'only Linux tells process start times' } : {}

test('a process that runs is not gone; one that was killed is', onLinux, async () => {
  const own = processIdentity()
  assert.equal(isProcessGone(own, own), false)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  await once(child, 'spawn')
  const identity = processIdentity(child.pid)
  assert.equal(isProcessGone(identity, own), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isProcessGone(identity, own), true)
})

test('a process of an earlier boot is gone; another namespace or no identity says nothing', () => {
  const own = 'boot/pid:[1]/10/100'
  assert.equal(isProcessGone('older/pid:[1]/10/100', own), true)
  assert.equal(isProcessGone('boot/pid:[2]/4194305/1', own), false)
  assert.equal(isProcessGone(null, own), false)
  assert.equal(isProcessGone(own, null), false)
})

test('a process id that was given to a later process counts as gone', onLinux, () => {
  const own = processIdentity()!
  const parts = own.split('/')
  const earlier = [...parts.slice(0, 3), String(Number(parts[3]) - 1)].join('/')
  assert.equal(isProcessGone(earlier, own), true)
})
