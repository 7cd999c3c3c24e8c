/**
 * A Parquet engine for tests that writes no Parquet: a file holds its rows as JSON. It keeps the contract
 * of the port (test/conformance/parquet-engine.conformance.ts runs against it and against DuckDB) at a
 * thousandth of the cost, so that tens of thousands of histories of a table can be played.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { cellLine, withTimes } from '../../src/cli/row-format.ts'
import {
  type CellValue,
  DeltaError,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringifyJson
} from '../../src/core/index.ts'
import {
  type Assignment,
  type ChangedGroup,
  type ChangedRows,
  type ClusteredFile,
  type ClusterRequest,
  compareCells,
  type DataFile,
  type EngineColumn,
  type EvaluateRequest,
  type ExportFormat,
  type FetchRequest,
  type FilterParts,
  type FindRequest,
  hashKeys,
  type KeyHashes,
  type Match,
  type MatchRequest,
  type ParquetEngine,
  type PartitionsRequest,
  type RankRequest,
  type ScanRequest,
  type Translated,
  type WriteRequest,
  type WrittenFile
} from '../../src/delta/index.ts'
import { type Content, FileReader } from './memory-parquet-reader.ts'
import {
  fileCell,
  keyText,
  partitionCell,
  statisticsOf,
  storedCell
} from './memory-parquet-values.ts'
import { type Expression, evaluated, holds, parseSql, partsOf } from './memory-sql.ts'

/** Where the files are: a disk, or the objects of a simulated store. */
export interface ByteFiles {
  read(path: string): Promise<Uint8Array>
  write(path: string, bytes: Uint8Array): Promise<void>
}

const MAGIC = 'ROWS1\n'
const BATCH_ROWS = 64
const ENTRIES = ['txn', 'add', 'remove', 'metaData', 'protocol', 'domainMetadata']
/** A checkpoint in Parquet gives null for what an action lacks. */
const NULLABLE: Readonly<Record<string, readonly string[]>> = {
  add: ['tags', 'stats', 'deletionVector', 'baseRowId', 'defaultRowCommitVersion'],
  remove: ['tags', 'size', 'partitionValues', 'deletionVector', 'baseRowId'],
  txn: ['lastUpdated'],
  metaData: ['name', 'description', 'createdTime'],
  protocol: ['readerFeatures', 'writerFeatures']
}

/** `sizeFactor`: files claim to be so many times larger than they are, to reach the limits of plans. */
export function openMemoryParquet(files: ByteFiles = disk, sizeFactor = 1): ParquetEngine {
  return new MemoryParquet(files, sizeFactor)
}

const disk: ByteFiles = {
  read: async path => {
    try {
      return await readFile(path)
    } catch (error) {
      throw new DeltaError('DELTA_DATA_CORRUPT', `A data file is missing: ${path}`, {
        cause: error
      })
    }
  },
  write: async (path, bytes) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
}

class MemoryParquet implements ParquetEngine {
  readonly #files: ByteFiles
  readonly #sizeFactor: number
  readonly #parsed = new WeakMap<Uint8Array, Content>()

  constructor(files: ByteFiles, sizeFactor: number) {
    this.#files = files
    this.#sizeFactor = sizeFactor
  }

  async match({ files, keys, rows, columns }: MatchRequest): Promise<Match[]> {
    const wanted = new Map<string, number[]>()
    rows.forEach((row, index) => {
      const key = keyText(keys.map(column => storedCell(row[column.name], column)))
      if (key !== undefined) wanted.set(key, [...(wanted.get(key) ?? []), index])
    })
    const matches: Match[] = []
    for (const [file, data] of files.entries()) {
      const keyOf = await this.#reader(data, keys)
      const valuesOf = await this.#reader(data, columns)
      for (const position of keyOf.positions) {
        const key = keyText(keys.map(column => keyOf.cell(position, column)))
        for (const row of wanted.get(key ?? '') ?? []) {
          matches.push({ row, file, position, values: valuesOf.row(position) })
        }
      }
    }
    return matches
  }

  async write(request: WriteRequest): Promise<WrittenFile> {
    const { columns } = request
    const rows: CellValue[][] = []
    for (const { file, without } of request.copies) {
      const reader = await this.#reader(file, columns)
      const left = new Set(without)
      for (const position of reader.positions) {
        if (!left.has(position)) rows.push(columns.map(column => reader.cell(position, column)))
      }
    }
    const changed = request.changes === undefined ? [] : await this.#changed(request.changes)
    for (const row of [...changed.map(one => one.row), ...request.rows]) {
      rows.push(columns.map(column => storedCell(row[column.name], column)))
    }
    const names = columns.map(({ physicalName, fieldId }) => ({
      name: physicalName,
      ...(fieldId === undefined ? {} : { id: fieldId })
    }))
    const stored = rows.map(row =>
      row.map((cell, at) => fileCell(cell, columns[at] as EngineColumn))
    )
    const bytes = Buffer.from(MAGIC + stringifyJson({ columns: names, rows: stored }))
    await this.#files.write(request.target, bytes)
    const statistics = columns.flatMap((column, index) => {
      const cells = rows.map(row => row[index] ?? null)
      const known = statisticsOf(cells, column)
      return known === undefined ? [] : [[column.name, known] as const]
    })
    return {
      size: bytes.length * this.#sizeFactor,
      numRecords: rows.length,
      columns: new Map(statistics)
    }
  }

  async cluster(request: ClusterRequest): Promise<ClusteredFile[]> {
    const { files, by, columns, directory, namePattern } = request
    const readers = await Promise.all(files.map(file => this.#reader(file, columns)))
    const places = await this.#clustered(files, by)
    const rows = places.map(({ file, position }) => readers[file]?.row(position) ?? {})
    const written: ClusteredFile[] = []
    // A file has at least one row, as those of DuckDB have at least one group of rows.
    const bytes = files.reduce((sum, file) => sum + file.size, 0)
    const perFile = Math.ceil((rows.length * request.targetFileBytes) / Math.max(1, bytes))
    for (let start = 0; start < rows.length; start += Math.max(1, perFile)) {
      const name = `${namePattern.replace('{i}', String(written.length))}.parquet`
      const file = await this.write({
        target: `${directory}/${name}`,
        columns,
        copies: [],
        rows: rows.slice(start, start + Math.max(1, perFile)),
        compression: request.compression
      })
      written.push({ ...file, name })
    }
    return written
  }

  async clusterRanks({ files, by, places }: RankRequest): Promise<number[]> {
    const rankOf = new Map(
      (await this.#clustered(files, by)).map((place, rank) => [
        `${place.file} ${place.position}`,
        rank
      ])
    )
    return places.map(({ file, position }) => rankOf.get(`${file} ${position}`) ?? -1)
  }

  /** Sorted by one column after the other, which is a curve too. */
  async #clustered(files: readonly DataFile[], by: readonly EngineColumn[]) {
    const places: { file: number; position: number; cells: CellValue[] }[] = []
    for (const [file, data] of files.entries()) {
      const reader = await this.#reader(data, by)
      for (const position of reader.positions) {
        places.push({ file, position, cells: by.map(column => reader.cell(position, column)) })
      }
    }
    return places.sort((a, b) => {
      for (const [index, cell] of a.cells.entries()) {
        const order = compareCells(cell, b.cells[index] ?? null)
        if (order !== 0) return order
      }
      return a.file - b.file || a.position - b.position
    })
  }

  async fetch({ files, columns, places }: FetchRequest) {
    const found: { place: number; values: Record<string, CellValue> }[] = []
    const readers = await Promise.all(
      files.map(({ deleted: _, ...file }) => this.#reader(file, columns))
    )
    for (const [place, { file, position }] of places.entries()) {
      const reader = readers[file]
      if (reader !== undefined && position < reader.count) {
        found.push({ place, values: reader.row(position) })
      }
    }
    return found
  }

  async *sortedKeyHashes(
    files: readonly DataFile[],
    keys: readonly EngineColumn[],
    salt: string
  ): AsyncGenerator<KeyHashes> {
    const all: { hash: Uint32Array; file: number; row: number }[] = []
    for (const [file, { deleted: _, ...data }] of files.entries()) {
      const reader = await this.#reader(data, keys)
      for (const row of reader.positions) {
        const cells = reader.row(row)
        if (keys.some(({ name }) => cells[name] === null)) continue
        all.push({ hash: hashKeys(keys, salt, [cells]), file, row })
      }
    }
    all.sort((a, b) => (a.hash[3] ?? 0) - (b.hash[3] ?? 0))
    for (let i = 0; i < all.length; i += BATCH_ROWS) {
      const batch = all.slice(i, i + BATCH_ROWS)
      yield {
        hashes: Uint32Array.from(batch.flatMap(({ hash }) => [...hash])),
        places: Uint32Array.from(batch.flatMap(({ file, row }) => [row, file]))
      }
    }
  }

  async scan(request: ScanRequest): Promise<Record<string, CellValue>[]> {
    const { files, schema, columns, where, limit } = request
    const filter = checkedFilter(where ?? 'true', schema)
    const rows: Record<string, CellValue>[] = []
    for (const file of files) {
      const reader = await this.#reader(file, schema)
      for (const position of reader.positions) {
        const row = reader.row(position)
        if (!holds(filter, row)) continue
        rows.push(Object.fromEntries(columns.map(name => [name, row[name] ?? null])))
      }
    }
    return limit === undefined ? rows : rows.slice(0, Math.max(0, Math.trunc(limit)))
  }

  async *scanBatches(request: ScanRequest): AsyncGenerator<Record<string, CellValue>[]> {
    const rows = await this.scan(request)
    for (let i = 0; i < rows.length; i += BATCH_ROWS) yield rows.slice(i, i + BATCH_ROWS)
  }

  async export(request: ScanRequest, target: string, format: ExportFormat): Promise<number> {
    if (format !== 'ndjson') {
      throw new DeltaError('DELTA_UNSUPPORTED', `The engine for tests does not export ${format}`)
    }
    const rows = await this.scan(request)
    const columns = request.schema.map(({ name, type }) => ({ name, type: String(type) }))
    const lines = rows.map(row => `${cellLine(withTimes(row, columns))}\n`)
    await this.#files.write(target, Buffer.from(lines.join('')))
    return rows.length
  }

  async checkAssignments(
    schema: readonly EngineColumn[],
    set: readonly Assignment[]
  ): Promise<void> {
    for (const { to } of set) if ('sql' in to) checkedFilter(to.sql, schema)
  }

  async translate(expression: string, schema: readonly EngineColumn[]): Promise<Translated> {
    const { columns = [] } = partsOf(checkedFilter(expression, schema))
    return { sql: expression, columns }
  }

  async evaluate({ columns, rows, expressions }: EvaluateRequest): Promise<CellValue[][]> {
    const stored = rows.map(row =>
      Object.fromEntries(columns.map(column => [column.name, storedCell(row[column.name], column)]))
    )
    return expressions.map(({ sql }) => {
      const expression = parseSql(sql)
      return stored.map(row => evaluated(expression, row))
    })
  }

  async groupChanges(changes: ChangedRows, columns: readonly string[]): Promise<ChangedGroup[]> {
    const groups = new Map<string, { values: Record<string, CellValue>; positions: number[][] }>()
    for (const { file, position, row } of await this.#changed(changes)) {
      const cells = columns.map(name => row[name] ?? null)
      const key = cells.map(cell => (cell === null ? '-' : keyText([cell]))).join('')
      const values = Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? null]))
      const group = groups.get(key) ?? { values, positions: changes.files.map(() => []) }
      group.positions[file]?.push(position)
      groups.set(key, group)
    }
    return [...groups.values()].map(({ values, positions }) => ({
      values,
      positions: positions.map(list => Uint32Array.from(list))
    }))
  }

  async countViolations(changes: ChangedRows, checks: readonly string[]): Promise<number[]> {
    const rows = await this.#changed(changes)
    return checks.map(check => {
      const expression = parseSql(check)
      return rows.filter(({ row }) => !holds(expression, row)).length
    })
  }

  /** The rows after the change. */
  async #changed({ files, schema, set, computed = new Map() }: ChangedRows) {
    const assigned = set.map(({ column, to }) => {
      const expression: Expression =
        'sql' in to ? parseSql(to.sql) : { kind: 'literal', value: to.value }
      return [column, expression] as const
    })
    const typeOf = new Map(schema.map(column => [column.name, column]))
    const rows: { file: number; position: number; row: Record<string, CellValue> }[] = []
    for (const [file, data] of files.entries()) {
      const reader = await this.#reader(data, schema)
      for (const position of reader.positions) {
        const row = reader.row(position)
        const values = assigned.map(([name, expression]) => {
          const column = typeOf.get(name)
          const value = evaluated(expression, row)
          return [name, column === undefined ? value : storedCell(value, column)] as const
        })
        const after = { ...row, ...Object.fromEntries(values) }
        for (const [name, sql] of computed) after[name] = evaluated(parseSql(sql), after)
        rows.push({ file, position, row: after })
      }
    }
    return rows
  }

  async filterParts(where: string): Promise<FilterParts> {
    return partsOf(parseSql(where))
  }

  async findRows({ files, schema, where }: FindRequest): Promise<Uint32Array[]> {
    const filter = checkedFilter(where, schema)
    const readers = await Promise.all(files.map(file => this.#reader(file, schema)))
    return readers.map(reader =>
      Uint32Array.from(reader.positions.filter(position => holds(filter, reader.row(position))))
    )
  }

  async filterPartitions(request: PartitionsRequest): Promise<boolean[]> {
    const { partitions, columns } = request
    const filter = checkedFilter(request.where, columns)
    return partitions.map(values => {
      const cells = columns.map(column => {
        return [column.name, partitionCell(values[column.physicalName] ?? null, column)] as const
      })
      return holds(filter, Object.fromEntries(cells))
    })
  }

  async rowCounts(localPaths: readonly string[]): Promise<number[]> {
    const contents = await Promise.all(localPaths.map(path => this.#content(path)))
    return contents.map(({ rows }) => rows.length)
  }

  async duplicateKeys(files: readonly DataFile[], keys: readonly EngineColumn[]): Promise<number> {
    const counts = new Map<string, number>()
    for (const file of files) {
      const reader = await this.#reader(file, keys)
      for (const position of reader.positions) {
        // A group of SQL: nulls are equal to each other.
        const cells = keys.map(column => reader.cell(position, column))
        const key = cells.map(cell => (cell === null ? '-' : keyText([cell]))).join('')
        counts.set(key, (counts.get(key) ?? 0) + 1)
      }
    }
    return [...counts.values()].filter(count => count > 1).length
  }

  async readCheckpoint(localPaths: readonly string[]): Promise<JsonObject[]> {
    const actions: JsonObject[] = []
    for (const path of localPaths) {
      const text = await this.#text(path)
      for (const line of text.split('\n')) {
        if (line === '') continue
        const action = parseJson(line)
        if (isJsonObject(action)) actions.push(withNulls(action))
      }
    }
    return actions
  }

  async writeCheckpoint(target: string, actions: readonly string[]): Promise<number> {
    const bytes = Buffer.from(MAGIC + actions.map(action => `${action}\n`).join(''))
    await this.#files.write(target, bytes)
    return bytes.length * this.#sizeFactor
  }

  async close(): Promise<void> {}

  async #reader(file: DataFile, columns: readonly EngineColumn[]): Promise<FileReader> {
    return new FileReader(await this.#content(file.localPath), file, columns)
  }

  async #content(path: string): Promise<Content> {
    const bytes = await this.#files.read(path)
    const known = this.#parsed.get(bytes)
    if (known !== undefined) return known
    const content = parseJson(textOf(bytes, path)) as unknown as Content
    this.#parsed.set(bytes, content)
    return content
  }

  async #text(path: string): Promise<string> {
    return textOf(await this.#files.read(path), path)
  }
}

/** Rejects a filter that names other columns. */
function checkedFilter(where: string, columns: readonly EngineColumn[]): Expression {
  const filter = parseSql(where)
  holds(filter, Object.fromEntries(columns.map(column => [column.name, null])))
  return filter
}

function textOf(bytes: Uint8Array, path: string): string {
  const text = Buffer.from(bytes).toString()
  if (text.startsWith(MAGIC) && text.length > MAGIC.length) return text.slice(MAGIC.length)
  throw new DeltaError('DELTA_DATA_CORRUPT', `A data file cannot be read: ${path}`)
}

function withNulls(action: JsonObject): JsonObject {
  const known: JsonObject = {}
  for (const name of ENTRIES) {
    const value: JsonValue | undefined = action[name]
    if (!isJsonObject(value)) continue
    const nulls = Object.fromEntries((NULLABLE[name] ?? []).map(field => [field, null]))
    known[name] = { ...nulls, ...value }
  }
  return known
}
