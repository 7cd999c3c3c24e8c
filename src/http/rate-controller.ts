/**
 * Finds and holds a rate limit that the server does not publish. No limit until a first 429. A 429
 * means the server's allowance is used up, so what it accepted between two of them, divided by the
 * time between, is its limit, whatever burst it grants: that is the estimate. The rate then stays just
 * below the estimate, returns to it, and after that probes faster and faster (CUBIC), so that a raised
 * limit is found within seconds while a steady one costs few refused calls.
 *
 * Plain state machine over `take`, `onAccepted`, `onThrottled`, `onHold`; times in milliseconds.
 */
export interface RateOptions {
  /** Rate after a 429, as a part of the estimate. */
  readonly reserve: number
  /** Seconds until the rate is back at the estimate. */
  readonly plateauSeconds: number
  /** After the plateau: rate = estimate × (1 + growth × seconds³). */
  readonly growth: number
  /** Rate after the very first 429, as a part of what was accepted in the second before. */
  readonly decrease: number
  /** From there the rate doubles in this time, until the second 429. */
  readonly doublingSeconds: number
  /** Least time between two 429 for an estimate. */
  readonly minMeasureMs: number
  /** Extra pace while time lost to a `Retry-After` is made up. */
  readonly catchUp: number
}

export const defaultRate: RateOptions = {
  reserve: 0.95,
  plateauSeconds: 4,
  growth: 0.01,
  decrease: 0.7,
  doublingSeconds: 1,
  minMeasureMs: 500,
  catchUp: 0.3
}

/** Lag of the schedule that may be made up at once: the coarseness of timers, not a burst. */
const burstMs = 15

export class RateController {
  readonly #options: RateOptions
  readonly #recent = new RecentCount()
  /** Estimated limit, calls per second; undefined until a first 429. */
  #estimate: number | undefined
  #searching = false
  /** Seconds of the climb since the last decrease; stands still while callers ask for less than allowed. */
  #climb = 0
  #nextAt = 0
  #lastTake = 0
  #lastDecrease = Number.NEGATIVE_INFINITY
  #accepted = 0
  #busyMs = 0
  /** Calls that a hold prevented and that may be made up. */
  #credit = 0
  /** How far making up has been accepted: 0 to 1. */
  #trust = 1

  constructor(options: RateOptions = defaultRate) {
    this.#options = options
  }

  /** Calls per second allowed now; undefined while no limit is known. */
  get rate(): number | undefined {
    if (this.#estimate === undefined) return undefined
    const { plateauSeconds, growth, doublingSeconds, reserve } = this.#options
    if (this.#searching) return this.#estimate * 2 ** (this.#climb / doublingSeconds)
    const t = this.#climb - plateauSeconds
    const factor = t < 0 ? 1 - (1 - reserve) * (-t / plateauSeconds) ** 3 : 1 + growth * t ** 3
    return this.#estimate * factor
  }

  /** Milliseconds until the next call may go. */
  delay(now: number): number {
    return this.#estimate === undefined ? 0 : Math.max(0, this.#nextAt - now)
  }

  take(now: number): void {
    const rate = this.rate
    if (rate === undefined) return
    const late = now - this.#nextAt
    const since = now - this.#lastTake
    this.#lastTake = now
    // Late by more than the timers' coarseness: the callers did not use the rate, so nothing is learnt.
    if (late <= burstMs) {
      this.#climb += since / 1000
      this.#busyMs += since
    }
    let pace = rate
    if (this.#credit > 0) {
      pace = rate * (1 + this.#options.catchUp)
      this.#credit -= 1 - rate / pace
    }
    this.#nextAt = Math.max(this.#nextAt, now - burstMs) + 1000 / pace
  }

  /** The server took a call, whatever it answered. */
  onAccepted(now: number): void {
    this.#accepted += 1
    this.#recent.add(now)
  }

  /** A 429 for a call sent at `sentAt`. Calls sent before the last decrease say nothing new. */
  onThrottled(sentAt: number, now: number): void {
    if (sentAt <= this.#lastDecrease) return
    const rate = this.rate
    if (rate === undefined || this.#estimate === undefined) {
      this.#estimate = Math.max(1, this.#recent.lastSecond(now) * this.#options.decrease)
      this.#searching = true
      this.#restart(now)
    } else if (this.#credit > 0) {
      // Making up went too far; that says nothing about the limit itself.
      this.#trust *= 0.25
      this.#searching = false
      this.#restart(now)
    } else if (this.#busyMs >= this.#options.minMeasureMs) {
      const measured = this.#measure(rate, this.#estimate)
      this.#trust = measured < this.#estimate * 0.8 ? 1 : Math.min(1, this.#trust + 0.02)
      this.#estimate = measured
      this.#searching = false
      this.#restart(now)
    } else {
      // Too soon to measure: the measurement goes on over this 429, the climb starts again.
      this.#climb = 0
      this.#searching = false
      this.#lastDecrease = now
    }
  }

  /** Calls are held back until `until` (`Retry-After`); what that costs may be made up. */
  onHold(now: number, until: number): void {
    const from = Math.max(now, this.#lastTake)
    if (this.#estimate === undefined || until <= from) return
    const carried = Math.min(until - from, 2000) * this.#trust
    this.#credit += (carried / 1000) * this.#estimate
    this.#busyMs += carried
    this.#lastTake = until
    this.#nextAt = until
  }

  #measure(rate: number, known: number): number {
    const measured = (this.#accepted * 1000) / this.#busyMs
    // Well above what was known: the limit has risen meanwhile and the mean lags behind it.
    if (measured > known * 1.1) return Math.min(rate, Math.max(measured, rate * 0.75))
    return Math.max(0.1, Math.min(rate, Math.max(measured, rate * 0.3)))
  }

  #restart(now: number): void {
    this.#climb = 0
    this.#accepted = 0
    this.#busyMs = 0
    this.#credit = 0
    this.#lastDecrease = now
    this.#lastTake = now
    this.#nextAt = now + 1000 / (this.rate ?? 1)
  }
}

/** Events of the last second, in steps of a tenth. */
class RecentCount {
  readonly #counts = new Array<number>(10).fill(0)
  #step = 0

  add(now: number): void {
    this.#roll(now)
    const slot = this.#step % 10
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1
  }

  lastSecond(now: number): number {
    this.#roll(now)
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  #roll(now: number): void {
    const step = Math.floor(now / 100)
    for (let i = Math.max(this.#step + 1, step - 9); i <= step; i += 1) this.#counts[i % 10] = 0
    this.#step = Math.max(this.#step, step)
  }
}
