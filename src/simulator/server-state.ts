/** What both halves of the server share: counters, faults, waiting. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Faults, HiddenLimit } from './faults.ts'
import type { SimulatorOptions, SimulatorStats } from './types.ts'

export class ServerState {
  readonly faults: Faults
  readonly limit: HiddenLimit | undefined
  readonly token: string
  readonly latencyMs: number
  readonly linkLifetimeMs: number
  throttled = 0
  downloads = 0
  bytes = 0
  readonly #slowMs: readonly [number, number]
  readonly #startedAt = performance.now()
  readonly #closing = new AbortController()
  readonly #requests = new Map<string, number>()
  readonly #distinct = new Map<string, Set<string>>()
  readonly #answers = new Map<string, number>()

  constructor(options: SimulatorOptions) {
    const { world, faults, faultSalt = 0, rateLimit } = options
    this.faults = new Faults(faults, world.options.seed, faultSalt)
    this.limit = rateLimit === undefined ? undefined : new HiddenLimit(rateLimit)
    this.token = options.token
    this.latencyMs = options.latencyMs ?? 0
    this.linkLifetimeMs = options.linkLifetimeMs ?? 3_600_000
    this.#slowMs = options.slowMs ?? [1_000, 3_000]
  }

  elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  slowMs(key: string): number {
    const [from, to] = this.#slowMs
    return from + this.faults.fraction(`${key} slow`) * (to - from)
  }

  /** Rejects when the server closes. */
  async wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal, ref: true })
  }

  asked(endpoint: string, key: string): void {
    this.#requests.set(endpoint, (this.#requests.get(endpoint) ?? 0) + 1)
    const keys = this.#distinct.get(endpoint) ?? new Set()
    keys.add(key)
    this.#distinct.set(endpoint, keys)
  }

  answered(status: string): void {
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1)
  }

  stop(): void {
    this.#closing.abort()
  }

  stats(): SimulatorStats {
    return {
      requests: Object.fromEntries(this.#requests),
      distinct: Object.fromEntries([...this.#distinct].map(([name, keys]) => [name, keys.size])),
      answers: Object.fromEntries(this.#answers),
      faults: Object.fromEntries(this.faults.counts),
      throttled: this.throttled,
      downloads: this.downloads,
      bytes: this.bytes
    }
  }
}
