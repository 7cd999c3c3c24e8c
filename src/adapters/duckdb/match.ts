/**
 * Finds stored rows by key: a hash join of the files with the rows of the batch. Of small files the whole
 * rows are read at once. Of large ones first the key columns alone, then the rest of the rows found, from
 * the files that hold them: a batch of new rows reads nothing but keys.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { type EngineColumn, hasPosition, type Match, type MatchRequest } from '../../delta/index.ts'
import { cellsOf, fetchRows, joined, valueExpressions, valueNames } from './fetch.ts'
import { parametersOf } from './parameters.ts'
import { FILE, POSITION, storedRows } from './relation.ts'
import { createRowTable, ROW } from './row-table.ts'

type Hit = Omit<Match, 'values'>

/** Up to this size a second look at the files costs more than reading columns that nobody needs. */
const SINGLE_PASS_BYTES = 8_388_608

export async function matchRows(
  connection: DuckDBConnection,
  request: MatchRequest
): Promise<Match[]> {
  const bytes = request.files.reduce((sum, file) => sum + file.size, 0)
  if (request.columns.length === 0 || bytes <= SINGLE_PASS_BYTES) {
    return await findRows(connection, request, request.columns)
  }
  const hits = await findRows(connection, request, [])
  return hits.length === 0 ? [] : await fetchValues(connection, request, hits)
}

/** Rows with the keys of the batch, and of them the given columns. */
async function findRows(
  connection: DuckDBConnection,
  request: MatchRequest,
  columns: readonly EngineColumn[]
): Promise<Match[]> {
  const { keys, files } = request
  const table = await createRowTable(connection, 'match_keys', keys, request.rows, true)
  try {
    const names = [...keys.map((_, index) => `k${index}`), ...valueNames(columns)]
    const relation = await storedRows(connection, files, [...keys, ...columns], names, true)
    const on = table.expressions.map((expression, index) => `f.k${index} = ${expression}`)
    const selected = [`s.${ROW}`, `f.${FILE}`, `f.${POSITION}`, ...valueExpressions(columns)]
    const parameters = parametersOf(relation.parameters)
    const reader = await joined(connection, relation.sql, table.source, selected, on, parameters)
    const [rows = [], fileIndexes = [], positions = [], ...data] = reader.getColumns()
    return rows.flatMap((row, i) => {
      const file = Number(fileIndexes[i])
      const position = Number(positions[i])
      // Few rows are found, so looking these up costs less than leaving out all deleted ones before.
      if (hasPosition(files[file]?.deleted, position)) return []
      return [{ row: Number(row), file, position, values: cellsOf(columns, data, i) }]
    })
  } finally {
    await table.drop()
  }
}

async function fetchValues(
  connection: DuckDBConnection,
  request: MatchRequest,
  hits: readonly Hit[]
): Promise<Match[]> {
  const { files, columns } = request
  const rows = await fetchRows(connection, { files, columns, places: hits })
  return rows.flatMap(({ place, values }) => {
    const hit = hits[place]
    return hit === undefined ? [] : [{ ...hit, values }]
  })
}
