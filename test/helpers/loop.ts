/** Waiting in tests of the loop, without time passing. */
import assert from 'node:assert/strict'
import { settle } from './fake-clock.ts'

/** Lets the loop work until nothing more happens without time passing. */
export async function idle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settle()
}

/** Until the condition holds, or for long enough to know that it will not. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (condition()) return
    await settle()
  }
  assert.fail('the condition did not come true')
}

/** A promise that the test opens. */
export function gate(): { promise: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const promise = new Promise<void>(resolve => {
    open = resolve
  })
  return { promise, open }
}
