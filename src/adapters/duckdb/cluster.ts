/**
 * Copies rows so that those near each other in some columns share files and row groups: sorted by one
 * column, along a Hilbert curve by several. For that each column is cut into ranges of about as many rows,
 * by quantiles of a sample, which make a grid. DuckDB sorts, and spills what does not fit in its memory; no
 * row passes through JavaScript.
 */
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type {
  ClusteredFile,
  ClusterRequest,
  DataFile,
  EngineColumn,
  RankRequest
} from '../../delta/index.ts'
import { createDeletedRows, DELETED, dropDeletedRows } from './deleted-rows.ts'
import { hilbertTable } from './hilbert.ts'
import { addPlaces, PLACES, parametersOf } from './parameters.ts'
import { physicalColumn } from './physical-schema.ts'
import { FILE, POSITION, type Relation, storedRows } from './relation.ts'
import { identifier, literal } from './sql.ts'
import { copyOptions, makeDirectory, syncFile, writtenFile } from './write.ts'

/** Rows of the sample that the ranges are made of, about. */
const SAMPLE_ROWS = 65_536
/** The grid has at most so many cells, as a power of two. */
const GRID_BITS = 16
const LONGEST_ROW_GROUP = 122_880
const SHORTEST_ROW_GROUP = 2048
/** Of a file: the size of a file is a whole number of row groups. */
const ROW_GROUPS_A_FILE = 4

/** Of several threads each would write files of its own: this is for one. */
export async function clusterFiles(
  connection: DuckDBConnection,
  request: ClusterRequest
): Promise<ClusteredFile[]> {
  const { files, columns, directory } = request
  await makeDirectory(directory)
  try {
    const physical = columns.map(physicalColumn)
    const { sql, parameters } = await curve(connection, request, physical)
    const selected = physical.map(column => identifier(column.name)).join(', ')
    const { values, types } = parametersOf(parameters)
    const reader = await connection.runAndReadAll(
      `COPY (SELECT ${selected} FROM (${sql}) ORDER BY ${ORDER})
       TO ${literal(directory)} (${copyOptions(request)},
         ROW_GROUP_SIZE ${await rowGroupRows(connection, request)},
         FILE_SIZE_BYTES ${Math.max(1, Math.trunc(request.targetFileBytes))},
         FILENAME_PATTERN ${literal(request.namePattern)}, OVERWRITE_OR_IGNORE)`,
      values,
      types
    )
    const written: ClusteredFile[] = []
    for (const row of reader.getRowObjects()) {
      const path = String(row['filename'])
      if (Number(row['count']) === 0) {
        await rm(path, { force: true })
        continue
      }
      await syncFile(path)
      written.push({ ...writtenFile(columns, row), name: basename(path) })
    }
    return written
  } finally {
    await dropDeletedRows(connection, files)
  }
}

/** Counts in the same order; only the columns that it depends on are read. */
export async function clusterRanks(
  connection: DuckDBConnection,
  request: RankRequest
): Promise<number[]> {
  const { places } = request
  try {
    const physical = request.by.map(physicalColumn)
    const { sql, parameters } = await curve(connection, request, physical)
    const ranked = `SELECT ${FILE}, ${POSITION}, row_number() OVER (ORDER BY ${ORDER}) - 1 AS rank FROM (${sql})`
    const bound = parametersOf(parameters)
    addPlaces(bound, places)
    const reader = await connection.runAndReadAll(
      `SELECT s.place, r.rank FROM (${ranked}) r JOIN ${PLACES} s
       ON r.${FILE} = s.file AND r.${POSITION} = s.position`,
      bound.values,
      bound.types
    )
    const [found = [], ranks = []] = reader.getColumns()
    const result = places.map(() => -1)
    found.forEach((place, i) => {
      result[Number(place)] = Number(ranks[i])
    })
    return result
  } finally {
    await dropDeletedRows(connection, request.files)
  }
}

const CURVE = '__curve'
const GRID = 'cluster_grid'
/** Total, so that it can be told later where a row went. */
const ORDER = `${CURVE} NULLS FIRST, ${FILE}, ${POSITION}`

/** The rows that are not deleted, with their place and their place on the curve. */
async function curve(
  connection: DuckDBConnection,
  { files, by }: Pick<ClusterRequest, 'files' | 'by'>,
  columns: readonly EngineColumn[]
): Promise<Relation> {
  const names = columns.map(column => column.name)
  const stored = await storedRows(connection, files, columns, names, true)
  const [first] = by
  const sorted = by.length === 1 && first !== undefined ? identifier(first.physicalName) : undefined
  const cell = sorted === undefined ? await gridCell(connection, files, by) : undefined
  await createDeletedRows(connection, files)
  const sql = `SELECT f.*, ${sorted ?? 'g.place'} AS ${CURVE} FROM (${stored.sql}) f
    ANTI JOIN ${DELETED} x ON f.${FILE} = x.file AND f.${POSITION} = x.position
    ${cell === undefined ? '' : `JOIN ${GRID} g ON g.cell = ${cell}`}`
  return { sql, parameters: stored.parameters }
}

/** SQL of the cell of the grid that a row is in, and the table that has the place of each on the curve. */
async function gridCell(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  by: readonly EngineColumn[]
): Promise<string> {
  const bits = Math.max(1, Math.floor(GRID_BITS / by.length))
  const bounds = 2 ** bits - 1
  const fractions = Array.from({ length: bounds }, (_, i) => (i + 1) / (bounds + 1))
  const names = by.map(column => column.physicalName)
  const stored = await storedRows(connection, files, by, names, true)
  const every = Math.max(1, Math.round((await rowsOf(connection, files)) / SAMPLE_ROWS))
  const sample = `FROM (${stored.sql}) WHERE hash(${FILE}, ${POSITION}) % ${every} = 0`
  const lists = names.map((name, index) => {
    return `quantile_disc(${identifier(name)}, [${fractions.join(', ')}]) AS b${index}`
  })
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE cluster_bounds AS SELECT ${lists.join(', ')} ${sample}`
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${GRID} AS
    SELECT unnest([${hilbertTable(by.length, bits).join(', ')}]) AS place, unnest(range(${2 ** (bits * by.length)})) AS cell`)
  const ranges: string[] = []
  for (const [index, name] of names.entries()) {
    await connection.run(
      `SET VARIABLE cluster_bounds_${index} = (SELECT b${index} FROM cluster_bounds)`
    )
    const leaf = (range: number): string => String(range * 2 ** (bits * index))
    const value = identifier(name)
    ranges.push(
      `CASE WHEN ${value} IS NULL THEN 0 ELSE ${rangeOf(value, index, 0, bounds, leaf)} END`
    )
  }
  return ranges.join(' + ')
}

/** A binary search for the range of a value, as SQL; DuckDB takes variables for constants. */
function rangeOf(
  value: string,
  index: number,
  low: number,
  high: number,
  leaf: (range: number) => string
): string {
  if (low === high) return leaf(low)
  const middle = (low + high) >> 1
  const left = rangeOf(value, index, low, middle, leaf)
  const right = rangeOf(value, index, middle + 1, high, leaf)
  const bound = `getvariable('cluster_bounds_${index}')[${middle + 1}]`
  return `CASE WHEN ${value} < ${bound} THEN ${left} ELSE ${right} END`
}

async function rowGroupRows(
  connection: DuckDBConnection,
  { files, targetFileBytes }: ClusterRequest
): Promise<number> {
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  const rows = await rowsOf(connection, files)
  const wanted = targetFileBytes / Math.max(1, bytes / Math.max(1, rows)) / ROW_GROUPS_A_FILE
  return Math.round(Math.min(LONGEST_ROW_GROUP, Math.max(SHORTEST_ROW_GROUP, wanted)))
}

async function rowsOf(connection: DuckDBConnection, files: readonly DataFile[]): Promise<number> {
  const list = files.map(file => literal(file.localPath)).join(', ')
  const reader = await connection.runAndReadAll(
    `SELECT sum(num_rows) FROM parquet_file_metadata([${list}])`
  )
  return Number(reader.getColumns()[0]?.[0] ?? 0)
}
