/**
 * Gate for a refused credential: a 401 concerns the whole API (design.md D6), so all calls wait and
 * one trial call goes out now and then. Plain state machine; the caller passes the time.
 */
export class AuthGate {
  readonly #trialEveryMs: number
  #closed = false
  #nextTrialAt = 0
  #trialUnderWay = false

  constructor(options: { readonly trialEveryMs: number }) {
    this.#trialEveryMs = options.trialEveryMs
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Milliseconds until a call may go: 0 now; Infinity while a trial is under way. */
  delay(now: number): number {
    if (!this.#closed) return 0
    if (this.#trialUnderWay) return Number.POSITIVE_INFINITY
    return Math.max(0, this.#nextTrialAt - now)
  }

  /** Reserves the right to one call; true when it is the trial. Only after `delay` said 0. */
  take(): boolean {
    if (!this.#closed) return false
    this.#trialUnderWay = true
    return true
  }

  /**
   * Reports a call. `accepted`: the server took the credential. `refused`: 401. `unknown`: neither was
   * learnt. Returns what changed, so that the caller alerts once.
   */
  settle(
    trial: boolean,
    outcome: 'accepted' | 'refused' | 'unknown',
    now: number
  ): 'closed' | 'opened' | undefined {
    if (trial) this.#trialUnderWay = false
    if (outcome === 'refused') {
      const changed = !this.#closed
      if (changed || trial) this.#nextTrialAt = now + this.#trialEveryMs
      this.#closed = true
      return changed ? 'closed' : undefined
    }
    if (!trial || !this.#closed) return undefined
    if (outcome === 'accepted') {
      this.#closed = false
      return 'opened'
    }
    this.#nextTrialAt = now + this.#trialEveryMs
    return undefined
  }
}
