/** Waits until nothing is left to do. */
import type { Clock, MessageLog } from '../ports/index.ts'
import { type WorkerName, workerNames } from '../topology.ts'
import { totalLag } from './backlog.ts'

export interface UntilIdleOptions {
  /** The lag must stay zero this long. */
  readonly idleMs: number
  readonly workers?: readonly WorkerName[]
  readonly pollMs?: number
  readonly signal: AbortSignal
}

/**
 * Resolves when every topic that the workers read has been committed to its end for `idleMs`, with the
 * monotonic clock reading (ms) at which that began. Retry topics count: a record that waits there is
 * lag of the retry scheduler. Rejects when aborted.
 */
export async function untilIdle(
  ports: { readonly log: MessageLog; readonly clock: Clock },
  options: UntilIdleOptions
): Promise<number> {
  const { log, clock } = ports
  const pollMs = options.pollMs ?? Math.min(200, Math.max(20, options.idleMs / 4))
  let idleSince: number | undefined
  for (;;) {
    const lag = await totalLag(log, options.workers ?? workerNames)
    const now = clock.monotonic()
    if (lag > 0n) idleSince = undefined
    else if (idleSince === undefined) idleSince = now
    if (idleSince !== undefined && now - idleSince >= options.idleMs) return idleSince
    await clock.sleep(pollMs, options.signal)
  }
}
