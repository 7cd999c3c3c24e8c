/**
 * Which request fails how. Decisions follow from seed, salt, key and how often the key was asked. No key
 * fails more than twice in a row, a few stubborn ones five times: no message can be exhausted by chance.
 */
import { hash32, hashText } from './rng.ts'
import type { FaultLevel, RateStep } from './types.ts'

export const apiFaults = {
  server_error: 3,
  bad_gateway: 1,
  unavailable: 2,
  slow: 1,
  truncated: 1,
  reset: 1,
  html: 1,
  wrong_root: 1
} as const
export type ApiFault = keyof typeof apiFaults

export const downloadFaults = {
  expired: 2,
  unavailable: 2,
  server_error: 1,
  truncated: 2,
  reset: 2,
  slow: 1
} as const
export type DownloadFault = keyof typeof downloadFaults

const rates: Readonly<Record<FaultLevel, number>> = { none: 0, light: 0.02, heavy: 0.1 }
/** Length and period, in milliseconds, of the times in which every API call gets 401. */
const refusals: Readonly<Record<FaultLevel, readonly [number, number]>> = {
  none: [0, 1],
  light: [1_200, 60_000],
  heavy: [1_600, 20_000]
}
/** The same for 429: a server throttles everybody for a moment, not one call in fifty. */
const throttles: Readonly<Record<FaultLevel, readonly [number, number]>> = {
  none: [0, 1],
  light: [200, 30_000],
  heavy: [400, 15_000]
}
const MOST_IN_A_ROW = 2
/** Share of keys whose first requests all fail, so that a client must come back much later. */
const stubborn: Readonly<Record<FaultLevel, number>> = { none: 0, light: 0.001, heavy: 0.004 }
/** More than a client tries at once, fewer than all its delayed attempts together. */
const STUBBORN_REQUESTS = 5

interface KeyState {
  asked: number
  inRow: number
}

export class Faults {
  readonly #level: FaultLevel
  readonly #seed: number
  readonly #keys = new Map<string, KeyState>()
  readonly counts = new Map<string, number>()

  constructor(level: FaultLevel, seed: number, salt: number) {
    this.#level = level
    this.#seed = hash32(seed, 0xfa, salt)
  }

  /** For an API call; asking without a fault ends the row. */
  api(key: string): ApiFault | undefined {
    const state = this.#state(key)
    const fault = this.#decide(key, state, rates[this.#level], apiFaults)
    state.inRow = fault === undefined ? 0 : state.inRow + 1
    return this.#counted('api', fault)
  }

  /** For one hop of a download; only `delivered` ends the row. */
  download(key: string, hops: number): DownloadFault | undefined {
    const state = this.#state(key)
    const fault = this.#decide(key, state, rates[this.#level] / hops, downloadFaults)
    if (fault !== undefined) state.inRow++
    return this.#counted('download', fault)
  }

  delivered(key: string): void {
    this.#state(key).inRow = 0
  }

  /** True for the first handing out of some links: then they are made to expire early. */
  shortLink(key: string): boolean {
    const state = this.#state(key)
    const roll = hash32(this.#seed, 0x51, hashText(key)) / 4294967296
    const short = state.asked === 0 && roll < rates[this.#level] / 2
    state.asked++
    if (short) this.#counted('link', 'short_lived')
    return short
  }

  /** The token is refused for a moment now and then. */
  unauthorized(elapsedMs: number): boolean {
    const refused = this.#within(refusals[this.#level], elapsedMs)
    if (refused) this.#counted('api', 'unauthorized')
    return refused
  }

  /** Every call is answered 429 for a moment now and then. */
  throttled(elapsedMs: number): boolean {
    const throttled = this.#within(throttles[this.#level], elapsedMs)
    if (throttled) this.#counted('api', 'throttled')
    return throttled
  }

  #within([length, period]: readonly [number, number], elapsedMs: number): boolean {
    if (length === 0) return false
    const first = period / 4 + (this.#seed % Math.floor(period / 4))
    return elapsedMs >= first && (elapsedMs - first) % period < length
  }

  /** A number in [0, 1) that belongs to the key. */
  fraction(key: string): number {
    return hash32(this.#seed, 0xf7, hashText(key)) / 4294967296
  }

  #state(key: string): KeyState {
    const known = this.#keys.get(key)
    if (known !== undefined) return known
    const fresh = { asked: 0, inRow: 0 }
    this.#keys.set(key, fresh)
    return fresh
  }

  #decide<T extends string>(
    key: string,
    state: KeyState,
    rate: number,
    weights: Readonly<Record<T, number>>
  ): T | undefined {
    const turn = state.asked++
    if (rate <= 0) return undefined
    const most = this.#isStubborn(key) ? STUBBORN_REQUESTS : MOST_IN_A_ROW
    if (state.inRow >= most) return undefined
    const hash = hashText(key)
    const holdsOut = turn < STUBBORN_REQUESTS && this.#isStubborn(key)
    if (!holdsOut && hash32(this.#seed, hash, turn) / 4294967296 >= rate) return undefined
    // A slow answer is none, and a link that expires again and again is rightly given up.
    const entries = (Object.entries(weights) as [T, number][]).filter(
      ([name]) => !holdsOut || (name !== 'slow' && name !== 'expired')
    )
    const total = entries.reduce((sum, [, weight]) => sum + weight, 0)
    let rest = (hash32(this.#seed, turn, hash, 7) / 4294967296) * total
    return entries.find(([, weight]) => {
      rest -= weight
      return rest < 0
    })?.[0]
  }

  #isStubborn(key: string): boolean {
    return hash32(this.#seed, 0x5b, hashText(key)) / 4294967296 < stubborn[this.#level]
  }

  #counted<T extends string>(area: string, fault: T | undefined): T | undefined {
    if (fault !== undefined) {
      const name = `${area}_${fault}`
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    }
    return fault
  }
}

/** Token bucket whose rate may change with time; holds half a second's worth. */
export class HiddenLimit {
  readonly #steps: readonly RateStep[]
  #tokens: number
  #lastMs = 0

  constructor(limit: number | readonly RateStep[]) {
    this.#steps = typeof limit === 'number' ? [{ fromMs: 0, perSecond: limit }] : limit
    this.#tokens = this.#capacity(0)
  }

  /** Takes a token; false: none left. */
  take(elapsedMs: number): boolean {
    const rate = this.rateAt(elapsedMs)
    if (rate === undefined) return true
    const gained = ((elapsedMs - this.#lastMs) / 1000) * rate
    this.#tokens = Math.min(this.#capacity(elapsedMs), this.#tokens + gained)
    this.#lastMs = elapsedMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Calls per second; undefined: no step has begun yet, no limit. */
  rateAt(elapsedMs: number): number | undefined {
    return this.#steps.findLast(step => step.fromMs <= elapsedMs)?.perSecond
  }

  #capacity(elapsedMs: number): number {
    return Math.max(1, (this.rateAt(elapsedMs) ?? 0) / 2)
  }
}
