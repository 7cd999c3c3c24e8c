/**
 * UPDATE: sets columns of the rows for which a condition is true. The engine reads the rows, computes the
 * new values and writes them; none pass through JavaScript.
 */
import { DeltaError } from '../../core/index.ts'
import { type ChangeOptions, changeRows } from '../by-condition/change.ts'
import type { TableLog } from '../table-log.ts'
import type { InputValue } from '../values/cells.ts'

/** A value, or an expression over the row as it was. */
export type NewValue<V = InputValue> = V | { readonly sql: string }

/** Options of `update`. */
export interface UpdateOptions<R extends object = Record<string, InputValue>>
  extends ChangeOptions {
  /** By column name. Columns that are not here stay as they are. */
  readonly set: { readonly [N in keyof R]?: NewValue<R[N]> }
  /** SQL boolean expression over the columns; rows for which it is false or null stay. Without it: all rows. */
  readonly where?: string
}

/** What an update did. */
export interface UpdateResult {
  /** The new version; the newest one when nothing was updated. */
  readonly version: number
  /** Rows for which the condition was true, also if they had the new values already. */
  readonly updated: number
  /** New data files. */
  readonly filesAdded: number
  /** Files that were rewritten or lost their last row. */
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
 * Rejects with `DELTA_QUERY_INVALID` when the condition or an expression does not fit the table,
 * with `DELTA_SCHEMA_MISMATCH` when a value does not, with `DELTA_UNSUPPORTED` when the table is append-only
 * or cannot be written.
 */
export async function updateRows(
  log: TableLog,
  { set, where, ...options }: UpdateOptions
): Promise<UpdateResult> {
  const given = Object.entries(set).flatMap(([column, to]) =>
    to === undefined ? [] : [[column, to] as const]
  )
  if (given.length === 0) {
    throw new DeltaError('DELTA_QUERY_INVALID', `The update of ${log.where} sets no column`)
  }
  const change = { operation: 'UPDATE', where, set: new Map(given) } as const
  const { rows, ...rest } = await changeRows(log, change, options)
  return { ...rest, updated: rows }
}
