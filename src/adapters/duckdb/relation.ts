/**
 * Data files of a table as a SQL relation: columns by name, absent ones null, partition columns from the
 * log, and for each row the index of its file and its position in it.
 */
import type { DuckDBConnection } from '@duckdb/node-api'
import { type DataFile, type EngineColumn, isNested } from '../../delta/index.ts'
import { createDeletedRows, DELETED } from './deleted-rows.ts'
import { identifier, literal, sqlType } from './sql.ts'

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
 * connection: only one such relation at a time, and `dropDeletedRows` when it is done with.
 */
export async function relationOf(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[],
  names: readonly string[]
): Promise<Relation> {
  const marked = files.filter(file => file.deleted !== undefined && file.deleted.length > 0)
  if (marked.length === 0) return await storedRows(connection, files, columns, names)
  await createDeletedRows(connection, marked)
  const stored = await storedRows(connection, marked, columns, names, true, 'marked')
  const selected = names.map(name => `f.${identifier(name)}`)
  const sql = `SELECT ${selected.length === 0 ? '1' : selected.join(', ')} FROM (${stored.sql}) f
    ANTI JOIN ${DELETED} x ON f.${FILE} = x.file AND f.${POSITION} = x.position`
  if (marked.length === files.length) return { sql, parameters: stored.parameters }
  const clean = files.filter(file => !marked.includes(file))
  const rest = await storedRows(connection, clean, columns, names)
  return {
    sql: `${rest.sql} UNION ALL ${sql}`,
    parameters: { ...rest.parameters, ...stored.parameters }
  }
}

/** All rows of the files, deleted ones too; with `positions` also where each one lies. */
export async function storedRows(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  columns: readonly EngineColumn[],
  names: readonly string[],
  positions = false,
  prefix = 'partition'
): Promise<Relation> {
  const parameters: Record<string, readonly (string | null)[]> = {}
  // A column may be asked for twice, as a key and as a value.
  const stored = [
    ...new Map(columns.filter(c => !c.partition).map(column => [column.name, column])).values()
  ]
  const source = await fileSource(connection, files, stored)
  const selected = columns.map((column, index) => {
    const name = identifier(names[index] ?? column.name)
    if (!column.partition) return `${source.expression(column)} AS ${name}`
    const parameter = `${prefix}${index}`
    parameters[parameter] = files.map(file => file.partitionValues[column.physicalName] ?? null)
    const text = `($${parameter}::VARCHAR[])[(file_index + 1)::BIGINT]`
    return `${partitionExpression(text, column)} AS ${name}`
  })
  if (positions) {
    selected.push(`file_index::INTEGER AS ${FILE}`, `file_row_number::BIGINT AS ${POSITION}`)
  }
  if (selected.length === 0) selected.push('file_index')
  return { sql: `SELECT ${selected.join(', ')} FROM ${source.sql}`, parameters }
}

interface Source {
  readonly sql: string
  expression(column: EngineColumn): string
}

async function fileSource(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  stored: readonly EngineColumn[]
): Promise<Source> {
  const list = `[${files.map(file => literal(file.localPath)).join(', ')}]`
  if (stored.length === 0) {
    return { sql: `read_parquet(${list}, union_by_name = true)`, expression: () => 'NULL' }
  }
  if (!stored.some(column => isNested(column.type))) {
    const entries = stored.map(column => {
      const name = literal(column.name)
      const type = literal(sqlType(column.type))
      return `${name}: {name: ${name}, type: ${type}, default_value: NULL}`
    })
    return {
      sql: `read_parquet(${list}, schema = MAP {${entries.join(', ')}})`,
      expression: column => identifier(column.name)
    }
  }
  return await nestedSource(connection, `read_parquet(${list}, union_by_name = true)`)
}

/** DuckDB maps flat columns only to a given schema; with nested ones the files' own types are cast. */
async function nestedSource(connection: DuckDBConnection, sql: string): Promise<Source> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${sql}`)
  const present = new Set(described.getColumns()[0]?.map(name => String(name).toLowerCase()))
  return {
    sql,
    expression: column => {
      const value = present.has(column.name.toLowerCase()) ? identifier(column.name) : 'NULL'
      return `CAST(${value} AS ${sqlType(column.type)})`
    }
  }
}

function partitionExpression(text: string, column: EngineColumn): string {
  if (column.type === 'string') return text
  // Writers disagree about empty texts; for other types than string they can only mean null.
  if (column.type === 'binary') return `encode(${text})`
  return `CAST(nullif(${text}, '') AS ${sqlType(column.type)})`
}
