/**
 * Rows at the border of the engine: each value is checked against the type of its column and brought to
 * one form (values/), so that equal values compare equal. A wrong value is an error that names
 * the column.
 */
import { type CellValue, DeltaError } from '../core/index.ts'
import { type DataType, isNested, type SchemaField } from './schema.ts'
import { canonicalCell, type InputRow, type InputValue, Misfit } from './values/cells.ts'
import { nestedText } from './values/nested.ts'

/**
 * A copy of the row with the cells of its values. Columns that are `undefined` stay absent. Rejects with
 * `DELTA_SCHEMA_MISMATCH`.
 */
export function checkedRow(
  fields: ReadonlyMap<string, SchemaField>,
  row: InputRow,
  where: string
): Record<string, CellValue> {
  const checked: Record<string, CellValue> = {}
  for (const name of Object.keys(row)) {
    const cell = checkedCell(fields, name, row[name], where)
    if (cell !== undefined) checked[name] = cell
  }
  return checked
}

/** The row itself where its values are the cells already, which copies of many rows would only repeat. */
export function rowOfCells(
  fields: ReadonlyMap<string, SchemaField>,
  row: InputRow,
  where: string
): Readonly<Record<string, CellValue>> {
  for (const name of Object.keys(row)) {
    const cell = checkedCell(fields, name, row[name], where)
    if (cell === undefined || !Object.is(cell, row[name])) return checkedRow(fields, row, where)
  }
  return row as Readonly<Record<string, CellValue>>
}

function checkedCell(
  fields: ReadonlyMap<string, SchemaField>,
  name: string,
  value: InputRow[string],
  where: string
): CellValue | undefined {
  if (value === undefined) return undefined
  const field = fields.get(name)
  if (field === undefined) {
    throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${where} has no column ${name}`)
  }
  if (value === null) return null
  try {
    return cellOf(field.type, value, name)
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new DeltaError(
      'DELTA_SCHEMA_MISMATCH',
      `${where}: a value of the column ${error.path} ${error.message}`
    )
  }
}

function cellOf(type: DataType, value: InputValue, name: string): CellValue {
  return isNested(type) ? nestedText(type, value, name) : canonicalCell(type, value, name)
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
