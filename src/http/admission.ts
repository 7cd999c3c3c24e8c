/**
 * The one place where outbound calls wait: for a free slot, for their turn under a rate, for the end of
 * a `Retry-After`, for the breaker, for a renewed credential. First come, first served; a call that
 * need not wait enters without a promise. The parts decide, this class waits.
 */
import type { Clock } from '../ports/index.ts'
import type { AuthGate } from './auth-gate.ts'
import type { BreakerOutcome, BreakerPermit, CircuitBreaker } from './circuit-breaker.ts'
import type { ConcurrencyLimiter } from './concurrency-limiter.ts'
import type { RateController } from './rate-controller.ts'
import type { TokenBucket } from './token-bucket.ts'

export interface AdmissionParts {
  readonly breaker: CircuitBreaker
  readonly concurrency: ConcurrencyLimiter
  readonly auth?: AuthGate
  readonly rate?: RateController
  readonly bucket?: TokenBucket
}

export interface AdmissionPermit {
  readonly breaker: BreakerPermit
  /** Trial of the breaker or of the credential. */
  readonly trial: boolean
  readonly authTrial: boolean
  /** Monotonic time of entry. */
  readonly enteredAt: number
}

/**
 * How a call ended. `success`, `rejected` (permanent answer), `failure` (counts for the breaker),
 * `throttled` (429), `unauthorized` (401), `abandoned` (given up by the caller: nothing was learnt).
 */
export type AdmissionOutcome =
  | { readonly kind: 'success' | 'rejected'; readonly route: string }
  | { readonly kind: 'failure'; readonly timedOut: boolean }
  | { readonly kind: 'throttled'; readonly holdMs: number }
  | { readonly kind: 'unauthorized' | 'abandoned' }

export type GateChange = 'auth_closed' | 'auth_opened' | 'breaker_opened' | 'breaker_closed'

/** Less is a rounding error: a clock might not move by it, and the queue would wake for ever. */
const shortestDelayMs = 0.001
/** Urgent calls in a row while ordinary ones wait; then an ordinary one has its turn. */
const urgentInARow = 4

interface Waiter {
  readonly resolve: (permit: AdmissionPermit) => void
  readonly reject: (error: unknown) => void
}

export class Admission {
  readonly #parts: AdmissionParts
  readonly #clock: Clock
  readonly #onChange: (change: GateChange) => void
  readonly #urgent = new Set<Waiter>()
  readonly #ordinary = new Set<Waiter>()
  #urgentSoFar = 0
  #holdUntil = 0
  #timer: { readonly at: number; readonly cancel: AbortController } | undefined
  #closedWith: Error | undefined

  /** `onChange` hears of a gate that closed or opened, once for each change. */
  constructor(
    parts: AdmissionParts,
    ports: { readonly clock: Clock; readonly onChange?: (change: GateChange) => void }
  ) {
    this.#parts = parts
    this.#clock = ports.clock
    this.#onChange = ports.onChange ?? (() => {})
  }

  get waiting(): number {
    return this.#urgent.size + this.#ordinary.size
  }

  get held(): boolean {
    return this.#clock.monotonic() < this.#holdUntil
  }

  /**
   * Resolves when the call may go; rejects when the signal aborts or after `close`. `urgent` calls go
   * before the others that wait.
   */
  enter(signal?: AbortSignal, urgent = false): AdmissionPermit | Promise<AdmissionPermit> {
    if (this.#closedWith !== undefined) return Promise.reject(this.#closedWith)
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const now = this.#clock.monotonic()
    if (this.waiting === 0 && this.#delay(now) <= 0) return this.#take(now)
    const lane = urgent ? this.#urgent : this.#ordinary
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        lane.delete(waiter)
        reject(signal?.reason)
      }
      const done = () => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter = {
        resolve: permit => {
          done()
          resolve(permit)
        },
        reject: error => {
          done()
          reject(error)
        }
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      lane.add(waiter)
      this.#pump()
    })
  }

  /** Reports how an admitted call ended; exactly once for each permit. */
  settle(permit: AdmissionPermit, outcome: AdmissionOutcome): void {
    const now = this.#clock.monotonic()
    const { concurrency, rate, breaker, auth } = this.#parts
    concurrency.release()
    const before = breaker.state
    breaker.settle(permit.breaker, breakerOutcome(outcome), now)
    if (before !== 'open' && breaker.state === 'open') this.#onChange('breaker_opened')
    if (before === 'half_open' && breaker.state === 'closed') this.#onChange('breaker_closed')
    if (outcome.kind === 'throttled') {
      rate?.onThrottled(permit.enteredAt, now)
      concurrency.onOverload('throttled', permit.enteredAt, now)
      this.#hold(now, outcome.holdMs)
    } else if (outcome.kind === 'success' || outcome.kind === 'rejected') {
      rate?.onAccepted(permit.enteredAt, now)
      concurrency.onAnswer(outcome.route, now - permit.enteredAt, now)
    } else if (outcome.kind === 'failure' && outcome.timedOut) {
      concurrency.onOverload('timeout', permit.enteredAt, now)
    }
    const change = auth?.settle(permit.authTrial, authOutcome(outcome), now)
    if (change !== undefined) this.#onChange(change === 'closed' ? 'auth_closed' : 'auth_opened')
    this.#pump()
  }

  /** Rejects all waiters and every later `enter`. */
  close(error: Error): void {
    this.#closedWith ??= error
    this.#timer?.cancel.abort()
    this.#timer = undefined
    const waiters = [...this.#urgent, ...this.#ordinary]
    this.#urgent.clear()
    this.#ordinary.clear()
    for (const waiter of waiters) waiter.reject(error)
  }

  #hold(now: number, ms: number): void {
    this.#holdUntil = Math.max(this.#holdUntil, now + ms)
    this.#parts.rate?.onHold(now, this.#holdUntil)
  }

  #delay(now: number): number {
    const { breaker, concurrency, auth, rate, bucket } = this.#parts
    const gate = Math.max(this.#holdUntil - now, breaker.delay(now), auth?.delay(now) ?? 0)
    if (gate >= shortestDelayMs) return gate
    if (concurrency.delay() > 0) return Number.POSITIVE_INFINITY
    const pace = Math.max(rate?.delay(now) ?? 0, bucket?.delay(now) ?? 0)
    return pace < shortestDelayMs ? 0 : pace
  }

  #take(now: number): AdmissionPermit {
    const { breaker, concurrency, auth, rate, bucket } = this.#parts
    concurrency.take()
    rate?.take(now)
    bucket?.take(now)
    const authTrial = auth?.take() ?? false
    const permit = breaker.take(now)
    return { breaker: permit, trial: permit.trial || authTrial, authTrial, enteredAt: now }
  }

  #pump(): void {
    for (let lane = this.#nextLane(); lane !== undefined; lane = this.#nextLane()) {
      const now = this.#clock.monotonic()
      const delay = this.#delay(now)
      if (delay > 0) {
        if (Number.isFinite(delay)) this.#wakeAt(now + delay, delay)
        return
      }
      const [waiter] = lane as ReadonlySet<Waiter>
      if (waiter === undefined) return
      lane.delete(waiter)
      this.#urgentSoFar = lane === this.#urgent ? this.#urgentSoFar + 1 : 0
      waiter.resolve(this.#take(now))
    }
  }

  /** The lane whose turn it is; undefined when nobody waits. */
  #nextLane(): Set<Waiter> | undefined {
    const [urgent, ordinary] = [this.#urgent.size > 0, this.#ordinary.size > 0]
    if (urgent && !(ordinary && this.#urgentSoFar >= urgentInARow)) return this.#urgent
    return ordinary ? this.#ordinary : undefined
  }

  #wakeAt(at: number, delay: number): void {
    if (this.#timer !== undefined) {
      if (this.#timer.at <= at) return
      this.#timer.cancel.abort()
    }
    const timer = { at, cancel: new AbortController() }
    this.#timer = timer
    this.#clock.sleep(delay, timer.cancel.signal).then(
      () => {
        if (this.#timer === timer) this.#timer = undefined
        this.#pump()
      },
      () => {} // cancelled for an earlier one
    )
  }
}

function breakerOutcome(outcome: AdmissionOutcome): BreakerOutcome {
  if (outcome.kind === 'success' || outcome.kind === 'failure') return outcome.kind
  return 'ignored'
}

function authOutcome(outcome: AdmissionOutcome): 'accepted' | 'refused' | 'unknown' {
  if (outcome.kind === 'unauthorized') return 'refused'
  return outcome.kind === 'success' || outcome.kind === 'rejected' ? 'accepted' : 'unknown'
}
