/**
 * What a table is, as data: columns, types, merge key and the rule by which each column of a stored
 * row changes (reference/claimx-tables.md sections 1.3 and 12). Pure types; the Delta engine gets
 * them translated by `adapters/delta-tables`.
 */
export type ColumnType = 'string' | 'long' | 'integer' | 'double' | 'boolean' | 'timestamp' | 'date'

/**
 * - `key`      merge key, never changes (K)
 * - `first`    kept from the first insert (F)
 * - `coalesce` new value if non-null, else the stored one (N)
 * - `replace`  replaced even by null (L); a column that is absent from a row (patch) is not touched
 * - `min`      the earlier or smaller non-null value wins, in any order of arrival (P, event times)
 * - `or`       true wins over false over null ("true wins")
 * - `with:X`   follows column X: replaced, null included, whenever X's new value is non-null
 * - `audit`    set when the row is written, but a difference in it alone is no reason to write (S)
 */
export type ColumnPolicy =
  | 'key'
  | 'first'
  | 'coalesce'
  | 'replace'
  | 'min'
  | 'or'
  | `with:${string}`
  | 'audit'

export interface ColumnDef {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly policy: ColumnPolicy
  readonly doc: string
}

/**
 * Which of two rows with one key is newer. A row without the first guard column is a patch: it counts as
 * newer (for the columns it has). Otherwise a row is newer if its guard columns, compared in order, are
 * greater than the stored ones (`strict`) or greater or equal; null is oldest. A row that is not newer
 * replaces nothing; of `coalesce` columns it fills what is null. `parse: 'instant'` compares text columns
 * as points in time.
 */
export interface MergeGuard {
  /** Compared in order. */
  readonly columns: readonly string[]
  /** Whether a row that compares equal is not newer. */
  readonly strict: boolean
  /** How text columns are compared; as text by default. */
  readonly parse?: 'instant'
}

export interface TableDef {
  readonly name: string
  readonly doc: string
  readonly columns: readonly ColumnDef[]
  readonly mergeKey: readonly string[]
  /** Rows with a stored key are left as they are (`claimx_events`). */
  readonly insertOnly?: boolean
  readonly guard?: MergeGuard
  readonly partitionBy?: readonly string[]
}

/**
 * string: `string`; long: `number` (safe integer) or `bigint`; integer, double: `number`;
 * boolean: `boolean`; timestamp: `bigint` microseconds since the epoch, UTC; date: `YYYY-MM-DD`.
 */
export type CellValue = string | number | bigint | boolean | null

/** Column name to value. A column that is absent is not touched by a merge (a patch). */
export type Row = Readonly<Record<string, CellValue | undefined>>
