/**
 * A clock that stands still until a test moves it. `advance` fires the sleeps that fall due in order
 * of their time and lets the code they wake run before the next one.
 */
import type { Clock, Ids } from '../../src/ports/index.ts'

interface Sleeper {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

export class FakeClock implements Clock {
  #now: number
  readonly #start: number
  #order = 0
  readonly #sleepers = new Set<Sleeper>()

  constructor(startMs = Date.UTC(2026, 0, 15, 12, 0, 0)) {
    this.#start = startMs
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now - this.#start
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortError(signal))
        return
      }
      const onAbort = () => {
        this.#sleepers.delete(sleeper)
        reject(abortError(signal))
      }
      const sleeper: Sleeper = {
        at: this.#now + Math.max(0, ms),
        order: this.#order++,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        }
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.add(sleeper)
    })
  }

  /** Sleeps that have not fired yet. */
  get pending(): number {
    return this.#sleepers.size
  }

  /** Time until the next sleep falls due; undefined when nothing sleeps. */
  get untilNext(): number | undefined {
    const next = this.#earliest()
    return next === undefined ? undefined : next.at - this.#now
  }

  /** Moves time by `ms`, firing what falls due on the way. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms
    await settle()
    for (let next = this.#earliest(); next !== undefined && next.at <= target; ) {
      this.#now = Math.max(this.#now, next.at)
      this.#sleepers.delete(next)
      next.wake()
      await settle()
      next = this.#earliest()
    }
    this.#now = target
  }

  #earliest(): Sleeper | undefined {
    let best: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (
        best === undefined ||
        sleeper.at < best.at ||
        (sleeper.at === best.at && sleeper.order < best.order)
      ) {
        best = sleeper
      }
    }
    return best
  }
}

/** Ids that repeat: `random` walks a fixed list (0.5 by default), `uuid` counts. */
export function fakeIds(randoms: readonly number[] = [0.5]): Ids {
  let uuids = 0
  let draws = 0
  return {
    uuid: () => `00000000-0000-4000-8000-${(uuids++).toString(16).padStart(12, '0')}`,
    random: () => randoms[draws++ % randoms.length] ?? 0.5
  }
}

/** Lets every promise reaction that is already due run. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function abortError(signal: AbortSignal | undefined): Error {
  const error = new Error('aborted', { cause: signal?.reason })
  error.name = 'AbortError'
  return error
}
