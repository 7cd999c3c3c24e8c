/**
 * File statistics (PROTOCOL.md "Per-file Statistics"): record count, null counts and bounds. Bounds of
 * strings are cut to 32 characters, of timestamps to milliseconds, and stay bounds.
 */
import { isJsonObject, parseJson, stringifyJson } from '../core/index.ts'
import type { ColumnStatistics, WrittenFile } from './parquet-engine.ts'
import { type DataType, isNested, type SchemaField } from './schema.ts'

const PREFIX = 32
const INTEGERS = new Set<DataType>(['long', 'integer', 'short', 'byte'])
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:\+00(?::?00)?)?$/

export interface FileStats {
  readonly numRecords?: number
  readonly minValues?: Readonly<Record<string, unknown>>
  readonly maxValues?: Readonly<Record<string, unknown>>
  readonly nullCount?: Readonly<Record<string, unknown>>
}

/** Text for `add.stats`. `fields` are the data columns in schema order. */
export function serialiseStats(
  written: WrittenFile,
  fields: readonly SchemaField[],
  indexed: number
): string {
  const minValues: Record<string, unknown> = {}
  const maxValues: Record<string, unknown> = {}
  const nullCount: Record<string, number> = {}
  for (const field of fields.slice(0, indexed)) {
    const column = written.columns.get(field.name)
    if (column === undefined || isNested(field.type)) continue
    nullCount[field.name] = column.nullCount
    const bounds = boundsOf(column, field.type)
    if (bounds?.min !== undefined) minValues[field.name] = bounds.min
    if (bounds?.max !== undefined) maxValues[field.name] = bounds.max
  }
  return stringifyJson({ numRecords: written.numRecords, minValues, maxValues, nullCount })
}

/** Statistics of an `add`; empty when there are none or they cannot be read. */
export function parseStats(stats: string | null | undefined): FileStats {
  if (stats == null || stats === '') return {}
  try {
    const value = parseJson(stats)
    return isJsonObject(value) ? (value as FileStats) : {}
  } catch {
    return {}
  }
}

interface Bounds {
  readonly min?: unknown
  readonly max?: unknown
}

function boundsOf(column: ColumnStatistics, type: DataType): Bounds | undefined {
  const { min, max } = column
  if (min === undefined || max === undefined) return undefined
  if (type === 'string') return textBounds(min, max)
  if (INTEGERS.has(type)) return { min: BigInt(min), max: BigInt(max) }
  if (type === 'double' || type === 'float') return numberBounds(Number(min), Number(max))
  if (type === 'date') return /^\d{4}-/.test(min) && /^\d{4}-/.test(max) ? { min, max } : undefined
  if (type === 'timestamp') return timestampBounds(min, max)
  return undefined
}

function numberBounds(min: number, max: number): Bounds | undefined {
  return Number.isFinite(min) && Number.isFinite(max) ? { min, max } : undefined
}

function timestampBounds(min: string, max: string): Bounds | undefined {
  const low = isoMillis(min)
  const high = isoMillis(max)
  return low === undefined || high === undefined ? undefined : { min: low, max: high }
}

function isoMillis(text: string): string | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(3, '0').slice(0, 3)}Z`
}

/**
 * A cut minimum is still a lower bound. A cut maximum is not an upper bound until something that sorts
 * above every continuation is appended.
 */
function textBounds(min: string, max: string): Bounds {
  // A replacement character may stand for bytes that the engine cut; such a text bounds nothing.
  const low = min.includes('\ufffd') ? undefined : [...min].slice(0, PREFIX).join('')
  const high = max.includes('\ufffd') ? undefined : upperBound(max)
  return {
    ...(low === undefined ? {} : { min: low }),
    ...(high === undefined ? {} : { max: high })
  }
}

function upperBound(max: string): string {
  const points = [...max]
  if (points.length <= PREFIX) return max
  const next = points[PREFIX]?.codePointAt(0) ?? 0
  return `${points.slice(0, PREFIX).join('')}${next < 0x7f ? '\u007f' : '\u{10ffff}'}`
}
