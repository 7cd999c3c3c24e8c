/** Time, as a port, so that tests can drive it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds of a clock that never steps back; for durations. */
  monotonic(): number
  /** Resolves after `ms`, or rejects with an `AbortError` when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Randomness, as a port. */
export interface Ids {
  /** Random UUID (version 4). */
  uuid(): string
  /** Uniform in [0, 1). */
  random(): number
}
