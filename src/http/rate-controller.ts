/**
 * Finds and holds a rate limit that the server does not publish; none until a first volley of 429. A 429
 * means the server's allowance is used up, so what it accepted between two of them, divided by the
 * time between, is its limit, whatever burst it grants: that is the estimate. The rate then stays just
 * below the estimate, returns to it, and after that probes faster and faster (CUBIC), so that a raised
 * limit is found within seconds while a steady one costs few refused calls.
 *
 * A moment in which everything is refused, and a 429 by chance, are no limit (`throttle-episode.ts`): they
 * are judged when the hold ends, and the rate goes on where it was.
 *
 * Plain state machine over `take`, `onAccepted`, `onThrottled`, `onHold`; times in milliseconds.
 */
import { RecentCount } from './recent-count.ts'
import { Episode, EpisodeJudge, type Verdict } from './throttle-episode.ts'

/** Since the last decrease, when the 429 came. */
interface Measured {
  readonly rate: number | undefined
  readonly accepted: number
  readonly activeMs: number
  readonly sinceLast: number
  readonly lately: number
}

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

/** An outage that outlasts its hold: so many in a row are excused, unless calls got through between. */
const outagesInARow = 5

/** Decrease for a single 429 soon after another: from the measurement, but within these parts. */
const loneDecrease = 0.9
const loneLeast = 0.85

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
  readonly #judge = new EpisodeJudge()
  /** A 429 that has not been judged yet, and what was measured until then. */
  #episode: { readonly calls: Episode; readonly measured: Measured } | undefined
  /** When calls went on after the last 429. */
  #resumedAt: number | undefined
  /** Excused outages one soon after the other. */
  #outages = 0
  /** An ambiguous 429 is excused only when the one before it was not. */
  #doubted = false
  /** Halvings of the rate before it is tried again where the fall began. */
  #doubts = 1
  /** Calls accepted since the last 429. */
  #sinceLast = 0
  /** Estimate before decreases that came soon after one another. */
  #fallFrom = 0
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
    if (this.#episode !== undefined && now >= this.#episode.calls.judgeAt) this.#conclude(now)
    return this.#estimate === undefined ? 0 : Math.max(0, this.#nextAt - now)
  }

  take(now: number): void {
    this.#resumedAt ??= now
    const rate = this.rate
    const since = Math.max(0, now - this.#lastTake)
    const late = rate === undefined ? 0 : now - this.#nextAt
    this.#lastTake = Math.max(now, this.#lastTake)
    // Late by more than the timers' coarseness: the callers did not use the rate, so nothing is learnt.
    if (late <= burstMs) this.#activeMs += since
    if (rate === undefined) return
    if (late <= burstMs) this.#climb += since / 1000
    let pace = rate
    if (this.#credit > 0) {
      pace = rate * (1 + this.#options.catchUp)
      this.#credit -= 1 - rate / pace
    }
    this.#nextAt = Math.max(this.#nextAt, now - burstMs) + 1000 / pace
  }

  /** The server took a call that was sent at `sentAt`, whatever it answered. */
  onAccepted(sentAt: number, now: number): void {
    this.#episode?.calls.onAccepted(sentAt)
    if (sentAt > this.#lastDecrease) this.#accepted += 1
    this.#sinceLast += 1
    this.#recent.add(now)
  }

  /** A 429 for a call sent at `sentAt`. Calls sent before the last decrease say nothing new. */
  onThrottled(sentAt: number, now: number): void {
    if (this.#episode !== undefined) {
      this.#episode.calls.onRefused(sentAt)
      return
    }
    if (sentAt <= this.#lastDecrease) return
    const measured = {
      rate: this.rate,
      accepted: this.#accepted,
      sinceLast: this.#sinceLast,
      activeMs: this.#activeMs - Math.max(0, this.#lastTake - sentAt),
      lately: this.#recent.lastSecond(now)
    }
    this.#episode = { calls: new Episode(sentAt, now), measured }
  }

  /** Calls are held back until `until` (`Retry-After`); what that costs may be made up. */
  onHold(now: number, until: number): void {
    const from = Math.max(now, this.#lastTake)
    if (until <= from) return
    const ms = Math.min(until - from, longHoldMs)
    this.#episode?.calls.onHold(ms, until)
    this.#lastTake = until
    this.#nextAt = until
  }

  /** The hold is over, or one more round trip without one: what was it? */
  #conclude(now: number): void {
    if (this.#episode === undefined) return
    const { calls, measured } = this.#episode
    this.#episode = undefined
    const { soonMs, minMeasureCalls } = this.#options
    const verdict = this.#judge.judge(calls, measured.rate !== undefined, measured.sinceLast)
    const soon = calls.at - (this.#resumedAt ?? calls.at) < soonMs
    this.#resumedAt = now
    this.#sinceLast = 0
    if (!soon) this.#outages = 0
    const lasting = measured.accepted < minMeasureCalls && this.#outages < outagesInARow
    if (verdict === 'outage' && (!soon || lasting)) {
      this.#outages += 1
      this.#measureAnew(calls)
    } else if (measured.rate === undefined) {
      if (verdict === 'limit' || verdict === 'outage') this.#firstEstimate(calls, measured)
      else this.#lastDecrease = calls.at
    } else this.#adjust(verdict, calls, { ...measured, rate: measured.rate }, soon)
    this.#resume(calls, now)
  }

  #firstEstimate(calls: Episode, measured: Measured): void {
    this.#estimate = Math.max(1, measured.lately * this.#options.firstDecrease)
    this.#searching = true
    this.#restart(calls)
  }

  #adjust(
    verdict: Verdict,
    calls: Episode,
    measured: Measured & { rate: number },
    again: boolean
  ): void {
    const known = this.#estimate ?? measured.rate
    const { minMeasureMs, minMeasureCalls, soonMs } = this.#options
    const soon = measured.activeMs + this.#heldMs < soonMs && !this.#searching
    const below = measured.rate <= known
    if (verdict === 'chance') {
      // Lower rates were not refused less: what they cost is given back.
      this.#estimate = Math.max(known, this.#fallFrom)
      return
    }
    if (verdict === 'unknown' && below && !again && !this.#doubted) {
      this.#doubted = true
      return
    }
    this.#doubted = false
    if (measured.activeMs >= minMeasureMs && measured.accepted >= minMeasureCalls) {
      this.#fallFrom = Math.max(soon ? known : 0, this.#fallFrom * (soon ? 1 : 0.9))
      if (calls.refused > 0) {
        this.#fallFrom = 0
        this.#doubts = 1
      }
      const lone = calls.answered > 0 && calls.refused === 0 && this.#falling < 2
      this.#estimate = this.#newEstimate(known, measured, soon, lone)
      // Irregular although the rate fell this far: more calls under way will tell whether it is chance.
      if (soon && this.#judge.irregular && this.#estimate < this.#fallFrom * 0.5 ** this.#doubts) {
        this.#estimate = this.#fallFrom
        this.#fallFrom *= 0.8
        this.#doubts = 2
      }
      this.#restart(calls)
    } else {
      // Too soon to measure: the measurement goes on over this 429, the climb starts again.
      this.#climb = 0
      this.#lastDecrease = calls.at
    }
    this.#searching = false
  }

  #newEstimate(
    known: number,
    measured: Measured & { rate: number },
    soon: boolean,
    lone: boolean
  ): number {
    const { rate, activeMs } = measured
    if (this.#credit > 0) this.#trust *= 0.25
    else if (soon) this.#falling += 1
    else {
      // After a fall the doubts about making up may have been its fault.
      this.#trust = this.#falling > 1 ? 1 : Math.min(1, this.#trust + 0.02)
      this.#falling = 0
    }
    const carriedMs = this.#credit > 0 ? 0 : this.#heldMs * this.#trust
    const mean = Math.max((measured.accepted * 1000) / (activeMs + carriedMs), rate * 0.3)
    // Its neighbours were accepted: the limit is not far below, if there is one.
    if (soon && lone) return Math.min(Math.max(mean, known * loneLeast), known * loneDecrease)
    if (soon) return Math.min(mean, known * this.#options.soonDecrease)
    // The mean of the climb is below the limit when the server grants no burst; the last second is
    // above it when it does.
    const lately = Math.min(rate, measured.lately)
    if (lately > mean) return mean + (lately - mean) * this.#options.lately
    // Well above what was known: the limit has risen meanwhile and the mean lags behind it.
    return Math.min(rate, mean > known * 1.1 ? Math.max(mean, rate * 0.75) : mean)
  }

  #restart(calls: Episode): void {
    this.#climb = 0
    this.#measureAnew(calls)
  }

  #measureAnew(calls: Episode): void {
    this.#accepted = 0
    this.#activeMs = 0
    this.#heldMs = 0
    this.#credit = 0
    this.#lastDecrease = calls.at
  }

  /** Goes on after the hold; what it cost may be made up. */
  #resume(calls: Episode, now: number): void {
    if (this.#estimate === undefined) return
    if (calls.heldMs >= shortHoldMs) {
      this.#credit += (calls.heldMs / 1000) * this.#estimate * this.#trust
    }
    this.#heldMs += calls.heldMs
    this.#lastTake = Math.max(this.#lastTake, calls.at)
    this.#nextAt = calls.heldMs > 0 ? now : now + 1000 / (this.rate ?? 1)
  }
}
