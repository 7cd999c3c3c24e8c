/** Delay before an in-process retry (reference/operations.md section 2.3). */
export interface BackoffOptions {
  readonly baseMs: number
  readonly factor: number
  readonly maxMs: number
}

/** Half fixed, half random. `attempt` counts from 1; `random` is uniform in [0, 1). */
export function backoffMs(options: BackoffOptions, attempt: number, random: number): number {
  const full = Math.min(options.maxMs, options.baseMs * options.factor ** (attempt - 1))
  return full / 2 + (full / 2) * random
}
