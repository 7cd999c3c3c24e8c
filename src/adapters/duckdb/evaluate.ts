/** Computes expressions over rows from JavaScript. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api'
import type { CellValue } from '../../core/index.ts'
import { DeltaError } from '../../core/index.ts'
import type { EvaluateRequest } from '../../delta/index.ts'
import { createRowTable, ROW } from './row-table.ts'
import { identifier } from './sql.ts'
import { outputCell, outputExpression } from './values.ts'

export async function evaluate(
  connection: DuckDBConnection,
  { columns, rows, expressions }: EvaluateRequest
): Promise<CellValue[][]> {
  const table = await createRowTable(connection, 'evaluated_rows', columns, rows, true)
  try {
    const named = table.expressions.map((expression, index) => {
      return `${expression} AS ${identifier(columns[index]?.name ?? '')}`
    })
    const inner = `SELECT ${[...named, ROW].join(', ')} FROM ${table.source}`
    const values = expressions.map(({ sql }, index) => `(${sql}\n) AS v${index}`)
    const computed = `SELECT ${[...values, ROW].join(', ')} FROM (${inner})`
    const selected = expressions.map(({ type }, index) => outputExpression(`v${index}`, type))
    const sql = `SELECT ${[ROW, ...selected].join(', ')} FROM (${computed})`
    const [places = [], ...data] = await columnsOf(connection, sql)
    return expressions.map(({ type }, index) => {
      const cells = new Array<CellValue>(rows.length).fill(null)
      places.forEach((place, i) => {
        cells[Number(place)] = outputCell(data[index]?.[i] ?? null, type)
      })
      return cells
    })
  } finally {
    await table.drop()
  }
}

async function columnsOf(
  connection: DuckDBConnection,
  sql: string
): Promise<readonly (readonly DuckDBValue[])[]> {
  try {
    return (await connection.runAndReadAll(sql)).getColumns()
  } catch (error) {
    throw notComputed(error)
  }
}

/** Without DuckDB's text, which holds values of the rows. */
export function notComputed(error: unknown): unknown {
  const text = error instanceof Error ? error.message : ''
  const kind = /^(Binder|Catalog|Conversion|Invalid Input|Out of Range) Error/.exec(text)
  if (kind === null) return error
  return new DeltaError(
    'DELTA_QUERY_INVALID',
    `An expression of the table cannot be computed for a row (${kind[0]})`,
    { cause: error }
  )
}
