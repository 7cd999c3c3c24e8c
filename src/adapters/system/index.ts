/** Time and randomness of this machine. */
import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Ids } from '../../ports/index.ts'

/** Longest delay that a timer of Node takes; longer sleeps are several of it. */
const longestTimerMs = 2 ** 31 - 1

/** The system's time. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: async (ms, signal) => {
      const options = signal === undefined ? {} : { signal }
      for (let left = Math.max(0, ms); ; left -= longestTimerMs) {
        await delay(Math.min(left, longestTimerMs), undefined, options)
        if (left <= longestTimerMs) return
      }
    }
  }
}

/** The system's randomness: UUIDs and numbers. */
export function systemIds(): Ids {
  return { uuid: () => randomUUID(), random: () => Math.random() }
}
