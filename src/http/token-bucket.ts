/** Fixed rate with a burst of one second's worth (reference/claimx-api.md section 6). */
export class TokenBucket {
  readonly #perMs: number
  readonly #capacity: number
  #tokens: number
  #at: number | undefined

  constructor(options: { readonly perSecond: number }) {
    this.#perMs = options.perSecond / 1000
    this.#capacity = Math.max(1, options.perSecond)
    this.#tokens = this.#capacity
  }

  /** Milliseconds until a token is there. */
  delay(now: number): number {
    this.#refill(now)
    // A token short of a rounding error counts as whole; otherwise a timer could wake just too early for ever.
    return this.#tokens >= 1 - 1e-9 ? 0 : (1 - this.#tokens) / this.#perMs
  }

  take(now: number): void {
    this.#refill(now)
    this.#tokens -= 1
  }

  #refill(now: number): void {
    const since = this.#at === undefined ? 0 : Math.max(0, now - this.#at)
    this.#tokens = Math.min(this.#capacity, this.#tokens + since * this.#perMs)
    this.#at = now
  }
}
