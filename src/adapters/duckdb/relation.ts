/**
 * Data files of a table as a SQL relation: columns by physical name or field id, absent ones null,
 * partition columns from the log, and for each row the index of its file and its position in it.
 */
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import { type DataFile, type EngineColumn, isNested } from '../../delta/index.ts'
import { createDeletedRows, DELETED } from './deleted-rows.ts'
import { identifier, literal, sqlType } from './sql.ts'
import { converted, type NamesById } from './stored-types.ts'

export const FILE = '__file'
export const POSITION = '__position'

export interface Relation {
  readonly sql: string
  /** Named parameters of the text: partition values, one list a column. */
  readonly parameters: Readonly<Record<string, readonly (string | null)[]>>
}

/**
 * The rows that are not deleted. Files without deletions are read on their own, so that filters reach
 * them as before. `names` gives each column the name it has in the relation. Fills a table of the
 * connection: only one such relation of a name at a time, and `dropDeletedRows` when it is done with.
 */
export async function relationOf(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[],
  names: readonly string[],
  table = DELETED
): Promise<Relation> {
  const chosen = files.filter(file => file.only !== undefined)
  const marked = files.filter(file => file.only === undefined && (file.deleted?.length ?? 0) > 0)
  if (chosen.length + marked.length === 0) {
    return await storedRows(connection, files, columns, names, false, `${table}_all`)
  }
  await createDeletedRows(connection, [...marked, ...chosen], table)
  const clean = files.filter(file => !chosen.includes(file) && !marked.includes(file))
  const parts: Relation[] = []
  if (clean.length > 0)
    parts.push(await storedRows(connection, clean, columns, names, false, `${table}_all`))
  const selected = names.map(name => `f.${identifier(name)}`)
  const add = async (group: readonly DataFile[], join: string, from: number): Promise<void> => {
    if (group.length === 0) return
    const prefix = `${table}_${join.toLowerCase()}`
    const { sql, parameters } = await storedRows(connection, group, columns, names, true, prefix)
    parts.push({
      sql: `SELECT ${selected.length === 0 ? '1' : selected.join(', ')} FROM (${sql}) f
    ${join} JOIN ${table} x ON f.${FILE} + ${from} = x.file AND f.${POSITION} = x.position`,
      parameters
    })
  }
  await add(marked, 'ANTI', 0)
  await add(chosen, 'SEMI', marked.length)
  return {
    sql: parts.map(part => part.sql).join(' UNION ALL '),
    parameters: Object.assign({}, ...parts.map(part => part.parameters))
  }
}

/**
 * The rows that are not deleted, file after file and each in its order. One thread that only reads does
 * so; a join holds small chunks back, several threads and groups of files mix: then the rows are sorted.
 */
export async function orderedRows(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[],
  names: readonly string[],
  threads: number
): Promise<Relation> {
  const stored = await storedRows(connection, files, columns, names, true)
  const selected = names.map(name => `f.${identifier(name)}`).join(', ')
  const marked = files.some(({ deleted }) => deleted !== undefined && deleted.length > 0)
  if (marked) await createDeletedRows(connection, files)
  const left = marked
    ? ` ANTI JOIN ${DELETED} x ON f.${FILE} = x.file AND f.${POSITION} = x.position`
    : ''
  const mixed = marked || threads > 1 || stored.parts > 1
  const order = mixed ? ` ORDER BY f.${FILE}, f.${POSITION}` : ''
  return { ...stored, sql: `SELECT ${selected} FROM (${stored.sql}) f${left}${order}` }
}

/** All rows of the files, deleted ones too; with `positions` also where each one lies. */
export async function storedRows(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[],
  names: readonly string[],
  positions = false,
  prefix = 'partition'
): Promise<Relation & { readonly parts: number }> {
  const parameters: Record<string, readonly (string | null)[]> = {}
  // A column may be asked for twice, as a key and as a value.
  const stored = [
    ...new Map(columns.filter(c => !c.partition).map(column => [column.name, column])).values()
  ]
  const sources = await sourcesOf(connection, files, stored)
  const texts = sources.map(source => {
    const selected = columns.map((column, index) => {
      const name = identifier(names[index] ?? column.name)
      const parameter = `${prefix}${index}`
      const text = `($${parameter}::VARCHAR[])[(${source.file} + 1)::BIGINT]`
      if (column.partition) {
        parameters[parameter] = files.map(file => file.partitionValues[column.physicalName] ?? null)
        return `${partitionExpression(text, column)} AS ${name}`
      }
      const value = source.expression(column)
      if (column.generated === undefined) return `${value} AS ${name}`
      parameters[parameter] = files.map(file => defaultOf(file, column))
      const position = column.generated === 'rowId' ? ' + file_row_number' : ''
      return `coalesce(${value}, CAST(${text} AS BIGINT)${position}) AS ${name}`
    })
    if (positions) {
      selected.push(`${source.file}::INTEGER AS ${FILE}`, `file_row_number::BIGINT AS ${POSITION}`)
    }
    if (selected.length === 0) selected.push('file_index')
    return `SELECT ${selected.join(', ')} FROM ${source.sql}`
  })
  return { sql: texts.join(' UNION ALL '), parameters, parts: texts.length }
}

/** Statistics in the footers leave NaN out, so a row with one must not be passed over for them. */
const OPTIONS = 'can_have_nan = true'

interface Source {
  readonly sql: string
  /** SQL of the index of a row's file. */
  readonly file: string
  expression(column: EngineColumn): string
}

async function sourcesOf(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  stored: readonly EngineColumn[]
): Promise<Source[]> {
  const list = listOf(files)
  const file = 'file_index'
  if (stored.length === 0) {
    return [{ sql: `read_parquet(${list}, union_by_name = true)`, file, expression: () => 'NULL' }]
  }
  const withId = stored.filter(column => column.foundById === true).length
  const byId = withId === stored.length
  // DuckDB finds the columns of a file either by name or by id.
  if (stored.some(column => isNested(column.type)) || (withId > 0 && !byId)) {
    return await nestedSources(connection, files, stored)
  }
  const entries = stored.map(column => {
    const key = byId ? String(column.fieldId) : literal(column.physicalName)
    const name = literal(column.physicalName)
    return `${key}: {name: ${name}, type: ${literal(sqlType(column.type))}, default_value: NULL}`
  })
  const sql = `read_parquet(${list}, schema = MAP {${entries.join(', ')}}, ${OPTIONS})`
  return [{ sql, file, expression: column => identifier(column.physicalName) }]
}

/**
 * DuckDB maps flat columns only to a given schema. With nested ones the files are grouped by the types
 * that they hold, and each group is converted from its own types.
 */
async function nestedSources(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  stored: readonly EngineColumn[]
): Promise<Source[]> {
  const byId = stored.some(column => column.foundById === true)
  const groups = new Map<string, { layout: FileLayout; members: number[] }>()
  for (const [index, { localPath }] of files.entries()) {
    const layout = await layoutOf(connection, localPath, byId)
    const group = groups.get(layout.signature) ?? { layout, members: [] }
    group.members.push(index)
    groups.set(layout.signature, group)
  }
  return [...groups.values()].map(({ layout, members }) => {
    const list = listOf(members.flatMap(index => files[index] ?? []))
    return {
      sql: `read_parquet(${list}, ${OPTIONS})`,
      file: `([${members.join(', ')}])[(file_index + 1)::BIGINT]`,
      expression: column => {
        const { fieldId = -1, foundById, physicalName } = column
        const stored = foundById === true ? layout.names.get(fieldId) : physicalName
        const name = stored?.toLowerCase()
        const found = name === undefined ? undefined : layout.columns.get(name)
        if (found === undefined) return `CAST(NULL AS ${sqlType(column.type)})`
        return converted(identifier(found.name), found.type, column.type, layout.names)
      }
    }
  })
}

interface FileLayout {
  readonly signature: string
  readonly columns: ReadonlyMap<string, { readonly name: string; readonly type: DuckDBType }>
  readonly names: NamesById
}

async function layoutOf(
  connection: DuckDBConnection,
  localPath: string,
  byId: boolean
): Promise<FileLayout> {
  const reader = await connection.runAndReadAll(
    `SELECT * FROM read_parquet(${literal(localPath)}) LIMIT 0`
  )
  const names = reader.columnNames()
  const types = reader.columnTypes()
  const columns = new Map<string, { name: string; type: DuckDBType }>()
  types.forEach((type, index) => {
    const name = names[index] ?? ''
    columns.set(name.toLowerCase(), { name, type })
  })
  const ids = new Map<number, string>()
  if (byId) {
    const fields = await connection.runAndReadAll(
      `SELECT field_id, name FROM parquet_schema(${literal(localPath)}) WHERE field_id IS NOT NULL`
    )
    for (const [id, name] of fields.getRows()) ids.set(Number(id), String(name))
  }
  const signature = JSON.stringify([names, types.map(String), [...ids]])
  return { signature, columns, names: ids }
}

/** Of a generated column, in the first row of the file. */
function defaultOf(file: DataFile, { generated }: EngineColumn): string | null {
  const value = generated === 'rowId' ? file.baseRowId : file.commitVersion
  return value === undefined ? null : String(value)
}

function listOf(files: readonly DataFile[]): string {
  return `[${files.map(file => literal(file.localPath)).join(', ')}]`
}

/** SQL of a partition value, of its text as the log has it. */
export function partitionExpression(text: string, column: EngineColumn): string {
  if (column.type === 'string') return text
  // Writers disagree about empty texts; for other types than string they can only mean null.
  if (column.type === 'binary') return `encode(${text})`
  return `CAST(nullif(${text}, '') AS ${sqlType(column.type)})`
}
