/**
 * Cells on their way in and out of DuckDB. Timestamps cross as microseconds and dates as text, which
 * costs far less than the value objects of the binding.
 */
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  SMALLINT,
  TINYINT,
  VARCHAR
} from '@duckdb/node-api'
import type { CellValue } from '../../core/index.ts'
import { type DataType, decimalOf, isNested } from '../../delta/index.ts'
import { jsonText, nestedValue } from './nested-json.ts'
import { decimalText, sqlType } from './sql.ts'

export const CHUNK_ROWS = 2048

/** How rows of a column are handed to DuckDB, and the SQL that makes the column's type of it. */
export interface InputForm {
  readonly sqlType: string
  readonly chunkType: DuckDBType
  cell(value: CellValue | undefined): DuckDBValue
  expression(column: string): string
}

const plain = (value: CellValue | undefined): DuckDBValue => value ?? null
const same = (column: string): string => column
const big = (value: CellValue | undefined): DuckDBValue =>
  typeof value === 'number' ? BigInt(value) : (value ?? null)

const FORMS: Readonly<Record<string, InputForm>> = {
  string: { sqlType: 'VARCHAR', chunkType: VARCHAR, cell: plain, expression: same },
  long: { sqlType: 'BIGINT', chunkType: BIGINT, cell: big, expression: same },
  integer: { sqlType: 'INTEGER', chunkType: INTEGER, cell: plain, expression: same },
  short: { sqlType: 'SMALLINT', chunkType: SMALLINT, cell: plain, expression: same },
  byte: { sqlType: 'TINYINT', chunkType: TINYINT, cell: plain, expression: same },
  float: { sqlType: 'FLOAT', chunkType: FLOAT, cell: plain, expression: same },
  double: { sqlType: 'DOUBLE', chunkType: DOUBLE, cell: plain, expression: same },
  boolean: { sqlType: 'BOOLEAN', chunkType: BOOLEAN, cell: plain, expression: same },
  timestamp: {
    sqlType: 'BIGINT',
    chunkType: BIGINT,
    cell: big,
    expression: column => `make_timestamptz(${column})`
  },
  timestamp_ntz: {
    sqlType: 'BIGINT',
    chunkType: BIGINT,
    cell: big,
    expression: column => `make_timestamp(${column})`
  },
  date: text(column => `${column}::DATE`),
  binary: text(column => `from_base64(${column})`)
}

/** Undefined for types that no table has. */
export function inputForm(type: DataType): InputForm | undefined {
  if (isNested(type)) return text(column => nestedValue(column, type))
  if (decimalOf(type) !== undefined) return text(column => `${column}::${sqlType(type)}`)
  return typeof type === 'string' ? FORMS[type] : undefined
}

function text(expression: InputForm['expression']): InputForm {
  return { sqlType: 'VARCHAR', chunkType: VARCHAR, cell: plain, expression }
}

/** SQL that brings a column into the form in which it leaves DuckDB. */
export function outputExpression(column: string, type: DataType): string {
  if (isNested(type)) return jsonText(column, type)
  if (type === 'timestamp' || type === 'timestamp_ntz') return `epoch_us(${column})`
  if (type === 'binary') return `base64(${column})`
  const decimal = decimalOf(type)
  if (decimal !== undefined) return decimalText(column, decimal)
  if (type === 'date') return `${column}::VARCHAR`
  if (type === 'float') return `${column}::DOUBLE`
  if (type === 'short' || type === 'byte') return `${column}::INTEGER`
  return column
}

/** A value of the result as a cell. Only `long` needs care: small ones become numbers. */
export function outputCell(value: DuckDBValue, type: DataType): CellValue {
  if (typeof value !== 'bigint' || type !== 'long') return value as CellValue
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
