/** What the client has done so far, for `status()`. */
export class Counters {
  readonly #requests = new Map<string, number>()
  readonly #answers = new Map<string, number>()
  #inFlight = 0

  get inFlight(): number {
    return this.#inFlight
  }

  sent(endpoint: string): void {
    this.#inFlight += 1
    increment(this.#requests, endpoint)
  }

  ended(): void {
    this.#inFlight -= 1
  }

  answered(status: string): void {
    increment(this.#answers, status)
  }

  requests(): Record<string, number> {
    return Object.fromEntries(this.#requests)
  }

  answers(): Record<string, number> {
    return Object.fromEntries(this.#answers)
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
