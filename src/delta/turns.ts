/**
 * Turns among the merges of several processes. Under contention every commit makes the attempts of all
 * other writers void, so whoever met a conflict asks for a turn first: a small object beside the log that
 * one writer puts if absent and deletes when done. It is politeness and no lock: the commit alone decides,
 * a writer that does not know of turns is only a conflict, and what a killed writer leaves is taken away
 * when it has not changed for as long as its writer said. Without contention nothing is put or asked.
 */
import { isPipelineError } from '../core/index.ts'
import { logDirectory } from './log-path.ts'
import type { DeltaPorts } from './ports.ts'

export interface Turn {
  end(): Promise<void>
}

/** Contention is over when so many turns in a row were free at once. */
const FREE_TURNS = 16
const SHORTEST_LEASE_MS = 1000
const LONGEST_LEASE_MS = 10_000
/** A turn is given up for dead after this many times what its writer's merges take. */
const LEASE_FACTOR = 5
const FIRST_PAUSE_MS = 4
const LONGEST_PAUSE_MS = 64
/** Nobody waits longer than this: then it is tried without a turn. */
const PATIENCE_MS = 30_000

export class Turns {
  readonly #ports: DeltaPorts
  readonly #path: string
  #freeInRow = FREE_TURNS
  #usualMs = 100

  constructor(ports: DeltaPorts, table: string) {
    this.#ports = ports
    this.#path = `${logDirectory(table)}/_merge_turn`
  }

  get contended(): boolean {
    return this.#freeInRow < FREE_TURNS
  }

  /** Another writer won. */
  lost(): void {
    this.#freeInRow = 0
  }

  /** Waits for a turn; undefined when it is not to be had, which is no reason not to go on. */
  async take(signal?: AbortSignal): Promise<Turn | undefined> {
    const { clock, ids } = this.#ports
    const lease = Math.min(
      LONGEST_LEASE_MS,
      Math.max(SHORTEST_LEASE_MS, this.#usualMs * LEASE_FACTOR)
    )
    const mine = `${Math.ceil(lease)} ${ids.uuid()}`
    const startedAt = clock.now()
    let seen: { text: string; since: number } | undefined
    for (let pause = FIRST_PAUSE_MS; clock.now() - startedAt < PATIENCE_MS; ) {
      signal?.throwIfAborted()
      const holder = await this.#put(mine)
      if (holder === 'mine') {
        this.#freeInRow = seen === undefined ? this.#freeInRow + 1 : 0
        const since = clock.now()
        return { end: () => this.#end(mine, since) }
      }
      if (holder === 'unknown') return undefined
      if (seen?.text !== holder) {
        seen = { text: holder, since: clock.now() }
        pause = FIRST_PAUSE_MS
      } else if (clock.now() - seen.since > leaseOf(holder)) await this.#remove(holder)
      await clock.sleep(pause * (0.5 + ids.random()), signal)
      pause = Math.min(LONGEST_PAUSE_MS, pause * 1.5)
    }
    return undefined
  }

  /** `mine`, or what the holder wrote. */
  async #put(mine: string): Promise<string> {
    try {
      const there = await this.#holder()
      if (there !== undefined) return there
      const result = await this.#ports.store.put(this.#path, Buffer.from(mine), { ifAbsent: true })
      return result === 'stored' ? 'mine' : ((await this.#holder()) ?? 'gone')
    } catch (error) {
      // A store that cannot do this will say so where it matters.
      if (isPipelineError(error)) return 'unknown'
      throw error
    }
  }

  async #holder(): Promise<string | undefined> {
    try {
      return Buffer.from(await this.#ports.store.get(this.#path)).toString()
    } catch (error) {
      if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
      throw error
    }
  }

  async #end(mine: string, since: number): Promise<void> {
    this.#usualMs = (this.#usualMs * 3 + this.#ports.clock.now() - since) / 4
    await this.#remove(mine)
  }

  /** Who was taken for dead must not end the turn of the one who came after. */
  async #remove(holder: string): Promise<void> {
    try {
      if ((await this.#holder()) === holder) await this.#ports.store.delete(this.#path)
    } catch (error) {
      // What is left expires.
      if (!isPipelineError(error)) throw error
    }
  }
}

function leaseOf(holder: string): number {
  const ms = Number.parseInt(holder, 10)
  return Math.min(LONGEST_LEASE_MS, Number.isNaN(ms) ? SHORTEST_LEASE_MS : ms)
}
