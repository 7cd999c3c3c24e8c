import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Semaphore } from '../../../src/runtime/index.ts'
import { settle } from '../../helpers/fake-clock.ts'

describe('Semaphore', () => {
  it('never lets in more than it has permits, and lets everyone in at last, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20 }),
        async (permits, turns) => {
          const semaphore = new Semaphore(permits)
          const entered: number[] = []
          let inside = 0
          let most = 0
          await Promise.all(
            turns.map((count, index) =>
              semaphore.run(async () => {
                entered.push(index)
                inside += 1
                most = Math.max(most, inside)
                for (let n = 0; n < count; n += 1) await settle()
                inside -= 1
              })
            )
          )
          assert.ok(most <= permits)
          assert.deepEqual(
            entered,
            turns.map((_, index) => index)
          )
        }
      ),
      { numRuns: 30 }
    )
  })

  it('gives the permit back when the task fails', async () => {
    const semaphore = new Semaphore(1)
    await assert.rejects(
      semaphore.run(async () => {
        throw new Error('task')
      }),
      /task/
    )
    assert.equal(await semaphore.run(async () => 7), 7)
  })

  it('takes who is aborted out of the queue, without losing a permit', async () => {
    const semaphore = new Semaphore(1)
    let release = (): void => undefined
    const first = semaphore.run(() => new Promise<void>(resolve => (release = resolve)))
    const leaving = new AbortController()
    const second = semaphore.run(async () => 'second', leaving.signal)
    const third = semaphore.run(async () => 'third')
    leaving.abort(new Error('gone'))
    await assert.rejects(second, /gone/)
    release()
    await first
    assert.equal(await third, 'third')
    assert.equal(await semaphore.run(async () => 'fourth'), 'fourth')
  })

  it('refuses an aborted signal even when a permit is free', async () => {
    const semaphore = new Semaphore(1)
    await assert.rejects(
      semaphore.run(async () => 1, AbortSignal.abort(new Error('gone'))),
      /gone/
    )
    assert.equal(await semaphore.run(async () => 2), 2)
  })
})
