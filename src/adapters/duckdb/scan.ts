/** Reads rows of a table: projection and filter run in DuckDB. */
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api'
import { type CellValue, DeltaError } from '../../core/index.ts'
import type { EngineColumn, ExportFormat, ScanRequest } from '../../delta/index.ts'
import { dropDeletedRows } from './deleted-rows.ts'
import { jsonCell } from './nested-json.ts'
import { parametersOf } from './parameters.ts'
import { queryProblem } from './query-problems.ts'
import { type Relation, relationOf } from './relation.ts'
import { identifier, literal, sqlType } from './sql.ts'
import { outputCell, outputExpression } from './values.ts'

const FORMATS: Readonly<Record<ExportFormat, string>> = {
  parquet: 'FORMAT parquet',
  ndjson: 'FORMAT json',
  csv: 'FORMAT csv, HEADER'
}

export async function scanRows(
  connection: DuckDBConnection,
  request: ScanRequest
): Promise<Record<string, CellValue>[]> {
  const rows: Record<string, CellValue>[] = []
  for await (const batch of scanBatches(connection, request)) rows.push(...batch)
  return rows
}

export async function* scanBatches(
  connection: DuckDBConnection,
  request: ScanRequest
): AsyncGenerator<Record<string, CellValue>[]> {
  const columns = selectedColumns(request)
  // A table without columns has no rows that anyone could see.
  if (columns.length === 0) return
  const query = await queryOf(connection, request, column =>
    outputExpression(identifier(column.name), column.type)
  )
  const { values, types } = parametersOf(query.parameters)
  try {
    const result = await guarded(whatOf(request), () => connection.stream(query.sql, values, types))
    for (;;) {
      const chunk = await guarded(whatOf(request), () => result.fetchChunk())
      if (chunk === null || chunk.rowCount === 0) return
      yield rowsOf(chunk, columns)
    }
  } finally {
    await dropDeletedRows(connection, request.files)
  }
}

export async function exportRows(
  connection: DuckDBConnection,
  request: ScanRequest,
  target: string,
  format: ExportFormat
): Promise<number> {
  if (request.columns.length === 0) {
    throw new DeltaError('DELTA_QUERY_INVALID', 'A table without columns cannot be exported')
  }
  const query = await queryOf(connection, request, ({ name, type }) =>
    format === 'ndjson' ? jsonCell(identifier(name), type) : identifier(name)
  )
  const { values, types } = parametersOf(query.parameters)
  try {
    const reader = await guarded(whatOf(request), () =>
      connection.runAndReadAll(
        `COPY (${query.sql}) TO ${literal(target)} (${FORMATS[format]})`,
        values,
        types
      )
    )
    return Number(reader.getColumns()[0]?.[0] ?? 0)
  } finally {
    await dropDeletedRows(connection, request.files)
  }
}

function selectedColumns(request: ScanRequest): EngineColumn[] {
  return request.columns.flatMap(name => request.schema.find(column => column.name === name) ?? [])
}

async function queryOf(
  connection: DuckDBConnection,
  request: ScanRequest,
  expression: (column: EngineColumn) => string
): Promise<Relation> {
  const { files, schema } = request
  const inner =
    files.length === 0
      ? emptyRelation(schema)
      : await relationOf(
          connection,
          files,
          schema,
          schema.map(column => column.name)
        )
  const selected = selectedColumns(request).map(
    column => `${expression(column)} AS ${identifier(column.name)}`
  )
  const filter = request.where === undefined ? '' : ` WHERE (${request.where}\n)`
  const limit =
    request.limit === undefined ? '' : ` LIMIT ${Math.max(0, Math.trunc(request.limit))}`
  // The filter sees the table's types; what leaves DuckDB is converted outside of it.
  return {
    sql: `SELECT ${selected.join(', ')} FROM (SELECT * FROM (${inner.sql})${filter}${limit})`,
    parameters: inner.parameters
  }
}

function emptyRelation(schema: readonly EngineColumn[]): Relation {
  const columns = schema.map(
    column => `NULL::${sqlType(column.type)} AS ${identifier(column.name)}`
  )
  return { sql: `SELECT ${columns.join(', ')} WHERE false`, parameters: {} }
}

function rowsOf(
  chunk: DuckDBDataChunk,
  columns: readonly EngineColumn[]
): Record<string, CellValue>[] {
  const values = chunk.getColumns()
  return Array.from({ length: chunk.rowCount }, (_, row) => {
    const cells: Record<string, CellValue> = {}
    columns.forEach(({ name, type }, index) => {
      const value = outputCell(values[index]?.[row] ?? null, type)
      // Assigned, this one name would be the object's prototype.
      if (name === '__proto__') Object.defineProperty(cells, name, { value, enumerable: true })
      else cells[name] = value
    })
    return cells
  })
}

/** What of a scan may be wrong. */
function whatOf(request: ScanRequest): string | undefined {
  return request.where === undefined ? undefined : 'filter'
}

/**
 * SQL that parses may still name unknown columns or compare what cannot be compared. `what` names the SQL
 * that the caller gave; undefined: there is none.
 */
export async function guarded<T>(what: string | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    const theirs =
      /^(Binder|Catalog|Conversion|Out of Range|Parser) Error/.test(text) ||
      /^Invalid Input Error: (?!Failed to read)/.test(text)
    if (what === undefined || !theirs) throw error
    const why = queryProblem(text)
    throw new DeltaError('DELTA_QUERY_INVALID', `The ${what} does not fit the table: ${why}`, {
      cause: error
    })
  }
}
