/**
 * Schemas and rows in the one form in which engines are compared (`test/interop/judges/README.md`): types
 * as text, whole numbers as text, floating-point numbers as the hexadecimal of their bits, instants as
 * microseconds, dates as days, bytes as hexadecimal, structs as lists, maps as sorted pairs.
 */
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue
} from '@duckdb/node-api'
import type { DataType, DeltaTable, SchemaField } from '../../src/delta/index.ts'

export type Cell = null | boolean | string | readonly Cell[]

export interface Reading {
  readonly schema: readonly string[]
  readonly rows: readonly Cell[]
}

/** What our engine reads, by way of an exported file, so that every value keeps its type. */
export async function readingOf(
  table: DeltaTable,
  scratchFile: string,
  version?: number
): Promise<Reading> {
  const at = version === undefined ? {} : { version }
  const { fields } = await table.snapshot(version)
  await table.export(scratchFile, 'parquet', at)
  return { schema: fields.map(fieldName), rows: await parquetRows(scratchFile, fields) }
}

/** The changes since a version as our engine reads them, without the time of each commit. */
export async function changesOf(
  table: DeltaTable,
  scratchFile: string,
  fromVersion: number
): Promise<Reading> {
  const { fields: stored } = await table.snapshot()
  const added = [
    ['_change_type', 'string'],
    ['_commit_version', 'long']
  ].map(([name = '', type = '']) => ({ name, type, nullable: true, metadata: {} }))
  const fields = [...stored, ...added]
  const columns = fields.map(field => field.name)
  await table.exportChanges(scratchFile, 'parquet', { fromVersion, columns })
  return { schema: fields.map(fieldName), rows: await parquetRows(scratchFile, fields) }
}

export function fieldName(field: SchemaField): string {
  return `${JSON.stringify(field.name)}:${typeName(field.type)}${field.nullable ? '' : '!'}`
}

function typeName(type: DataType): string {
  if (typeof type === 'string') return type.replace(/\s/g, '')
  if (type.type === 'struct') return `struct<${type.fields.map(fieldName).join(',')}>`
  if (type.type === 'array') {
    return `array<${typeName(type.elementType)}${type.containsNull ? '' : '!'}>`
  }
  const value = typeName(type.valueType) + (type.valueContainsNull ? '' : '!')
  return `map<${typeName(type.keyType)},${value}>`
}

export async function parquetRows(file: string, fields: readonly SchemaField[]): Promise<Cell[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${file}')`)
    const names = reader.columnNames()
    const order = fields.map(field => names.indexOf(field.name))
    return sortedCells(
      reader
        .getRows()
        .map(row => fields.map((field, index) => cellOf(row[order[index] ?? -1], field.type)))
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export function sortedCells<T extends Cell>(cells: readonly T[]): T[] {
  return cells
    .map(cell => [JSON.stringify(cell), cell] as const)
    .sort(([a], [b]) => compareCodePoints(a, b))
    .map(([, cell]) => cell)
}

/** As Python sorts texts: by code point, not by UTF-16 unit. */
function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function cellOf(value: DuckDBValue | undefined, type: DataType): Cell {
  if (value === null) return null
  if (value === undefined) throw new Error('The export lacks a column')
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value, type)
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return String(value.micros)
  }
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  if (typeof value === 'string') return value
  return nestedCell(value, type)
}

function nestedCell(value: DuckDBValue, type: DataType): Cell {
  if (typeof type === 'string') throw new Error(`Unexpected value of ${type}`)
  if (value instanceof DuckDBStructValue && type.type === 'struct') {
    return type.fields.map(field => cellOf(value.entries[field.name], field.type))
  }
  if (value instanceof DuckDBListValue && type.type === 'array') {
    return value.items.map(item => cellOf(item, type.elementType))
  }
  if (value instanceof DuckDBMapValue && type.type === 'map') {
    return sortedCells(
      value.entries.map(({ key, value: item }) => [
        cellOf(key, type.keyType),
        cellOf(item, type.valueType)
      ])
    )
  }
  throw new Error(`A value does not fit ${JSON.stringify(type)}`)
}

function numberText(value: number | bigint, type: DataType): string {
  return type === 'double' || type === 'float' ? floatText(Number(value), type) : String(value)
}

/** The hexadecimal of the bits; NaN has many. */
export function floatText(number: number, type: 'double' | 'float'): string {
  if (Number.isNaN(number)) return 'NaN'
  const bytes = Buffer.alloc(type === 'double' ? 8 : 4)
  if (type === 'double') bytes.writeDoubleBE(number)
  else bytes.writeFloatBE(number)
  return bytes.toString('hex')
}
