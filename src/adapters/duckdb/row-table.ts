/** Rows from JavaScript as a temporary table: whole columns at a time, in DuckDB's own chunks. */
import { setImmediate } from 'node:timers/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { DeltaError, type Row } from '../../core/index.ts'
import type { EngineColumn } from '../../delta/index.ts'
import { CHUNK_ROWS, chunkOf, type InputForm, inputForm } from './values.ts'

export interface RowTable {
  readonly name: string
  /** SQL of each column in the column's own type. */
  readonly expressions: readonly string[]
  drop(): Promise<void>
}

/** Name of the column that holds the index of each row. */
export const ROW = '__row'

export async function createRowTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly EngineColumn[],
  rows: readonly Row[],
  indexed = false
): Promise<RowTable> {
  const forms = columns.map(formOf)
  const definitions = forms.map((form, index) => `c${index} ${form.sqlType}`)
  if (indexed) definitions.unshift(`${ROW} INTEGER`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${name} (${definitions.join(', ')})`)
  const appender = await connection.createAppender(name)
  const names = columns.map(column => column.name)
  try {
    for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
      const leading = indexed ? (index: number): number => index : undefined
      appender.appendDataChunk(chunkOf(forms, names, rows, start, leading))
      if (start + CHUNK_ROWS >= rows.length) break
      // Handing over blocks this thread, so many rows go a little at a time.
      appender.flushSync()
      await setImmediate()
    }
  } finally {
    appender.closeSync()
  }
  return {
    name,
    expressions: forms.map((form, index) => form.expression(`c${index}`)),
    drop: async () => {
      // A small one waits for the next of its name to replace it, which saves a statement a time.
      if (rows.length > CHUNK_ROWS) await connection.run(`DROP TABLE IF EXISTS ${name}`)
    }
  }
}

function formOf(column: EngineColumn): InputForm {
  const form = inputForm(column.type)
  if (form !== undefined) return form
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `Rows with the column ${column.name} of type ${JSON.stringify(column.type)} cannot be written`
  )
}
