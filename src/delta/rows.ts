/**
 * Rows at the border of the engine: each value is checked against the type of its column and brought to
 * one form (values/cells.ts), so that equal values compare equal. A wrong value is an error that names
 * the column.
 */
import { type CellValue, DeltaError } from '../core/index.ts'
import type { SchemaField } from './schema.ts'
import { canonicalCell, type InputRow, Misfit } from './values/cells.ts'

/** Rejects with `DELTA_SCHEMA_MISMATCH`. Columns that are `undefined` stay absent. */
export function checkedRow(
  fields: ReadonlyMap<string, SchemaField>,
  row: InputRow,
  where: string
): Record<string, CellValue> {
  const checked: Record<string, CellValue> = {}
  try {
    for (const name of Object.keys(row)) {
      const value = row[name]
      if (value === undefined) continue
      const field = fields.get(name)
      if (field === undefined) {
        throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${where} has no column ${name}`)
      }
      checked[name] = value === null ? null : canonicalCell(field.type, value, name)
    }
  } catch (error) {
    if (!(error instanceof Misfit)) throw error
    throw new DeltaError(
      'DELTA_SCHEMA_MISMATCH',
      `${where}: a value of the column ${error.path} ${error.message}`
    )
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
