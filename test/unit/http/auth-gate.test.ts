import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthGate } from '../../../src/http/index.ts'

test('a 401 closes the gate once; one trial goes out each period; success opens it', () => {
  const gate = new AuthGate({ trialEveryMs: 60_000 })
  assert.equal(gate.settle(gate.take(), 'refused', 0), 'closed')
  assert.equal(gate.settle(false, 'refused', 10), undefined, 'a straggler changes nothing')
  assert.equal(gate.delay(10), 59_990)
  const trial = gate.take()
  assert.equal(trial, true)
  assert.equal(gate.delay(60_000), Number.POSITIVE_INFINITY, 'one trial at a time')
  assert.equal(gate.settle(trial, 'refused', 60_500), undefined)
  assert.equal(gate.delay(60_500), 60_000)
  assert.equal(gate.settle(gate.take(), 'accepted', 120_500), 'opened')
  assert.equal(gate.delay(120_500), 0)
})

test('an answer to a call sent before the 401 does not open the gate', () => {
  const gate = new AuthGate({ trialEveryMs: 1000 })
  const early = gate.take()
  gate.settle(gate.take(), 'refused', 0)
  assert.equal(gate.settle(early, 'accepted', 5), undefined)
  assert.equal(gate.closed, true)
})

test('a trial that learns nothing is followed by another one', () => {
  const gate = new AuthGate({ trialEveryMs: 1000 })
  gate.settle(gate.take(), 'refused', 0)
  gate.settle(gate.take(), 'unknown', 1000)
  assert.equal(gate.closed, true)
  assert.equal(gate.delay(1000), 1000)
})
