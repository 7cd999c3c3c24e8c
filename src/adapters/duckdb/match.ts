/** Finds stored rows by key: a hash join of the files' key columns with the rows of the batch. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { CellValue } from '../../core/index.ts'
import type { Match, MatchRequest } from '../../delta/index.ts'
import { parametersOf } from './parameters.ts'
import { FILE, POSITION, relationOf } from './relation.ts'
import { createRowTable, ROW } from './row-table.ts'
import { outputCell, outputExpression } from './values.ts'

export async function matchRows(
  connection: DuckDBConnection,
  request: MatchRequest
): Promise<Match[]> {
  const { keys, columns } = request
  const table = await createRowTable(connection, 'match_keys', keys, request.rows, true)
  try {
    const all = [...keys, ...columns]
    const names = all.map((_, index) => `f${index}`)
    const relation = await relationOf(connection, request.files, all, names, true)
    const values = columns.map((column, index) => {
      return outputExpression(`f.f${keys.length + index}`, column.type)
    })
    const on = table.expressions.map((expression, index) => {
      return `f.f${index} = ${expression.replace(`c${index}`, `s.c${index}`)}`
    })
    const sql = `SELECT s.${ROW}, f.${FILE}, f.${POSITION}${values.map(v => `, ${v}`).join('')}
      FROM (${relation.sql}) f JOIN ${table.name} s ON ${on.join(' AND ')}`
    const { values: bound, types } = parametersOf(relation.parameters)
    const reader = await connection.runAndReadAll(sql, bound, types)
    const [rowIndexes = [], fileIndexes = [], positions = [], ...data] = reader.getColumns()
    return rowIndexes.map((row, i) => {
      const cells: Record<string, CellValue> = {}
      columns.forEach((column, c) => {
        cells[column.name] = outputCell(data[c]?.[i] ?? null, column.type)
      })
      return {
        row: Number(row),
        file: Number(fileIndexes[i]),
        position: Number(positions[i]),
        values: cells
      }
    })
  } finally {
    await table.drop()
  }
}
