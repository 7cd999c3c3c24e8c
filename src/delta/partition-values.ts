/**
 * Partition values and the directories made of them (PROTOCOL.md "Partition Value Serialization"). The
 * values of record are those in the `add` action; the directory names only help people. An empty
 * string is written as null: readers disagree about it.
 */
import { type CellValue, DeltaError, formatInstant } from '../core/index.ts'
import type { Snapshot } from './log-state.ts'
import type { DataType } from './schema.ts'

/** Characters that Hive-style directory names escape. */
const UNSAFE = /[\x00-\x1f"#%'*/:=?\\\x7f{[\]^]/g

/** A value in the log's serialisation. Rejects values that are no value of the type. */
export function serialisePartitionValue(value: CellValue, type: DataType): string | null {
  if (value === null || value === '') return null
  if (type === 'timestamp' && typeof value === 'bigint') {
    return formatInstant(value).replace('T', ' ').slice(0, -1)
  }
  if (typeof type !== 'string' || type === 'binary') {
    throw new DeltaError('DELTA_UNSUPPORTED', 'Partition columns must be of a primitive type')
  }
  return String(value)
}

/** The partition that a row belongs to. */
export function partitionOf(
  snapshot: Snapshot,
  row: Readonly<Record<string, CellValue>>
): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const field of snapshot.fields) {
    if (!snapshot.metadata.partitionColumns.includes(field.name)) continue
    values[field.name] = serialisePartitionValue(row[field.name] ?? null, field.type)
  }
  return values
}

/** Directory of a partition, without slashes at its ends; empty for unpartitioned tables. */
export function partitionDirectory(
  columns: readonly string[],
  values: Readonly<Record<string, string | null>>
): string {
  return columns
    .map(column => `${escapeName(column)}=${escapeName(values[column] ?? null)}`)
    .join('/')
}

/** The identity of a partition, for grouping. */
export function partitionKey(values: Readonly<Record<string, string | null>>): string {
  return JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function escapeName(value: string | null): string {
  if (value === null || value === '') return '__HIVE_DEFAULT_PARTITION__'
  return value.replace(
    UNSAFE,
    c => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  )
}
