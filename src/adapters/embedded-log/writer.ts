/**
 * The only way to write: jobs of the whole process queue up and share transactions (group commit). A
 * transaction is bounded in rows and bytes, so that the event loop is never held for long, and its
 * jobs are told the result only after one sync made it durable (`durability.ts`).
 */
import type { DatabaseSync } from 'node:sqlite'
import { BrokerError, isPipelineError } from '../../core/index.ts'
import type { Ids } from '../../ports/index.ts'
import type { Durability } from './durability.ts'
import { closedError, isBusy, toBrokerError } from './sqlite-errors.ts'

/** Bounds of one transaction: about 5 ms of a slow core. */
export const MAX_ROWS = 512
export const MAX_BYTES = 1 << 20

const BUSY_LIMIT_MS = 60_000
const BUSY_DELAY_MAX_MS = 20

export interface Job<T> {
  /** Rows and bytes it writes, for the bounds. */
  readonly rows: number
  readonly bytes: number
  /** False: the caller need not wait for durability (heartbeats). */
  readonly durable: boolean
  /**
   * Runs inside a transaction. A `PipelineError` must be thrown before the first change: it rejects
   * this job alone. Anything else rolls the transaction back, and its jobs run one by one.
   */
  run(): T
  /** Called after the transaction is durable, before `submit` resolves. */
  done?(result: T): void
}

interface Pending {
  readonly job: Job<unknown>
  resolve(result: unknown): void
  reject(error: unknown): void
}

export interface Writer {
  submit<T>(job: Job<T>): Promise<T>
  /** Runs a read; tries again while another process holds the file (recovery after a crash). */
  read<T>(query: () => T): Promise<T>
  /** Refuses new jobs, finishes those that wait. */
  close(): Promise<void>
}

export interface WriterPorts {
  readonly db: DatabaseSync
  readonly durability: Durability
  readonly ids: Ids
  /** Told how much a transaction wrote; the writer goes on when it resolves. */
  written(bytes: number): Promise<void>
}

export function createWriter(path: string, ports: WriterPorts): Writer {
  const { db, durability, ids } = ports
  const queue: Pending[] = []
  let running: Promise<void> | undefined
  let closed = false

  function submit<T>(job: Job<T>): Promise<T> {
    if (closed) return Promise.reject(closedError('log'))
    return new Promise<T>((resolve, reject) => {
      queue.push({ job, resolve: result => resolve(result as T), reject } as Pending)
      running ??= drain().finally(() => {
        running = undefined
      })
    })
  }

  async function drain(): Promise<void> {
    // Callers of the same turn join the first transaction.
    await nextTurn()
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      await runBatch(batch)
      await nextTurn()
    }
  }

  async function runBatch(batch: readonly Pending[]): Promise<void> {
    const results = await store(batch)
    if (results === undefined) return
    try {
      if (batch.some(pending => pending.job.durable)) await durability.sync()
    } catch (error) {
      rejectAll(batch, error)
      return
    }
    settle(batch, results)
    await ports.written(batch.reduce((sum, pending) => sum + pending.job.bytes, 0))
  }

  /** When a transaction breaks, its jobs run one by one, so that only the guilty one fails. */
  async function store(batch: readonly Pending[]): Promise<Result[] | undefined> {
    try {
      return await retryWhileBusy(() => transaction(batch))
    } catch (error) {
      if (batch.length === 1 || isPipelineError(error)) rejectAll(batch, error)
      else for (const pending of batch) await runBatch([pending])
      return undefined
    }
  }

  function rejectAll(batch: readonly Pending[], error: unknown): void {
    const failure = toBrokerError(error, path, 'Writing')
    for (const pending of batch) pending.reject(failure)
  }

  function transaction(batch: readonly Pending[]): Result[] {
    db.exec('BEGIN IMMEDIATE')
    try {
      const results = batch.map(pending => runJob(pending.job))
      db.exec('COMMIT')
      return results
    } catch (error) {
      // A full disk makes SQLite roll back by itself.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }

  async function retryWhileBusy<T>(attempt: () => T): Promise<T> {
    const start = performance.now()
    for (let delay = 1; ; delay = Math.min(delay * 1.5, BUSY_DELAY_MAX_MS)) {
      try {
        return attempt()
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() - start > BUSY_LIMIT_MS) throw busyTooLong(path, error)
      }
      await pause(delay * (0.25 + ids.random()))
    }
  }

  async function read<T>(query: () => T): Promise<T> {
    if (closed) throw closedError('log')
    try {
      return await retryWhileBusy(query)
    } catch (error) {
      throw toBrokerError(error, path, 'Reading')
    }
  }

  async function close(): Promise<void> {
    closed = true
    await running
  }

  return { submit, read, close }
}

type Result = { readonly ok: true; readonly value: unknown } | { readonly ok: false; error: Error }

function runJob(job: Job<unknown>): Result {
  try {
    return { ok: true, value: job.run() }
  } catch (error) {
    if (isPipelineError(error)) return { ok: false, error }
    throw error
  }
}

function settle(batch: readonly Pending[], results: readonly Result[]): void {
  batch.forEach((pending, index) => {
    const result = results[index]
    if (result === undefined) return
    if (!result.ok) {
      pending.reject(result.error)
      return
    }
    pending.job.done?.(result.value)
    pending.resolve(result.value)
  })
}

/** The first jobs that fit the bounds together; at least one. */
function takeBatch(queue: Pending[]): Pending[] {
  let rows = 0
  let bytes = 0
  let count = 0
  for (const { job } of queue) {
    rows += job.rows
    bytes += job.bytes
    if (count > 0 && (rows > MAX_ROWS || bytes > MAX_BYTES)) break
    count++
  }
  return queue.splice(0, count)
}

function busyTooLong(path: string, cause: unknown): BrokerError {
  return new BrokerError(
    'BROKER_UNAVAILABLE',
    `${path} has been locked by another process for ${BUSY_LIMIT_MS / 1000} seconds; ` +
      'look for a process that is stopped or copies the file.',
    { cause }
  )
}

/** Lets timers and I/O run: promises alone would keep them waiting. */
export function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

export function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
