/**
 * Finds stored rows by key. First a hash join of the key columns alone with the rows of the batch, then
 * the other columns of the rows found, from the files that hold them: a batch of new rows reads nothing
 * but keys.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { CellValue } from '../../core/index.ts'
import type { EngineColumn, Match, MatchRequest } from '../../delta/index.ts'
import { parametersOf } from './parameters.ts'
import { FILE, POSITION, relationOf } from './relation.ts'
import { createRowTable, ROW } from './row-table.ts'
import { outputCell, outputExpression } from './values.ts'

type Hit = Omit<Match, 'values'>

const HIT_COLUMNS: readonly EngineColumn[] = [
  { name: 'file', type: 'integer', partition: false },
  { name: 'position', type: 'long', partition: false }
]

export async function matchRows(
  connection: DuckDBConnection,
  request: MatchRequest
): Promise<Match[]> {
  const hits = await findHits(connection, request)
  if (request.columns.length === 0 || hits.length === 0) {
    return hits.map(hit => ({ ...hit, values: {} }))
  }
  return await fetchValues(connection, request, hits)
}

async function findHits(connection: DuckDBConnection, request: MatchRequest): Promise<Hit[]> {
  const { keys, files } = request
  const table = await createRowTable(connection, 'match_keys', keys, request.rows, true)
  try {
    const names = keys.map((_, index) => `f${index}`)
    const relation = await relationOf(connection, files, keys, names, true)
    const on = table.expressions.map((expression, index) => `f.f${index} = ${expression}`)
    const { values, types } = parametersOf(relation.parameters)
    const reader = await connection.runAndReadAll(
      `SELECT ${ROW}, f.${FILE}, f.${POSITION}
       FROM (${relation.sql}) f JOIN ${table.name} ON ${on.join(' AND ')}`,
      values,
      types
    )
    const [rows = [], fileIndexes = [], positions = []] = reader.getColumns()
    return rows.map((row, i) => ({
      row: Number(row),
      file: Number(fileIndexes[i]),
      position: Number(positions[i])
    }))
  } finally {
    await table.drop()
  }
}

async function fetchValues(
  connection: DuckDBConnection,
  request: MatchRequest,
  hits: readonly Hit[]
): Promise<Match[]> {
  const { columns } = request
  const used = [...new Set(hits.map(hit => hit.file))]
  const indexOf = new Map(used.map((file, index) => [file, index]))
  const files = used.flatMap(file => request.files[file] ?? [])
  const rows = hits.map(hit => ({ file: indexOf.get(hit.file) ?? 0, position: hit.position }))
  const table = await createRowTable(connection, 'match_hits', HIT_COLUMNS, rows, true)
  try {
    const names = columns.map((_, index) => `f${index}`)
    const relation = await relationOf(connection, files, columns, names, true)
    const selected = columns.map((column, i) => outputExpression(`f.f${i}`, column.type))
    const { values, types } = parametersOf(relation.parameters)
    const reader = await connection.runAndReadAll(
      `SELECT s.${ROW}, ${selected.join(', ')} FROM (${relation.sql}) f
       JOIN ${table.name} s ON f.${FILE} = s.c0 AND f.${POSITION} = s.c1`,
      values,
      types
    )
    const [indexes = [], ...data] = reader.getColumns()
    return indexes.flatMap((index, i) => {
      const hit = hits[Number(index)]
      if (hit === undefined) return []
      const cells: Record<string, CellValue> = {}
      columns.forEach((column, c) => {
        cells[column.name] = outputCell(data[c]?.[i] ?? null, column.type)
      })
      return [{ ...hit, values: cells }]
    })
  } finally {
    await table.drop()
  }
}
