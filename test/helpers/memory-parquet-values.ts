/** Values and statistics of the Parquet engine for tests (memory-parquet.ts). */
import {
  type CellValue,
  formatInstant,
  parseExactJson,
  stringifyJson
} from '../../src/core/index.ts'
import {
  type ColumnStatistics,
  compareCells,
  type DataType,
  type EngineColumn,
  isNested,
  physicalName,
  type SchemaField
} from '../../src/delta/index.ts'
import { parseTimestamp } from '../../src/delta/values/instants.ts'
import { nestedText } from '../../src/delta/values/nested.ts'

const WHOLE = new Set(['long', 'integer', 'short', 'byte'])
const FLOATS = new Set(['double', 'float'])

function isInstant({ type }: EngineColumn): boolean {
  return type === 'timestamp' || type === 'timestamp_ntz'
}

/** A cell as JSON keeps it: numbers that JSON lacks, and negative zero, as text. */
export function fileCell(cell: CellValue, { type }: EngineColumn): CellValue {
  if (isNested(type) && cell !== null) return storedNested(String(cell), type)
  if (typeof cell !== 'number' || (Number.isFinite(cell) && !Object.is(cell, -0))) return cell
  return Object.is(cell, -0) ? '-0' : String(cell)
}

/** A nested cell with the physical names of its fields, as a file has them. */
function storedNested(cell: string, type: DataType): string {
  return stringifyJson(
    renamed(parseExactJson(cell), type, field => [field.name, physicalName(field)])
  )
}

/** The cell of a nested value of a file, under the names of the table; fields that it lacks are null. */
export function nestedCell(stored: string, type: DataType): string {
  const value = renamed(parseExactJson(stored), type, field => [physicalName(field), field.name])
  return nestedText(type, stringifyJson(value), 'cell')
}

type Names = (field: SchemaField) => readonly [from: string, to: string]

function renamed(value: unknown, type: DataType, names: Names): unknown {
  if (value === null || value === undefined || !isNested(type)) return value ?? null
  if (type.type === 'array') {
    return (value as unknown[]).map(element => renamed(element, type.elementType, names))
  }
  if (type.type === 'map') {
    return (value as { key: unknown; value: unknown }[]).map(entry => ({
      key: renamed(entry.key, type.keyType, names),
      value: renamed(entry.value, type.valueType, names)
    }))
  }
  const entries = type.fields.map(field => {
    const [from, to] = names(field)
    return [to, renamed((value as Record<string, unknown>)[from], field.type, names)]
  })
  return Object.fromEntries(entries)
}

/** A value as it comes out of a file, in the one form of its type. */
export function storedCell(value: CellValue | undefined, column: EngineColumn): CellValue {
  if (value === null || value === undefined) return null
  if (isInstant(column)) {
    const read = typeof value === 'string' ? parseTimestamp(value) : undefined
    return read?.micros ?? BigInt(value)
  }
  if (typeof value === 'string' && FLOATS.has(String(column.type))) return Number(value)
  if (column.type === 'long') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return typeof value === 'string' ? value.toWellFormed() : value
}

/** A partition value of the log as a cell. */
export function partitionCell(text: string | null, column: EngineColumn): CellValue {
  if (text === null || (text === '' && column.type !== 'string')) return null
  if (isInstant(column)) return parseTimestamp(text)?.micros ?? null
  if (WHOLE.has(String(column.type))) return storedCell(BigInt(text), { ...column, type: 'long' })
  if (FLOATS.has(String(column.type))) return Number(text)
  if (column.type === 'binary') return Buffer.from(text).toString('base64')
  if (column.type === 'boolean') return text === 'true'
  return text
}

/** Undefined for arrays and maps. */
export function statisticsOf(
  cells: readonly CellValue[],
  column: EngineColumn
): ColumnStatistics | undefined {
  if (isNested(column.type)) return structStatistics(cells, column.type)
  const known = cells.filter(cell => cell !== null)
  const nullCount = cells.length - known.length
  if (known.length === 0 || known.some(cell => Number.isNaN(cell))) return { nullCount }
  const [first = null, ...rest] = known
  let min: CellValue = first
  let max: CellValue = first
  for (const cell of rest) {
    if (compareCells(cell, min, column.type) < 0) min = cell
    if (compareCells(cell, max, column.type) > 0) max = cell
  }
  return { nullCount, min: sqlText(min, column), max: sqlText(max, column) }
}

function structStatistics(
  cells: readonly CellValue[],
  type: DataType
): ColumnStatistics | undefined {
  if (!isNested(type) || type.type !== 'struct') return undefined
  const values = cells.map(cell => (cell === null ? {} : parseExactJson(String(cell))))
  const fields = new Map<string, ColumnStatistics>()
  for (const field of type.fields) {
    const inner: EngineColumn = { ...field, physicalName: field.name, partition: false }
    const own = values.map(value => {
      const given = (value as Record<string, unknown>)[field.name] ?? null
      if (given === null) return null
      return isNested(field.type) ? stringifyJson(given) : storedCell(given as CellValue, inner)
    })
    const known = statisticsOf(own, inner)
    if (known !== undefined) fields.set(physicalName(field), known)
  }
  return { fields }
}

function sqlText(cell: CellValue, column: EngineColumn): string {
  if (!isInstant(column) || typeof cell !== 'bigint') return String(cell)
  const zone = column.type === 'timestamp' ? '+00' : ''
  return `${formatInstant(cell).replace('T', ' ').replace('Z', '')}${zone}`
}

/** Identity of a key; values that DuckDB calls equal have the same text. */
export function keyText(cells: readonly CellValue[]): string | undefined {
  let text = ''
  for (const cell of cells) {
    if (cell === null) return undefined
    const part = typeof cell === 'string' ? cell.toWellFormed() : String(cell)
    text += `${part.length}:${part}`
  }
  return text
}
