/**
 * How many calls may be under way. Starts at the configured maximum; backs off on 429, on time-outs and
 * when the typical latency of a route rises well above its own long-run minimum; climbs again after.
 * Plain state machine; waiting is `admission.ts`.
 *
 * The signal is the median of a window of answers, compared route by route and only after several
 * windows agree: single slow answers, noise and a changed mix of calls must not shrink it.
 */
export interface ConcurrencyOptions {
  readonly max: number
  /** A median this many times the long-run minimum counts as risen. */
  readonly tolerance: number
  /** Rises below this many milliseconds are noise whatever their ratio. */
  readonly slackMs: number
  /** Answers a window holds. */
  readonly windowSize: number
  /** Windows in a row that must agree before the limit shrinks for latency. */
  readonly windowsToShrink: number
  /** How long a minimum is remembered: afterwards a slower server is the new normal. */
  readonly baselineMs: number
}

export const defaultConcurrency: Omit<ConcurrencyOptions, 'max'> = {
  tolerance: 2,
  slackMs: 25,
  windowSize: 20,
  windowsToShrink: 3,
  baselineMs: 60_000
}

interface Route {
  samples: number[]
  /** Minimum of the medians of this period and of the one before. */
  minimum: number
  previousMinimum: number
  periodStart: number
  risen: number
}

export class ConcurrencyLimiter {
  readonly #options: ConcurrencyOptions
  readonly #routes = new Map<string, Route>()
  #limit: number
  #inFlight = 0
  #lastDecrease = Number.NEGATIVE_INFINITY
  #answersSinceChange = 0
  /** Answers for which it does not climb, because a window has just shown risen latency. */
  #pause = 0

  constructor(options: ConcurrencyOptions) {
    this.#options = options
    this.#limit = options.max
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit))
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** 0: a call may go; Infinity: only after one has ended. */
  delay(): number {
    return this.#inFlight < this.limit ? 0 : Number.POSITIVE_INFINITY
  }

  take(): void {
    this.#inFlight += 1
  }

  release(): void {
    this.#inFlight -= 1
  }

  /** An answer of the server, whatever its status, and how long it took. */
  onAnswer(route: string, latencyMs: number, now: number): void {
    this.#climb()
    const state = this.#route(route, now)
    state.samples.push(latencyMs)
    if (state.samples.length < this.#options.windowSize) return
    const median = state.samples.sort((a, b) => a - b)[state.samples.length >> 1] ?? 0
    state.samples = []
    this.#closeWindow(state, median, now)
  }

  /** 429 or a time-out of a call sent at `sentAt`; calls sent before the last decrease say nothing new. */
  onOverload(kind: 'throttled' | 'timeout', sentAt: number, now: number): void {
    if (sentAt < this.#lastDecrease) return
    this.#shrink(kind === 'throttled' ? 0.9 : 0.7, 1, now)
  }

  #closeWindow(route: Route, median: number, now: number): void {
    const { tolerance, slackMs, windowSize, windowsToShrink, baselineMs, max } = this.#options
    if (now - route.periodStart >= baselineMs) {
      route.previousMinimum = route.minimum
      route.minimum = Number.POSITIVE_INFINITY
      route.periodStart = now
    }
    route.minimum = Math.min(route.minimum, median)
    const base = Math.min(route.minimum, route.previousMinimum)
    if (median <= base * tolerance + slackMs) {
      route.risen = 0
      return
    }
    route.risen += 1
    this.#pause = windowSize * 2
    if (route.risen < windowsToShrink) return
    route.risen = 0
    // Latency alone never takes the limit below a quarter: the server may just be slow, not full.
    const gradient = Math.max(0.7, Math.sqrt((base * tolerance + slackMs) / median))
    this.#shrink(gradient, max / 4, now)
  }

  #shrink(factor: number, floor: number, now: number): void {
    this.#limit = Math.max(Math.min(this.#limit, floor), this.#limit * factor, 1)
    this.#lastDecrease = now
    this.#answersSinceChange = 0
  }

  /** One more call at once after each limit's worth of answers. */
  #climb(): void {
    if (this.#limit >= this.#options.max) return
    if (this.#pause > 0) {
      this.#pause -= 1
      return
    }
    this.#answersSinceChange += 1
    if (this.#answersSinceChange < this.#limit) return
    this.#answersSinceChange = 0
    this.#limit = Math.min(this.#options.max, this.#limit + 1)
  }

  #route(name: string, now: number): Route {
    let route = this.#routes.get(name)
    if (route === undefined) {
      route = {
        samples: [],
        minimum: Number.POSITIVE_INFINITY,
        previousMinimum: Number.POSITIVE_INFINITY,
        periodStart: now,
        risen: 0
      }
      this.#routes.set(name, route)
    }
    return route
  }
}
