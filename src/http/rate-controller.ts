/**
 * Finds and holds a rate limit that the server does not publish; none until a first volley of 429. A 429
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
  /** Rate after the first volley, as a part of what was accepted in the second before. */
  readonly firstDecrease: number
  /** From there the rate doubles in this time, until the next 429. */
  readonly doublingSeconds: number
  /** Least time and number of accepted calls between two 429 for a measurement. */
  readonly minMeasureMs: number
  readonly minMeasureCalls: number
  /** A 429 sooner than this after the last one lowers the estimate by `soonDecrease` at least. */
  readonly soonMs: number
  readonly soonDecrease: number
  /** Extra pace while time lost to a `Retry-After` is made up. */
  readonly catchUp: number
  /** Weight of the last second against the mean since the last 429. */
  readonly lately: number
}

export const defaultRate: RateOptions = {
  reserve: 0.93,
  plateauSeconds: 7,
  growth: 0.08,
  firstDecrease: 0.7,
  doublingSeconds: 1,
  minMeasureMs: 250,
  minMeasureCalls: 5,
  soonMs: 3000,
  soonDecrease: 0.8,
  catchUp: 0.3,
  lately: 0.75
}

/** Lag of the schedule that may be made up at once: the coarseness of timers, not a burst. */
const burstMs = 15
/** Holds shorter than this are not worth making up; what a longer one than the second costs is lost. */
const shortHoldMs = 300
const longHoldMs = 2000

export class RateController {
  readonly #options: RateOptions
  readonly #recent = new RecentCount()
  /** Estimated limit, calls per second; undefined until a first volley of 429. */
  #estimate: number | undefined
  /** Only one volley so far: nothing has been measured yet. */
  #searching = false
  /** Seconds of the climb since the last decrease; stands still while callers ask for less than allowed. */
  #climb = 0
  #nextAt = 0
  #lastTake = 0
  #lastDecrease = Number.NEGATIVE_INFINITY
  /** Measurement since the last 429: calls sent and accepted, time at work, time held back. */
  #accepted = 0
  #activeMs = 0
  #heldMs = 0
  /** Calls that a hold prevented and that may be made up. */
  #credit = 0
  /** How much of a hold the server lets us make up, as far as known: 0 to 1. */
  #trust = 1
  /** The latest answers, newest in the lowest bit; 1 is a 429. */
  #answers = 0
  /** The last decreases came soon after one another: the limit has fallen. */
  #falling = 0

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
    const since = Math.max(0, now - this.#lastTake)
    this.#lastTake = Math.max(now, this.#lastTake)
    // Late by more than the timers' coarseness: the callers did not use the rate, so nothing is learnt.
    if (late <= burstMs) {
      this.#climb += since / 1000
      this.#activeMs += since
    }
    let pace = rate
    if (this.#credit > 0) {
      pace = rate * (1 + this.#options.catchUp)
      this.#credit -= 1 - rate / pace
    }
    this.#nextAt = Math.max(this.#nextAt, now - burstMs) + 1000 / pace
  }

  /** The server took a call that was sent at `sentAt`, whatever it answered. */
  onAccepted(sentAt: number, now: number): void {
    this.#answers = (this.#answers << 1) & 0xff
    if (sentAt > this.#lastDecrease) this.#accepted += 1
    this.#recent.add(now)
  }

  /** A 429 for a call sent at `sentAt`. Calls sent before the last decrease say nothing new. */
  onThrottled(sentAt: number, now: number): void {
    this.#answers = ((this.#answers << 1) | 1) & 0xff
    if (sentAt <= this.#lastDecrease) return
    const { firstDecrease, minMeasureMs, minMeasureCalls } = this.#options
    const rate = this.rate
    if (rate === undefined || this.#estimate === undefined) {
      if (!this.#volley()) return
      this.#estimate = Math.max(1, this.#recent.lastSecond(now) * firstDecrease)
      this.#searching = true
      this.#restart(now)
      return
    }
    const activeMs = this.#activeMs - Math.max(0, this.#lastTake - sentAt)
    if (activeMs >= minMeasureMs && this.#accepted >= minMeasureCalls) {
      this.#estimate = this.#newEstimate(rate, this.#estimate, activeMs, now)
      this.#restart(now)
    } else {
      // Too soon to measure: the measurement goes on over this 429, the climb starts again.
      this.#climb = 0
      this.#lastDecrease = now
    }
    this.#searching = false
  }

  /** Calls are held back until `until` (`Retry-After`); what that costs may be made up. */
  onHold(now: number, until: number): void {
    const from = Math.max(now, this.#lastTake)
    if (this.#estimate === undefined || until <= from) return
    const ms = Math.min(until - from, longHoldMs)
    if (until - from >= shortHoldMs) this.#credit += (ms / 1000) * this.#estimate * this.#trust
    this.#heldMs += ms
    this.#lastTake = until
    this.#nextAt = until
  }

  #newEstimate(rate: number, known: number, activeMs: number, now: number): number {
    const { soonMs, soonDecrease } = this.#options
    const soon = activeMs + this.#heldMs < soonMs && !this.#searching
    if (this.#credit > 0) this.#trust *= 0.25
    else if (soon) this.#falling += 1
    else {
      // After a fall the doubts about making up may have been its fault.
      this.#trust = this.#falling > 1 ? 1 : Math.min(1, this.#trust + 0.02)
      this.#falling = 0
    }
    const carriedMs = this.#credit > 0 ? 0 : this.#heldMs * this.#trust
    const measured = Math.max((this.#accepted * 1000) / (activeMs + carriedMs), rate * 0.3)
    if (soon) return Math.min(measured, known * soonDecrease)
    // The mean of the climb is below the limit when the server grants no burst; the last second is
    // above it when it does.
    const lately = Math.min(rate, this.#recent.lastSecond(now))
    if (lately > measured) return measured + (lately - measured) * this.#options.lately
    // Well above what was known: the limit has risen meanwhile and the mean lags behind it.
    return Math.min(rate, measured > known * 1.1 ? Math.max(measured, rate * 0.75) : measured)
  }

  /**
   * Four refusals among the last eight answers. A limit that unpaced calls run into refuses all that
   * are under way; a single 429 in between is a fault of the server, and its `Retry-After` is enough.
   */
  #volley(): boolean {
    let refused = 0
    for (let bits = this.#answers; bits > 0; bits >>= 1) refused += bits & 1
    return refused >= 4
  }

  #restart(now: number): void {
    this.#climb = 0
    this.#accepted = 0
    this.#activeMs = 0
    this.#heldMs = 0
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
