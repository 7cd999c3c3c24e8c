/**
 * Rows at the border of the engine: each value is checked against the type of its column and brought to
 * one form, so that equal values compare equal. Nothing is coerced: a wrong type is an error that names
 * the column.
 */
import { type CellValue, DeltaError, type Row } from '../core/index.ts'
import { type DataType, describeType, type SchemaField } from './schema.ts'

const DATE = /^\d{4}-\d{2}-\d{2}$/
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

/** Rejects with `DELTA_SCHEMA_MISMATCH`. Columns that are `undefined` stay absent. */
export function checkedRow(
  fields: ReadonlyMap<string, SchemaField>,
  row: Row,
  where: string
): Record<string, CellValue> {
  const checked: Record<string, CellValue> = {}
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue
    const field = fields.get(name)
    if (field === undefined) {
      throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${where} has no column ${name}`)
    }
    checked[name] = value === null ? null : checkedValue(field, value, where)
  }
  return checked
}

/** Rejects a row to be stored that has a null in a column that is not nullable. */
export function assertComplete(
  fields: readonly SchemaField[],
  row: Readonly<Record<string, CellValue>>,
  where: string
): void {
  for (const field of fields) {
    if (field.nullable || (row[field.name] ?? null) !== null) continue
    throw new DeltaError(
      'DELTA_SCHEMA_MISMATCH',
      `${where}: the column ${field.name} must not be null`
    )
  }
}

function checkedValue(field: SchemaField, value: CellValue, where: string): CellValue {
  const canonical = canonicalValue(field.type, value)
  if (canonical !== undefined) return canonical
  throw new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `${where}: a value of the column ${field.name} is not a ${describeType(field.type)} (it is a ${typeof value})`
  )
}

function canonicalValue(type: DataType, value: CellValue): CellValue | undefined {
  if (type === 'string') return typeof value === 'string' ? value : undefined
  if (type === 'boolean') return typeof value === 'boolean' ? value : undefined
  if (type === 'long') return long(value)
  if (type === 'integer') return int32(value)
  if (type === 'double') return double(value)
  if (type === 'timestamp') return int64(value)
  if (type === 'date') return typeof value === 'string' && DATE.test(value) ? value : undefined
  return undefined
}

function int64(value: CellValue): bigint | undefined {
  return typeof value === 'bigint' && value >= INT64.min && value <= INT64.max ? value : undefined
}

function long(value: CellValue): CellValue | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined
  const whole = int64(value)
  if (whole === undefined) return undefined
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}

function int32(value: CellValue): CellValue | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return typeof number === 'number' && (number | 0) === number ? number : undefined
}

function double(value: CellValue): CellValue | undefined {
  return typeof value === 'number' ? value : undefined
}
