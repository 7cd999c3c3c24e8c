/**
 * Reads checkpoint files into actions. Each expression of a query costs a quarter of a millisecond, and each
 * value that crosses from DuckDB a microsecond. So the footer is asked first for what the file holds at
 * all; then each column crosses as one text: a JSON list, or texts joined by a character that they hardly
 * hold. What only few files have comes as a list of those that have it.
 */
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import { DuckDBStructType } from '@duckdb/node-api'
import {
  DeltaError,
  exactText,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseExactJson,
  parseJson,
  stringifyJson
} from '../../core/index.ts'
import { type CheckpointColumns, checkpointColumns } from './checkpoint-columns.ts'
import { partitionText, statsText } from './parsed-stats.ts'
import { identifier, literal } from './sql.ts'

/** Rows that are read at a time, so that no text grows too long. */
const WINDOW_ROWS = 100_000

/** Actions that are few, each with a field that none of them lacks. */
const FEW: Readonly<Record<string, string>> = {
  txn: 'appId',
  metaData: 'schemaString',
  protocol: 'minReaderVersion',
  domainMetadata: 'domain',
  checkpointMetadata: 'version',
  sidecar: 'path'
}

type Kind = 'add' | 'remove'

/** Fields of the actions that are many, beside those that have code of their own. */
const NUMBERS = { add: ['size', 'modificationTime'], remove: ['size', 'deletionTimestamp'] }
const RARE = {
  add: ['tags', 'deletionVector', 'baseRowId', 'defaultRowCommitVersion', 'clusteringProvider'],
  remove: ['extendedFileMetadata', 'deletionVector', 'baseRowId', 'defaultRowCommitVersion']
}

const SEPARATOR = '\u001f'
const NO_VALUES: JsonObject = {}

type Texts = Readonly<Record<string, string | null>>

export async function readCheckpointFiles(
  connection: DuckDBConnection,
  localPaths: readonly string[]
): Promise<JsonObject[]> {
  const actions: JsonObject[] = []
  for (const path of localPaths) {
    const columns = await checkpointColumns(connection, path)
    for (const name of ['add', 'remove', ...Object.keys(FEW)]) {
      if (!columns.has(name, '')) continue
      throw new DeltaError('DELTA_DATA_CORRUPT', `The column ${name} of ${path} holds no actions`)
    }
    for (let from = 0; from < columns.rows; from += WINDOW_ROWS) {
      await new Window(connection, path, columns, from).read(actions)
    }
  }
  return actions
}

/** Consecutive rows of one file. */
class Window {
  readonly #connection: DuckDBConnection
  readonly #path: string
  readonly #columns: CheckpointColumns
  readonly #rows: string

  constructor(
    connection: DuckDBConnection,
    path: string,
    columns: CheckpointColumns,
    from: number
  ) {
    this.#connection = connection
    this.#path = path
    this.#columns = columns
    this.#rows =
      columns.rows <= WINDOW_ROWS
        ? ''
        : `WHERE file_row_number >= ${from} AND file_row_number < ${from + WINDOW_ROWS}`
  }

  async read(actions: JsonObject[]): Promise<void> {
    const few = Object.entries(FEW).filter(([name, field]) => this.#columns.holds(name, field))
    const kinds = (['add', 'remove'] as const).filter(kind => this.#columns.holds(kind, 'path'))
    const sql: Record<string, string> = {}
    for (const [name, field] of few) {
      sql[name] = `to_json(list(${name}) FILTER (${name}.${field} IS NOT NULL))`
    }
    for (const kind of kinds) Object.assign(sql, this.#sqlOf(kind))
    if (Object.keys(sql).length === 0) return
    const texts = await this.#select(sql)
    for (const [name] of few) {
      for (const value of listOf(texts[name])) actions.push({ [name]: value })
    }
    for (const kind of kinds) {
      for (const file of await this.#files(kind, texts)) actions.push({ [kind]: file })
    }
  }

  /** Named expressions over the window: their values as text. */
  async #select(expressions: Readonly<Record<string, string>>): Promise<Texts> {
    const names = Object.keys(expressions)
    const selected = names.map(name => `(${expressions[name]})::VARCHAR AS ${identifier(name)}`)
    const reader = await this.#connection.runAndReadAll(
      `SELECT ${selected.join(', ')}
       FROM read_parquet(${literal(this.#path)}, file_row_number = true) ${this.#rows}`
    )
    const values = reader.getColumns().map(column => column[0] as string | null)
    return Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]))
  }

  #sqlOf(kind: Kind): Record<string, string> {
    const there = `FILTER (${kind}.path IS NOT NULL)`
    const held = (field: string): boolean => this.#columns.holds(kind, field)
    const sql: Record<string, string> = {
      [`${kind}.count`]: `count(${kind}.path)`,
      [`${kind}.path`]: `string_agg(${kind}.path, chr(31))`
    }
    for (const field of NUMBERS[kind].filter(held)) {
      sql[`${kind}.${field}`] = `to_json(list(${kind}.${field}) ${there})`
    }
    const rare: Record<string, string> = {}
    for (const field of RARE[kind].filter(held)) {
      rare[field] = sparse(`${kind}.${field}`, `${kind}.${field} IS NOT NULL`)
    }
    if (held('dataChange') && this.#columns.mayBeTrue(kind, 'dataChange')) {
      rare['dataChange'] = sparse(`${kind}.dataChange`, `${kind}.dataChange`)
    }
    if (held('partitionValues')) {
      const values = `${kind}.partitionValues`
      sql[`${values}.known`] = `count(${values}) ${there}`
      rare['partitionValues'] = sparse(values, `cardinality(${values}) > 0`)
    }
    for (const [field, list] of Object.entries(rare)) sql[`${kind}.${field}`] = list
    if (Object.keys(rare).length > 0) {
      sql[`${kind}.row`] = `to_json(list(file_row_number) ${there})`
    }
    if (kind === 'add' && held('stats')) {
      sql['add.stats.known'] = 'count(add.stats)'
      sql['add.stats'] = `string_agg(coalesce(add.stats, ''), chr(31)) ${there}`
    }
    return sql
  }

  async #files(kind: Kind, texts: Texts): Promise<JsonObject[]> {
    const count = Number(texts[`${kind}.count`])
    if (count === 0) return []
    const paths = await this.#joined(kind, `${kind}.path`, texts[`${kind}.path`], count)
    const [sizes = [], times = []] = NUMBERS[kind].map(name => listOf(texts[`${kind}.${name}`]))
    const stats = kind === 'add' ? await this.#stats(texts, count) : []
    const noValues = kind === 'add' || texts['remove.partitionValues.known'] ? NO_VALUES : null
    // One literal a kind, so that all of its objects have one shape.
    const files = paths.map(
      kind === 'add'
        ? (path, at): JsonObject => ({
            path,
            partitionValues: NO_VALUES,
            size: sizes[at] ?? null,
            modificationTime: times[at] ?? null,
            dataChange: false,
            stats: stats[at] || null
          })
        : (path, at): JsonObject => ({
            path,
            deletionTimestamp: times[at] ?? null,
            dataChange: false,
            partitionValues: noValues,
            size: sizes[at] ?? null
          })
    )
    await this.#addPartitionValues(kind, texts, files)
    addRare(kind, texts, files)
    return files
  }

  /** Where only some files have any, or all only in the other form, they are asked for again. */
  async #addPartitionValues(kind: Kind, texts: Texts, files: readonly JsonObject[]): Promise<void> {
    const field = `${kind}.partitionValues`
    const known = Number(texts[`${field}.known`] ?? 0)
    const inParsed =
      known === 0 && this.#columns.has(kind, 'partitionValues_parsed')
        ? await this.#typeOf(kind, 'partitionValues_parsed')
        : undefined
    if (inParsed === undefined && (known === 0 || known === files.length)) return
    const value = inParsed === undefined ? field : partitionText(`${field}_parsed`, inParsed)
    const values = await this.#list(kind, value)
    files.forEach((file, at) => {
      file['partitionValues'] = values[at] ?? null
    })
  }

  /** Empty where there are none. */
  async #stats(texts: Texts, count: number): Promise<string[]> {
    const known = Number(texts['add.stats.known'] ?? 0)
    const stats =
      known === 0
        ? []
        : await this.#joined('add', "coalesce(add.stats, '')", texts['add.stats'], count)
    if (known === count || !this.#columns.holds('add', 'stats_parsed')) return stats
    const type = await this.#typeOf('add', 'stats_parsed')
    if (type === undefined) return stats
    const text = await this.#listText('add', statsText('add.stats_parsed', type))
    const values = parseExactJson(text ?? '[]') as JsonValue[]
    return values.map(
      (value, at) => stats[at] || (value === null ? '' : stringifyJson(withoutNulls(value)))
    )
  }

  /** The values of a column that was joined to one text; asked for again when they hold the separator. */
  async #joined(
    kind: Kind,
    sql: string,
    joined: string | null | undefined,
    count: number
  ): Promise<string[]> {
    const texts = (joined ?? '').split(SEPARATOR)
    return texts.length === count ? texts : (await this.#list(kind, sql)).map(String)
  }

  async #list(kind: Kind, sql: string): Promise<JsonValue[]> {
    return listOf(await this.#listText(kind, sql))
  }

  async #listText(kind: Kind, sql: string): Promise<string | null | undefined> {
    const list = `to_json(list(${sql}) FILTER (${kind}.path IS NOT NULL))`
    return (await this.#select({ list }))['list']
  }

  async #typeOf(kind: Kind, field: string): Promise<DuckDBType | undefined> {
    const reader = await this.#connection.runAndReadAll(
      `SELECT ${kind} FROM read_parquet(${literal(this.#path)}) LIMIT 0`
    )
    const [type] = reader.columnTypes()
    if (!(type instanceof DuckDBStructType)) return undefined
    return type.entryTypes[type.entryNames.indexOf(field)]
  }
}

function addRare(kind: Kind, texts: Texts, files: readonly JsonObject[]): void {
  let places: Map<JsonValue, number> | undefined
  for (const field of ['partitionValues', 'dataChange', ...RARE[kind]]) {
    for (const [row, value] of listOf(texts[`${kind}.${field}`]) as [JsonValue, JsonValue][]) {
      places ??= new Map(listOf(texts[`${kind}.row`]).map((number, at) => [number, at]))
      const file = files[places.get(row) ?? -1]
      if (file !== undefined) file[field] = value
    }
  }
}

/** Pairs of row and value. */
function sparse(value: string, there: string): string {
  return `to_json(list(json_array(file_row_number, ${value})) FILTER (${there}))`
}

function listOf(text: string | null | undefined): JsonValue[] {
  return text == null ? [] : (parseJson(text) as JsonValue[])
}

/** Without the fields that a file has no statistics for. */
function withoutNulls(stats: JsonValue): JsonValue {
  if (!isJsonObject(stats) || exactText(stats) !== undefined) return stats
  const known = Object.entries(stats).filter(([, value]) => value !== null)
  return Object.fromEntries(known.map(([name, value]) => [name, withoutNulls(value)]))
}
