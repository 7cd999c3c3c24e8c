/** Waiting for a change, a time-out or an abort, without missing a change that comes before the wait. */
export interface Waiter {
  /** Something changed: ends the current wait, or the next one at once. */
  wake(): void
  /** Resolves at the next change, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal | undefined): Promise<void>
}

export function createWaiter(): Waiter {
  let changed = false
  let end: (() => void) | undefined

  async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    const onAbort = (): void => resolve()
    end = onAbort
    signal?.addEventListener('abort', onAbort)
    await promise
    signal?.removeEventListener('abort', onAbort)
    clearTimeout(timer)
    end = undefined
  }

  return {
    wake() {
      changed = true
      end?.()
    },
    async wait(ms, signal) {
      if (!changed && signal?.aborted !== true) await sleep(ms, signal)
      changed = false
    }
  }
}
