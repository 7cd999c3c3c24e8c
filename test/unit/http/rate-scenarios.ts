/**
 * Eager callers against a simulated server in virtual time: for tables of scenarios over the rate
 * controller. The hold after a 429 is honoured by all callers, as the admission does it.
 */
import { RateController } from '../../../src/http/index.ts'

export interface Scenario {
  readonly seconds: number
  /** Calls per second the hidden token bucket grants at a time; undefined: no limit. */
  readonly limitAt?: (seconds: number) => number | undefined
  readonly burstSeconds?: number
  /** `[length, period]` in milliseconds of moments in which every call is refused. */
  readonly moments?: readonly [number, number]
  /** Share of calls refused by chance. */
  readonly chance?: number
  readonly holdMs?: number
  readonly roundTripMs?: number
  readonly concurrency?: number
}

export interface Course {
  /** Accepted calls per second between two times, in seconds. */
  readonly mean: (from: number, to: number) => number
  readonly refusedShare: number
  readonly refused: number
}

export function run(scenario: Scenario): Course {
  const { holdMs = 1000, roundTripMs = 20, concurrency = 20 } = scenario
  const server = new Server(scenario)
  const rate = new RateController()
  const accepted: number[] = []
  let underWay: { at: number; sentAt: number; ok: boolean }[] = []
  let [refused, holdUntil] = [0, 0]
  for (let now = 0; now < scenario.seconds * 1000; now += 1) {
    const answered = underWay.filter(call => call.at <= now)
    underWay = underWay.filter(call => call.at > now)
    for (const call of answered) {
      if (call.ok) rate.onAccepted(call.sentAt, now)
      else {
        rate.onThrottled(call.sentAt, now)
        holdUntil = Math.max(holdUntil, now + holdMs)
        rate.onHold(now, holdUntil)
      }
    }
    while (underWay.length < concurrency && now >= holdUntil && rate.delay(now) <= 0) {
      rate.take(now)
      const ok = server.accepts(now + roundTripMs / 2)
      if (ok) accepted.push(now)
      else refused += 1
      // A real clock gives calls of one turn different times.
      underWay.push({ at: now + roundTripMs, sentAt: now + underWay.length / 1000, ok })
    }
  }
  return {
    mean: (from, to) =>
      accepted.filter(at => at >= from * 1000 && at < to * 1000).length / (to - from),
    refusedShare: refused / (accepted.length + refused),
    refused
  }
}

class Server {
  readonly #scenario: Scenario
  #tokens: number
  #at = 0
  #random = 7

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#tokens = (scenario.limitAt?.(0) ?? 0) * (scenario.burstSeconds ?? 0.5)
  }

  accepts(now: number): boolean {
    const { moments, chance = 0, limitAt, burstSeconds = 0.5 } = this.#scenario
    if (moments !== undefined && now >= 3000 && (now - 3000) % moments[1] < moments[0]) return false
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    if (this.#random / 4_294_967_296 < chance) return false
    const limit = limitAt?.(now / 1000)
    if (limit === undefined) return true
    const gained = ((now - this.#at) / 1000) * limit
    this.#tokens = Math.min(limit * burstSeconds, this.#tokens + gained)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
