/** Values and statistics of the Parquet engine for tests (memory-parquet.ts). */
import { type CellValue, formatInstant, parseInstant } from '../../src/core/index.ts'
import { type ColumnStatistics, compareCells, type EngineColumn } from '../../src/delta/index.ts'

const WHOLE = new Set(['long', 'integer', 'short', 'byte'])

/** A value as it comes out of a file, in the one form of its type. */
export function storedCell(value: CellValue | undefined, column: EngineColumn): CellValue {
  if (value === null || value === undefined) return null
  if (column.type === 'timestamp') return BigInt(value)
  if (column.type === 'long') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return typeof value === 'string' ? value.toWellFormed() : value
}

/** A partition value of the log as a cell. */
export function partitionCell(text: string | null, column: EngineColumn): CellValue {
  if (text === null || (text === '' && column.type !== 'string')) return null
  if (column.type === 'timestamp') return parseInstant(`${text.replace(' ', 'T')}Z`) ?? null
  if (WHOLE.has(String(column.type))) return storedCell(BigInt(text), { ...column, type: 'long' })
  if (column.type === 'double') return Number(text)
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
    if (compareCells(cell, min) < 0) min = cell
    if (compareCells(cell, max) > 0) max = cell
  }
  return { nullCount, min: sqlText(min, column), max: sqlText(max, column) }
}

function sqlText(cell: CellValue, column: EngineColumn): string {
  if (column.type !== 'timestamp' || typeof cell !== 'bigint') return String(cell)
  return `${formatInstant(cell).replace('T', ' ').replace('Z', '')}+00`
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
