/** What a running worker tells: counters since its start, and what it is doing. */
export type WorkerState = 'starting' | 'running' | 'waiting' | 'draining' | 'stopped' | 'failed'

export interface WorkerProgress {
  readonly worker: string
  readonly instance: number
  readonly state: WorkerState
  /** Input records taken from the log (a repeated batch counts again). */
  readonly received: number
  readonly done: number
  readonly skipped: number
  readonly retried: number
  readonly dead: number
  /** Batches committed. */
  readonly batches: number
  /** Batches given up after a rebalance or at shutdown; others repeat them. */
  readonly abandoned: number
  /** Seconds with at least one batch in flight. */
  readonly busySeconds: number
  /** Why it waits or failed; empty when all is well. */
  readonly lastError: string
}
