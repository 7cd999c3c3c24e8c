/**
 * DELETE: removes the rows for which a condition is true. Files that lose all their rows are removed by
 * their statistics or partition values where these prove it, without being read.
 */
import { type ChangeOptions, changeRows } from '../by-condition/change.ts'
import type { TableLog } from '../table-log.ts'

/** Options of `delete`. */
export interface DeleteOptions extends ChangeOptions {
  /**
   * SQL boolean expression over the columns, as in reads. Rows for which it is false or null stay. Without
   * it all rows are deleted, and no file is read.
   */
  readonly where?: string
}

/** What a delete did. */
export interface DeleteResult {
  /** The new version; the newest one when nothing was deleted. */
  readonly version: number
  /** Rows deleted. */
  readonly deleted: number
  /** Files that were written anew, without the rows. */
  readonly filesAdded: number
  /** Files that were written anew, or lost all their rows. */
  readonly filesRemoved: number
  /** Files that stay, with a new deletion vector. */
  readonly filesMarked: number
  /** Of data files and vectors, those of lost attempts too. */
  readonly bytesWritten: number
  /** Bytes that no commit refers to, because another writer won. */
  readonly bytesWasted: number
  /** Attempts that other writers won. */
  readonly conflicts: number
}

/**
 * Rejects with `DELTA_QUERY_INVALID` when the condition does not fit the table, with `DELTA_UNSUPPORTED`
 * when the table is append-only or cannot be written.
 */
export async function deleteRows(
  log: TableLog,
  { where, ...options }: DeleteOptions = {}
): Promise<DeleteResult> {
  const { rows, ...rest } = await changeRows(log, { operation: 'DELETE', where }, options)
  return { ...rest, deleted: rows }
}
