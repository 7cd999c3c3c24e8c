/**
 * What a stage is to the loop. A stage decodes records and turns a batch of them into table writes
 * and records to produce; the loop (`stage-runner.ts`) owns everything else: polling, batches in
 * flight, order, durability, commit, drain. Written contract: docs/specs/worker-lifecycle.md.
 */
import type { PipelineError, Row, TableDef } from '../core/index.ts'
import type { LogRecord, ProducerRecord } from '../ports/index.ts'

/** One input message with the record that carried it. */
export interface Delivery<M> {
  readonly record: LogRecord
  readonly message: M
}

/** How one input message ended (design.md D2), and the records that make it so. */
export interface Outcome {
  readonly kind: 'done' | 'skipped' | 'retried' | 'dead'
  readonly records: readonly ProducerRecord[]
  /** Why, for `retried` and `dead`. */
  readonly error?: PipelineError
}

export interface TableWrite {
  readonly table: TableDef
  readonly rows: readonly Row[]
  /** Neighbours with the same step are written at the same time. Default: alone. */
  readonly step?: number
}

export interface BatchResult {
  /** One per delivery, in the same order. */
  readonly outcomes: readonly Outcome[]
  /** Written in this order, step by step, before anything is produced. */
  readonly writes: readonly TableWrite[]
  /** After the records are durable, before the offsets are committed. May run more than once. */
  readonly afterProduce?: () => Promise<void>
  /**
   * When the batch is applied or given up: frees what the stage holds for it. Not called when
   * `process` rejects.
   */
  readonly release?: () => void
}

export interface StageSpec<M> {
  readonly worker: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly group: string
  /** Most records in one batch. */
  readonly batchRecords: number
  readonly batchBytes: number
  /** Batches whose `process` may run at once; writes and commits stay in order. */
  readonly batchesInFlight: number
  /** How long a batch that is not full waits for more records; 0: not at all. */
  readonly lingerMs: number
  /** Tables that must exist before the first batch. */
  readonly tables: readonly TableDef[]
  /** Throws `MessageError`: the record goes to `undecodable`. */
  decode(record: LogRecord): M
  process(batch: readonly Delivery<M>[], signal: AbortSignal): Promise<BatchResult>
  /** The end of a message that made `process` or a table write fail by itself. */
  failed(delivery: Delivery<M>, error: unknown): BatchResult
  /** Dead letter of a record that cannot be decoded; it keeps the bytes. */
  undecodable(record: LogRecord, error: PipelineError): ProducerRecord
  /** Clock reading (ms) before which the record must not be processed (retry scheduler). */
  notBefore?(record: LogRecord): number
  /** Why the stage cannot make progress just now (API gate closed, disk full); empty: it can. */
  waitingFor?(): string
}
