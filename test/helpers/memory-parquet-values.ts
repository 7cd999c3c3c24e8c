/** Values and statistics of the Parquet engine for tests (memory-parquet.ts). */
import { type CellValue, formatInstant } from '../../src/core/index.ts'
import { type ColumnStatistics, compareCells, type EngineColumn } from '../../src/delta/index.ts'
import { parseTimestamp } from '../../src/delta/values/instants.ts'

const WHOLE = new Set(['long', 'integer', 'short', 'byte'])
const FLOATS = new Set(['double', 'float'])

function isInstant({ type }: EngineColumn): boolean {
  return type === 'timestamp' || type === 'timestamp_ntz'
}

/** A cell as JSON keeps it: numbers that JSON lacks, and negative zero, as text. */
export function fileCell(cell: CellValue): CellValue {
  if (typeof cell !== 'number' || (Number.isFinite(cell) && !Object.is(cell, -0))) return cell
  return Object.is(cell, -0) ? '-0' : String(cell)
}

/** A value as it comes out of a file, in the one form of its type. */
export function storedCell(value: CellValue | undefined, column: EngineColumn): CellValue {
  if (value === null || value === undefined) return null
  if (isInstant(column)) return BigInt(value)
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

export function statisticsOf(cells: readonly CellValue[], column: EngineColumn): ColumnStatistics {
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
