import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SingleFlight } from '../../../src/http/index.ts'

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

test('callers of one key share the work while it is under way, and not afterwards', async () => {
  const flights = new SingleFlight<number>()
  const gate = deferred<number>()
  let started = 0
  const work = () => {
    started += 1
    return started === 1 ? gate.promise : Promise.resolve(99)
  }
  const first = flights.run('a', work)
  const second = flights.run('a', work)
  gate.resolve(1)
  assert.deepEqual(await first, { value: 1, joined: false })
  assert.deepEqual(await second, { value: 1, joined: true })
  assert.deepEqual(await flights.run('a', work), { value: 99, joined: false })
  assert.equal(flights.shared, 1)
})

test('a failure reaches every caller and is not remembered', async () => {
  const flights = new SingleFlight<number>()
  const fail = () => Promise.reject(new Error('boom'))
  const both = [flights.run('a', fail), flights.run('a', fail)]
  for (const one of both) await assert.rejects(one, /boom/)
  assert.deepEqual(await flights.run('a', async () => 2), { value: 2, joined: false })
})

test('one caller going away leaves the work to the others; the last one aborts it', async () => {
  const flights = new SingleFlight<number>()
  const gate = deferred<number>()
  let inner: AbortSignal | undefined
  const work = (signal: AbortSignal) => {
    inner = signal
    return gate.promise
  }
  const [one, two] = [new AbortController(), new AbortController()]
  const first = flights.run('a', work, one.signal)
  const second = flights.run('a', work, two.signal)
  one.abort(new Error('gone'))
  await assert.rejects(first, /gone/)
  assert.equal(inner?.aborted, false)
  two.abort(new Error('gone too'))
  await assert.rejects(second, /gone too/)
  assert.equal(inner?.aborted, true)
  assert.equal((await flights.run('a', async () => 5)).joined, false)
})

test('abortAll aborts what is under way', async () => {
  const flights = new SingleFlight<number>()
  const work = (signal: AbortSignal) =>
    new Promise<number>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const calls = [flights.run('a', work), flights.run('b', work)]
  flights.abortAll(new Error('closing'))
  for (const call of calls) await assert.rejects(call, /closing/)
})
