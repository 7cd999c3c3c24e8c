/**
 * Rows from JavaScript as a relation. They lie in a temporary table a slab at a time: one row of it holds
 * thousands, each column as one value. Numbers are a list; texts are joined to one, which DuckDB takes
 * apart again, since handing over each text costs more than all else that is done with it.
 */
import { setImmediate } from 'node:timers/promises'
import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  LIST,
  listValue,
  VARCHAR
} from '@duckdb/node-api'
import { DeltaError, type Row } from '../../core/index.ts'
import type { EngineColumn } from '../../delta/index.ts'
import { literal } from './sql.ts'
import { type InputForm, inputForm } from './values.ts'

export interface RowTable {
  /** The relation, in parentheses: the rows in the order given. */
  readonly source: string
  /** SQL of each column in the column's own type. */
  readonly expressions: readonly string[]
  drop(): Promise<void>
}

/** Name of the column that holds the index of each row, where it was asked for. */
export const ROW = '__row'

/** Slabs of so many rows, or of so many characters. */
const SLAB_ROWS = 16_384
const SLAB_CHARACTERS = 8_388_608
/** Between the texts of a column, and in the place of null. */
const BETWEEN = '\u001f'
const NULL = '\u001e'

interface Column {
  readonly name: string
  readonly form: InputForm
  /** Texts are joined; not when one of them holds what stands between them. */
  joined: boolean
  hasNull: boolean
}

export async function createRowTable(
  connection: DuckDBConnection,
  name: string,
  columns: readonly EngineColumn[],
  rows: readonly Row[],
  indexed = false
): Promise<RowTable> {
  const wanted = columns.map((column): Column => {
    const form = formOf(column)
    return { name: column.name, form, joined: form.chunkType === VARCHAR, hasNull: false }
  })
  // Each failure leaves one column less to be joined.
  while (!(await fill(connection, name, wanted, rows)));
  const selected = wanted.map(({ joined }, index) => {
    const list = joined ? `string_split(c${index}, ${literal(BETWEEN)})` : `c${index}`
    return `unnest(${list}) AS c${index}`
  })
  if (indexed) selected.push(`unnest(range(first, first + count)) AS ${ROW}`)
  return {
    source: `(SELECT ${selected.join(', ')} FROM ${name})`,
    expressions: wanted.map(({ form, joined, hasNull }, index) =>
      form.expression(joined && hasNull ? `nullif(c${index}, ${literal(NULL)})` : `c${index}`)
    ),
    drop: async () => {
      // A small one waits for the next of its name to replace it, which saves a statement a time.
      if (rows.length > SLAB_ROWS) await connection.run(`DROP TABLE IF EXISTS ${name}`)
    }
  }
}

/** False when a column turned out to hold texts that cannot be joined. */
async function fill(
  connection: DuckDBConnection,
  name: string,
  columns: readonly Column[],
  rows: readonly Row[]
): Promise<boolean> {
  const definitions = columns.map(({ form, joined }, index) => {
    return `c${index} ${form.sqlType}${joined ? '' : '[]'}`
  })
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${name} (first INTEGER, count INTEGER, ${definitions.join(', ')})`
  )
  const types = [
    INTEGER,
    INTEGER,
    ...columns.map(({ form, joined }) => (joined ? VARCHAR : LIST(form.chunkType)))
  ]
  const appender = await connection.createAppender(name)
  try {
    for (let start = 0; start < rows.length; ) {
      const end = slabEnd(columns, rows, start)
      const chunk = slab(types, columns, rows, start, end)
      if (chunk === undefined) return false
      appender.appendDataChunk(chunk)
      start = end
      if (start >= rows.length) break
      // Handing over blocks this thread, so many rows go a little at a time.
      appender.flushSync()
      await setImmediate()
    }
  } finally {
    appender.closeSync()
  }
  return true
}

/** Where the slab ends that begins at `start`: at least one row further. */
function slabEnd(columns: readonly Column[], rows: readonly Row[], start: number): number {
  const texts = columns.filter(({ form }) => form.chunkType === VARCHAR).map(({ name }) => name)
  let characters = 0
  let end = start
  while (end < rows.length && end - start < SLAB_ROWS && characters < SLAB_CHARACTERS) {
    const row = rows[end++]
    for (const name of texts) {
      const text = row?.[name]
      if (typeof text === 'string') characters += text.length
    }
  }
  return end
}

/** One row of the table; undefined when a column cannot be joined, which is then marked. */
function slab(
  types: readonly DuckDBType[],
  columns: readonly Column[],
  rows: readonly Row[],
  start: number,
  end: number
): DuckDBDataChunk | undefined {
  const chunk = DuckDBDataChunk.create(types, 1)
  chunk.setColumnValues(0, [start])
  chunk.setColumnValues(1, [end - start])
  for (const [index, column] of columns.entries()) {
    const value = column.joined
      ? joinedTexts(column, rows, start, end)
      : listValue(cells(column, rows, start, end))
    if (value === undefined) return undefined
    chunk.setColumnValues(index + 2, [value])
  }
  return chunk
}

function cells(
  { name, form }: Column,
  rows: readonly Row[],
  start: number,
  end: number
): DuckDBValue[] {
  const values = new Array<DuckDBValue>(end - start)
  for (let i = start; i < end; i++) values[i - start] = form.cell(rows[i]?.[name])
  return values
}

function joinedTexts(
  column: Column,
  rows: readonly Row[],
  start: number,
  end: number
): string | undefined {
  const { name } = column
  const texts = new Array<string>(end - start)
  for (let i = start; i < end; i++) {
    const text = rows[i]?.[name] ?? null
    if (text === null) {
      column.hasNull = true
      texts[i - start] = NULL
      continue
    }
    if (typeof text !== 'string' || text === NULL || text.includes(BETWEEN)) {
      column.joined = false
      return undefined
    }
    texts[i - start] = text
  }
  return texts.join(BETWEEN)
}

function formOf(column: EngineColumn): InputForm {
  const form = inputForm(column.type)
  if (form !== undefined) return form
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `Rows with the column ${column.name} of type ${JSON.stringify(column.type)} cannot be written`
  )
}
