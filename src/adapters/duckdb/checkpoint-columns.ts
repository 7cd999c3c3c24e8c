/** What the footer of a checkpoint file says of its columns. */
import type { DuckDBConnection } from '@duckdb/node-api'
import { literal } from './sql.ts'

export interface CheckpointColumns {
  readonly rows: number
  /** The field is in the file. `''`: the column itself, which is no struct then. */
  has(column: string, field: string): boolean
  /** It is, and the footer does not say that it is null everywhere. */
  holds(column: string, field: string): boolean
  /** The footer does not say that it is false everywhere. */
  mayBeTrue(column: string, field: string): boolean
}

export async function checkpointColumns(
  connection: DuckDBConnection,
  path: string
): Promise<CheckpointColumns> {
  const reader = await connection.runAndReadAll(
    `SELECT split_part(path_in_schema, ', ', 1), split_part(path_in_schema, ', ', 2),
       sum(row_group_num_rows), bool_and(coalesce(stats_null_count = num_values, false)),
       bool_and(coalesce(stats_max_value = 'false', false))
     FROM parquet_metadata(${literal(path)}) GROUP BY ALL`
  )
  const fields = new Map<string, { readonly empty: boolean; readonly mayBeTrue: boolean }>()
  // A field of several leaves is counted several times, and others are not.
  let rows = Number.POSITIVE_INFINITY
  for (const [column, field, counted, empty, allFalse] of reader.getRows()) {
    fields.set(`${column}.${field}`, { empty: empty === true, mayBeTrue: allFalse !== true })
    rows = Math.min(rows, Number(counted))
  }
  const get = (column: string, field: string) => fields.get(`${column}.${field}`)
  return {
    rows: fields.size === 0 ? 0 : rows,
    has: (column, field) => get(column, field) !== undefined,
    holds: (column, field) => get(column, field)?.empty === false,
    mayBeTrue: (column, field) => get(column, field)?.mayBeTrue === true
  }
}
