/**
 * Tables as the workers see them: merge rows, look up keys, read. Implemented by
 * `adapters/delta-tables` on the Delta engine. Safe for many writers, in one process or several.
 */
import type { CellValue, Row, TableDef } from '../core/index.ts'

export interface MergeOutcome {
  /** Version of the table after the merge; unchanged when nothing was written. */
  readonly version: number
  readonly inserted: number
  readonly updated: number
  /** Source rows that changed nothing: equal, older, or present already. */
  readonly unchanged: number
  /** Source rows without a complete key; never written (claimx-tables.md section 12.7). */
  readonly dropped: number
  readonly bytesWritten: number
  readonly conflicts: number
}

export interface TableStore {
  /**
   * Creates the table when its absence is proven; adds nullable columns that the definition has and
   * the table lacks. Rejects with `DELTA_SCHEMA_MISMATCH` for any other difference.
   */
  ensure(table: TableDef): Promise<void>
  /**
   * Folds the rows by key, then merges them by the table's column policies and guard, in one atomic
   * commit. Durable when it resolves. Rejects with `DeltaError`; nothing is written then.
   */
  merge(table: TableDef, rows: readonly Row[], signal?: AbortSignal): Promise<MergeOutcome>
  /** Which of the values occur in a (single-column) merge key. Never reads the whole table. */
  existingKeys(table: TableDef, keys: readonly string[]): Promise<Set<string>>
  /** Rows of the newest version, for checks and tools. */
  read(table: TableDef, options?: ReadTableOptions): Promise<Record<string, CellValue>[]>
  close(): Promise<void>
}

export interface ReadTableOptions {
  readonly columns?: readonly string[]
  readonly version?: number
  /** SQL boolean expression over the columns. */
  readonly where?: string
  readonly limit?: number
}
