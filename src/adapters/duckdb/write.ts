/** Writes one Parquet file and reports its statistics. The file is synced before that. */
import { existsSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type DuckDBConnection, DuckDBMapValue, type DuckDBValue } from '@duckdb/node-api'
import {
  type ColumnStatistics,
  type DataFile,
  type DataType,
  type EngineColumn,
  isNested,
  physicalName,
  positionsOf,
  unionOf,
  type WriteRequest,
  type WrittenFile
} from '../../delta/index.ts'
import { type ChangedRelation, changedFileRows } from './changed-rows.ts'
import { dropDeletedRows } from './deleted-rows.ts'
import { joinedParameters, type Parameters, parametersOf } from './parameters.ts'
import { fieldIds, physicalColumn } from './physical-schema.ts'
import { orderedRows, relationOf } from './relation.ts'
import { createRowTable, type RowTable } from './row-table.ts'
import { guarded } from './scan.ts'
import { identifier, literal } from './sql.ts'

/**
 * Columns with more distinct values in a row group are written plainly: looking for a dictionary that
 * does not pay took half the time of a copy.
 */
const DICTIONARY_VALUES = 1000
export async function writeParquet(
  connection: DuckDBConnection,
  request: WriteRequest,
  threads: number
): Promise<WrittenFile> {
  await makeDirectory(dirname(request.target))
  const { columns, rows } = request
  const parts: string[] = []
  const copied = copiedFiles(request)
  let parameters: Parameters = { values: {}, types: {} }
  if (copied.length > 0) {
    const physical = columns.map(physicalColumn)
    const names = physical.map(column => column.name)
    const relation =
      request.inOrder === true
        ? await orderedRows(connection, copied, physical, names, threads)
        : await relationOf(connection, copied, physical, names)
    parameters = parametersOf(relation.parameters)
    parts.push(relation.sql)
  }
  let table: RowTable | undefined
  let changed: ChangedRelation | undefined
  try {
    if (request.changes !== undefined) {
      changed = await changedFileRows(connection, request.changes, columns)
      parts.push(changed.sql)
      parameters = joinedParameters(parameters, changed.parameters)
    }
    if (rows.length > 0 || parts.length === 0) {
      table = await createRowTable(connection, 'new_rows', columns, rows)
      const selected = table.expressions.map((expression, index) => {
        return `${expression} AS ${identifier(columns[index]?.physicalName ?? '')}`
      })
      parts.push(`SELECT ${selected.join(', ')} FROM ${table.source}`)
    }
    const what = request.changes === undefined ? undefined : 'new value of a column'
    const sql = parts.join(' UNION ALL ')
    return await guarded(what, () => copyToFile(connection, sql, request, parameters))
  } finally {
    await table?.drop()
    await changed?.drop()
    await dropDeletedRows(connection, copied)
  }
}

/** Writes the rows of a query, whose columns are those of the file, to one file; synced when it resolves. */
export async function copyToFile(
  connection: DuckDBConnection,
  sql: string,
  file: Pick<WriteRequest, 'target' | 'columns' | 'compression'>,
  parameters: Parameters
): Promise<WrittenFile> {
  const reader = await connection.runAndReadAll(
    `COPY (${sql}) TO ${literal(file.target)} (${copyOptions(file)})`,
    parameters.values,
    parameters.types
  )
  await syncFile(file.target)
  const [row] = reader.getRowObjects()
  return writtenFile(file.columns, row)
}

export function copyOptions({
  columns,
  compression
}: Pick<WriteRequest, 'columns' | 'compression'>): string {
  return `FORMAT parquet, COMPRESSION ${compression},
    ${fieldIds(columns)}DICTIONARY_SIZE_LIMIT ${DICTIONARY_VALUES},
    WRITE_BLOOM_FILTER ${hasBloomFilter(columns)}, RETURN_STATS`
}

/** Bloom filters tell 0.0 from -0.0, so a reader that asks them for one would miss the other. */
function hasBloomFilter(columns: readonly EngineColumn[]): boolean {
  return !columns.some(({ type }) => /"?(double|float)"?/.test(JSON.stringify(type)))
}

/** The rows of the files to copy: neither deleted before nor left out now. */
function copiedFiles(request: WriteRequest): DataFile[] {
  return request.copies.map(({ file, without }) =>
    without.length === 0
      ? file
      : { ...file, deleted: unionOf(file.deleted ?? new Uint32Array(0), positionsOf(without)) }
  )
}

/** What DuckDB returns of a file that it wrote. */
export function writtenFile(
  columns: readonly EngineColumn[],
  row: Record<string, DuckDBValue> | undefined
): WrittenFile {
  const statistics = mapOf(row?.['column_statistics'])
  const result = new Map<string, ColumnStatistics>()
  for (const { name, physicalName: stored, type } of columns) {
    const known = statisticsAt(statistics, identifier(stored), type)
    if (known !== undefined) result.set(name, known)
  }
  return {
    size: Number(row?.['file_size_bytes'] ?? 0),
    numRecords: Number(row?.['count'] ?? 0),
    columns: result
  }
}

/** DuckDB names fields by their path, each name in quotes; elements of arrays and maps are of no use here. */
function statisticsAt(
  statistics: ReadonlyMap<string, DuckDBValue>,
  path: string,
  type: DataType
): ColumnStatistics | undefined {
  if (isNested(type)) {
    if (type.type !== 'struct') return undefined
    const fields = new Map<string, ColumnStatistics>()
    for (const field of type.fields) {
      const name = physicalName(field)
      const known = statisticsAt(statistics, `${path}.${identifier(name)}`, field.type)
      if (known !== undefined) fields.set(name, known)
    }
    return { fields }
  }
  const facts = mapOf(statistics.get(path))
  const nullCount = facts.get('null_count')
  if (nullCount === undefined) return undefined
  const min = facts.get('min')
  const max = facts.get('max')
  const bounded = min !== undefined && max !== undefined && facts.get('has_nan') !== 'true'
  return {
    nullCount: Number(nullCount),
    ...(bounded ? { min: String(min), max: String(max) } : {})
  }
}

function mapOf(value: DuckDBValue | undefined): Map<string, DuckDBValue> {
  if (!(value instanceof DuckDBMapValue)) return new Map()
  return new Map(value.entries.map(entry => [String(entry.key), entry.value]))
}

export async function makeDirectory(directory: string): Promise<void> {
  if (existsSync(directory)) return
  const first = await mkdir(directory, { recursive: true })
  for (let made = directory; first !== undefined && made.length >= first.length; ) {
    made = dirname(made)
    await syncDirectory(made)
  }
}

/** The contents and the name. */
export async function syncFile(path: string): Promise<void> {
  const synced = await Promise.allSettled([syncContents(path), syncDirectory(dirname(path))])
  for (const result of synced) if (result.status === 'rejected') throw result.reason
}

async function syncContents(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
