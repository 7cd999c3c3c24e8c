/**
 * Reads rows by file and position. Of few files each is read with its own list of positions, which DuckDB
 * holds against the row groups before it decodes any; many are joined with the places.
 */
import type { DuckDBConnection, DuckDBResultReader, DuckDBValue } from '@duckdb/node-api'
import type { CellValue } from '../../core/index.ts'
import type { EngineColumn, FetchRequest } from '../../delta/index.ts'
import { addPlaces, type Parameters, PLACES, type Place, parametersOf } from './parameters.ts'
import { FILE, POSITION, storedRows } from './relation.ts'
import { outputCell, outputExpression } from './values.ts'

export interface FetchedRow {
  readonly place: number
  readonly values: Record<string, CellValue>
}

/** Beyond these, planning a query of so many parts takes longer than it saves. */
const FILES_LISTED = 32
const PLACES_LISTED = 10_000
/** From this size on, two halves on two connections are done sooner. */
const SPLIT_BYTES = 16_777_216

/** Parts of a request that are best answered side by side, with the places of each in the whole. */
export function fetchParts(request: FetchRequest): { request: FetchRequest; of: number[] }[] {
  const { files, places } = request
  const used = new Set(places.map(place => place.file))
  const bytes = [...used].reduce((sum, file) => sum + (files[file]?.size ?? 0), 0)
  const order = [...places.keys()]
  if (bytes < SPLIT_BYTES || order.length < 2) return [{ request, of: order }]
  // Neighbours stay together, so that hardly a row group is decoded by both.
  const placeOf = (index: number): Place => places[index] ?? { file: 0, position: 0 }
  order.sort((a, b) => {
    const [one, other] = [placeOf(a), placeOf(b)]
    return one.file - other.file || one.position - other.position
  })
  const middle = order.length >> 1
  return [order.slice(0, middle), order.slice(middle)].map(of => ({
    request: { ...request, places: of.map(placeOf) },
    of
  }))
}

export async function fetchRows(
  connection: DuckDBConnection,
  { files, columns, places }: FetchRequest
): Promise<FetchedRow[]> {
  if (places.length === 0) return []
  const byFile = Map.groupBy(places, place => place.file)
  const listed = byFile.size <= FILES_LISTED && places.length <= PLACES_LISTED
  if (!listed) return await joinedRows(connection, { files, columns, places })
  const texts: string[] = []
  const parameters: Parameters = { values: {}, types: {} }
  for (const [file, wanted] of byFile) {
    const data = files[file]
    if (data === undefined) continue
    const names = valueNames(columns)
    const part = await storedRows(connection, [data], columns, names, true, `of${file}_`)
    const more = parametersOf(part.parameters)
    Object.assign(parameters.values, more.values)
    Object.assign(parameters.types, more.types)
    const positions = [...new Set(wanted.map(place => place.position))].join(', ')
    const selected = [`${file} AS file`, `f.${POSITION}`, ...valueExpressions(columns)]
    texts.push(
      `SELECT ${selected.join(', ')} FROM (${part.sql}) f WHERE f.${POSITION} IN (${positions})`
    )
  }
  const { values, types } = parameters
  const reader = await connection.runAndReadAll(texts.join(' UNION ALL '), values, types)
  const [fileOf = [], positionOf = [], ...data] = reader.getColumns()
  const found = new Map(fileOf.map((file, i) => [`${file},${positionOf[i]}`, i]))
  return places.flatMap(({ file, position }, place) => {
    const row = found.get(`${file},${position}`)
    return row === undefined ? [] : [{ place, values: cellsOf(columns, data, row) }]
  })
}

async function joinedRows(
  connection: DuckDBConnection,
  { files, columns, places }: FetchRequest
): Promise<FetchedRow[]> {
  const used = [...new Set(places.map(place => place.file))]
  const indexOf = new Map(used.map((file, index) => [file, index]))
  const read = used.flatMap(file => files[file] ?? [])
  const relation = await storedRows(connection, read, columns, valueNames(columns), true)
  const parameters = parametersOf(relation.parameters)
  addPlaces(
    parameters,
    places.map(({ file, position }): Place => ({ file: indexOf.get(file) ?? 0, position }))
  )
  const selected = ['s.place', ...valueExpressions(columns)]
  const on = [`f.${FILE} = s.file`, `f.${POSITION} = s.position`]
  const reader = await joined(connection, relation.sql, PLACES, selected, on, parameters)
  const [indexes = [], ...data] = reader.getColumns()
  return indexes.map((index, i) => ({ place: Number(index), values: cellsOf(columns, data, i) }))
}

/** The files are probed; the hash table is built of the few rows, on the right. */
export async function joined(
  connection: DuckDBConnection,
  files: string,
  rows: string,
  selected: readonly string[],
  on: readonly string[],
  { values, types }: Parameters
): Promise<DuckDBResultReader> {
  return await connection.runAndReadAll(
    `SELECT ${selected.join(', ')} FROM (${files}) f JOIN ${rows} s ON ${on.join(' AND ')}`,
    values,
    types
  )
}

export function valueNames(columns: readonly EngineColumn[]): string[] {
  return columns.map((_, index) => `f${index}`)
}

export function valueExpressions(columns: readonly EngineColumn[]): string[] {
  return columns.map((column, index) => outputExpression(`f.f${index}`, column.type))
}

export function cellsOf(
  columns: readonly EngineColumn[],
  data: readonly (readonly DuckDBValue[])[],
  row: number
): Record<string, CellValue> {
  const cells: Record<string, CellValue> = {}
  columns.forEach((column, index) => {
    cells[column.name] = outputCell(data[index]?.[row] ?? null, column.type)
  })
  return cells
}
