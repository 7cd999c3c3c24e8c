/**
 * Partition values and the directories made of them (PROTOCOL.md "Partition Value Serialization"). The
 * values of record are those in the `add` action, by physical name; the directory names only help
 * people. An empty string is written as null: readers disagree about it.
 */
import { isUtf8 } from 'node:buffer'
import { type CellValue, DeltaError, exactText, formatInstant } from '../core/index.ts'
import type { Snapshot } from './log-state.ts'
import { type DataType, isNested, physicalName, type SchemaField } from './schema.ts'

/** Characters that Hive-style directory names escape. */
const UNSAFE = /[\x00-\x1f"#%'*/:=?\\\x7f{[\]^]/g

/**
 * A value in the log's serialisation. Rejects what the log has no form for: nested values, and bytes that
 * are not UTF-8 (`DELTA_UNSUPPORTED`).
 */
export function serialisePartitionValue(value: CellValue, type: DataType): string | null {
  if (value === null || value === '') return null
  if (isNested(type)) {
    throw new DeltaError('DELTA_UNSUPPORTED', 'Partition columns must be of a primitive type')
  }
  if (type === 'binary') return bytesAsText(String(value))
  if (typeof value === 'bigint' && (type === 'timestamp' || type === 'timestamp_ntz')) {
    return formatInstant(value).replace('T', ' ').slice(0, -1)
  }
  return typeof value === 'number' ? (exactText(value) ?? null) : String(value)
}

/** Readers take a text in the log for the UTF-8 of the bytes, so others cannot be written there. */
function bytesAsText(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    'A binary partition column takes only bytes that are UTF-8: the log keeps partition values as text'
  )
}

/** The partition columns of the table, in the order in which it names them. */
export function partitionFields(snapshot: Snapshot): SchemaField[] {
  const { fields, metadata } = snapshot
  return metadata.partitionColumns.flatMap(name => fields.find(field => field.name === name) ?? [])
}

/** The partition that a row belongs to. */
export function partitionOf(
  snapshot: Snapshot,
  row: Readonly<Record<string, CellValue>>
): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const field of partitionFields(snapshot)) {
    values[physicalName(field)] = serialisePartitionValue(row[field.name] ?? null, field.type)
  }
  return values
}

/** Directory of a partition by physical names, without slashes at its ends; empty where there is none. */
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
  const entries = Object.entries(values)
  // Rows are grouped by it one by one, and most tables have no partitions.
  if (entries.length === 0) return ''
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function escapeName(value: string | null): string {
  if (value === null || value === '') return '__HIVE_DEFAULT_PARTITION__'
  return value.replace(
    UNSAFE,
    c => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  )
}
