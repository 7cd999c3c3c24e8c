/**
 * Work on a dependency that may be down as a whole (lake, disk). While it is down, work waits and keeps
 * its place instead of burning retries (design.md D6). A failure that is the work's own, seen by others
 * succeeding meanwhile, is given back to the caller.
 */
import { isPipelineError, type PipelineError } from '../core/index.ts'
import type { Clock, Ids } from '../ports/index.ts'

export interface DependencyGateOptions {
  /** Attempts before a failure counts as the work's own, if others succeeded meanwhile. */
  readonly attempts: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** Failures that mean the dependency is down; default: all that a retry may cure. */
  readonly isOutage?: (error: PipelineError) => boolean
}

export const defaultGateOptions: DependencyGateOptions = {
  attempts: 3,
  baseDelayMs: 200,
  maxDelayMs: 10_000
}

export class DependencyGate {
  readonly #options: DependencyGateOptions
  readonly #clock: Clock
  readonly #ids: Ids
  #lastSuccess = Number.NEGATIVE_INFINITY
  #waiting = 0
  #lastError: unknown

  constructor(ports: { clock: Clock; ids: Ids }, options = defaultGateOptions) {
    this.#options = options
    this.#clock = ports.clock
    this.#ids = ports.ids
  }

  /** The error that work waits for; undefined while nothing waits. */
  get blockedBy(): unknown {
    return this.#waiting > 0 ? this.#lastError : undefined
  }

  /**
   * Runs `task` until it succeeds, fails permanently, or fails `attempts` times while other work
   * succeeded. Rejects with the signal's reason when aborted.
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    let firstFailure = Number.POSITIVE_INFINITY
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted()
      try {
        const result = await task()
        this.#lastSuccess = this.#clock.monotonic()
        return result
      } catch (error) {
        if (signal.aborted || !isPipelineError(error) || !this.#isOutage(error)) throw error
        firstFailure = Math.min(firstFailure, this.#clock.monotonic())
        const ownFailure = attempt >= this.#options.attempts && this.#lastSuccess > firstFailure
        if (ownFailure) throw error
        await this.#wait(attempt, error, signal)
      }
    }
  }

  #isOutage(error: PipelineError): boolean {
    return error.retryable && (this.#options.isOutage?.(error) ?? true)
  }

  async #wait(attempt: number, error: unknown, signal: AbortSignal): Promise<void> {
    const { baseDelayMs, maxDelayMs } = this.#options
    const delay = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1))
    this.#lastError = error
    this.#waiting += 1
    try {
      await this.#clock.sleep(delay * (0.5 + this.#ids.random() / 2), signal)
    } finally {
      this.#waiting -= 1
    }
  }
}
