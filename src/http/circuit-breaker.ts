/**
 * Circuit breaker as a plain state machine: no timers, no promises; the caller passes the time.
 * A trial slot is reserved before the call (reference/claimx-api.md section 6.1), so that the half-open
 * state admits a bounded number of calls. Results of calls from an earlier state are ignored.
 */
export interface CircuitBreakerOptions {
  /** Consecutive failures that open it. */
  readonly failureThreshold: number
  /** How long it stays open, in milliseconds. */
  readonly openMs: number
  /** Calls under way at once while half-open. */
  readonly trialSlots: number
  /** Successes in the half-open state that close it. */
  readonly successesToClose: number
}

export type BreakerState = 'closed' | 'open' | 'half_open'

/** `ignored`: neither for nor against the service (permanent errors, 401, 429, aborted calls). */
export type BreakerOutcome = 'success' | 'failure' | 'ignored'

export interface BreakerPermit {
  readonly generation: number
  readonly trial: boolean
}

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  #state: BreakerState = 'closed'
  /** Counts state changes; a permit of an older generation has no say any more. */
  #generation = 0
  #failures = 0
  #openUntil = 0
  #trialsUnderWay = 0
  #trialSuccesses = 0

  constructor(options: CircuitBreakerOptions) {
    this.#options = options
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Milliseconds until a call may go: 0 now; Infinity when that depends on a call under way. */
  delay(now: number): number {
    if (this.#state === 'closed') return 0
    if (this.#state === 'open') return Math.max(0, this.#openUntil - now)
    return this.#trialsUnderWay < this.#options.trialSlots ? 0 : Number.POSITIVE_INFINITY
  }

  /** Reserves the right to one call. Only after `delay` said 0. */
  take(_now: number): BreakerPermit {
    if (this.#state === 'open') this.#enter('half_open')
    const trial = this.#state === 'half_open'
    if (trial) this.#trialsUnderWay += 1
    return { generation: this.#generation, trial }
  }

  /** Reports how the call ended; exactly once for each permit. */
  settle(permit: BreakerPermit, outcome: BreakerOutcome, now: number): void {
    if (permit.generation !== this.#generation) return
    if (this.#state === 'half_open') this.#settleTrial(outcome, now)
    else if (outcome === 'success') this.#failures = 0
    else if (outcome === 'failure') {
      this.#failures += 1
      if (this.#failures >= this.#options.failureThreshold) this.#open(now)
    }
  }

  #settleTrial(outcome: BreakerOutcome, now: number): void {
    this.#trialsUnderWay -= 1
    if (outcome === 'failure') this.#open(now)
    else if (outcome === 'success') {
      this.#trialSuccesses += 1
      if (this.#trialSuccesses >= this.#options.successesToClose) this.#enter('closed')
    }
  }

  #open(now: number): void {
    this.#enter('open')
    this.#openUntil = now + this.#options.openMs
  }

  #enter(state: BreakerState): void {
    this.#state = state
    this.#generation += 1
    this.#failures = 0
    this.#trialsUnderWay = 0
    this.#trialSuccesses = 0
  }
}
