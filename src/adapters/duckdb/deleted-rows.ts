/**
 * Deleted rows of files as a temporary table that scans are joined against. There may be millions, so they
 * go to DuckDB in its own chunks, never as text.
 */
import { BIGINT, type DuckDBConnection, DuckDBDataChunk, INTEGER } from '@duckdb/node-api'
import type { DataFile } from '../../delta/index.ts'
import { CHUNK_ROWS } from './values.ts'

export const DELETED = 'deleted_rows'

/** Fills the table with the index of each file and the positions of its deleted, or only, rows. */
export async function createDeletedRows(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  table = DELETED
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (file INTEGER, position BIGINT)`)
  const appender = await connection.createAppender(table)
  try {
    files.forEach(({ deleted, only }, file) => {
      const positions = only ?? deleted
      if (positions === undefined) return
      for (let start = 0; start < positions.length; start += CHUNK_ROWS) {
        appender.appendDataChunk(chunkOf(file, positions.subarray(start, start + CHUNK_ROWS)))
      }
    })
  } finally {
    appender.closeSync()
  }
}

/** A small table waits for the next one to replace it, which saves a statement. */
export async function dropDeletedRows(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  table = DELETED
): Promise<void> {
  const rows = files.reduce((sum, { deleted, only }) => sum + ((only ?? deleted)?.length ?? 0), 0)
  if (rows > CHUNK_ROWS) await connection.run(`DROP TABLE IF EXISTS ${table}`)
}

function chunkOf(file: number, positions: Uint32Array): DuckDBDataChunk {
  const chunk = DuckDBDataChunk.create([INTEGER, BIGINT], positions.length)
  chunk.setColumnValues(0, new Array<number>(positions.length).fill(file))
  chunk.setColumnValues(1, Array.from(positions, BigInt))
  return chunk
}
