/** Rows of ten columns like those of media, for the benchmarks of the Delta engine. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { CellValue } from '../../src/core/index.ts'
import type { ColumnSpec } from '../../src/delta/index.ts'

const column = (name: string, type: ColumnSpec['type'], nullable = true): ColumnSpec => ({
  name,
  type,
  nullable
})

export const mediaColumns: readonly ColumnSpec[] = [
  column('media_id', 'string', false),
  column('project_id', 'string'),
  column('file_type', 'string'),
  column('file_name', 'string'),
  column('media_comment', 'string'),
  column('latitude', 'double'),
  column('longitude', 'double'),
  column('bytes', 'long'),
  column('created_at', 'timestamp'),
  column('updated_at', 'timestamp')
]

/** SQL of the rows of the numbers `i`. `note` differs from batch to batch; ids are `random` or `sorted`. */
export function mediaRowsSql(ids: string, numbers: string, note: string): string {
  const id = ids === 'random' ? 'substr(md5(i::VARCHAR), 1, 16)' : '(100000000 + i)::VARCHAR'
  return `SELECT ${id} AS media_id, (700000 + (i >> 4))::VARCHAR AS project_id,
    CASE WHEN i % 9 = 0 THEN 'mp4' ELSE 'jpg' END AS file_type,
    'photo ' || ((i * 7919) % 1000003) || '.jpg' AS file_name,
    CASE WHEN i % 3 = 0 THEN NULL ELSE '${note}' || (i % 40) || ', side ' || ((i * 31) % 977) END AS media_comment,
    30 + ((i * 7) % 10000) / 1000.0::DOUBLE AS latitude, -90 - ((i * 13) % 10000) / 1000.0::DOUBLE AS longitude,
    (100000 + ((i * 104729) % 5000000))::BIGINT AS bytes,
    make_timestamptz(1700000000000000 + i * 1000003) AS created_at,
    make_timestamptz(1750000000000000) AS updated_at FROM (${numbers})`
}

/** The rows of a Parquet file of such rows, as the engine takes them. */
export async function rowsOfFile(
  connection: DuckDBConnection,
  path: string
): Promise<Record<string, CellValue>[]> {
  const reader = await connection.runAndReadAll(
    `SELECT * REPLACE (epoch_us(created_at) AS created_at, epoch_us(updated_at) AS updated_at) FROM '${path}'`
  )
  return reader.getRowObjects() as Record<string, CellValue>[]
}
