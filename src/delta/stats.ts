/**
 * File statistics (PROTOCOL.md "Per-file Statistics"): record count, null counts and bounds, by physical
 * name; those of fields of structs nested like them. Bounds of strings are cut to 32 characters, of
 * timestamps to milliseconds, and stay bounds.
 */
import { exactNumber, isJsonObject, parseExactJson, stringifyJson } from '../core/index.ts'
import type { ColumnStatistics, WrittenFile } from './parquet-engine.ts'
import { type DataType, decimalOf, physicalName, type SchemaField } from './schema.ts'
import type { StatisticsColumns } from './table-properties.ts'

const PREFIX = 32
const INTEGERS = new Set<DataType>(['long', 'integer', 'short', 'byte'])
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:\+00(?::?00)?)?$/

export interface FileStats {
  readonly numRecords?: number
  readonly minValues?: Readonly<Record<string, unknown>>
  readonly maxValues?: Readonly<Record<string, unknown>>
  readonly nullCount?: Readonly<Record<string, unknown>>
}

type Values = Record<string, unknown>

/** Text for `add.stats`. `fields` are the data columns in schema order. */
export function serialiseStats(
  written: WrittenFile,
  fields: readonly SchemaField[],
  wanted: StatisticsColumns
): string {
  const leaves = new Leaves(wanted)
  const all: Bounds[] = []
  for (const field of fields) leaves.add(all, [field], written.columns.get(field.name))
  const minValues: Values = {}
  const maxValues: Values = {}
  const nullCount: Values = {}
  for (const { path, min, max, nulls } of all) {
    put(nullCount, path, nulls)
    if (min !== undefined) put(minValues, path, min)
    if (max !== undefined) put(maxValues, path, max)
  }
  return stringifyJson({ numRecords: written.numRecords, minValues, maxValues, nullCount })
}

interface Bounds {
  /** Physical names. */
  readonly path: readonly string[]
  readonly nulls: number
  readonly min?: unknown
  readonly max?: unknown
}

/** The columns, and fields of structs, that get statistics; an array or a map counts as one of them. */
class Leaves {
  readonly #wanted: StatisticsColumns
  #counted = 0

  constructor(wanted: StatisticsColumns) {
    this.#wanted = wanted
  }

  add(to: Bounds[], path: readonly SchemaField[], statistics: ColumnStatistics | undefined): void {
    const type = path.at(-1)?.type
    if (type === undefined) return
    if (typeof type !== 'string' && type.type === 'struct') {
      for (const field of type.fields) {
        this.add(to, [...path, field], statistics?.fields?.get(physicalName(field)))
      }
      return
    }
    if (!this.#isWanted(path) || statistics?.nullCount === undefined) return
    if (typeof type !== 'string') return
    const bounds = boundsOf(statistics, type)
    to.push({ path: path.map(physicalName), nulls: statistics.nullCount, ...bounds })
  }

  #isWanted(path: readonly SchemaField[]): boolean {
    const names = path.map(field => field.name.toLowerCase())
    const isAmong = (paths: readonly (readonly string[])[]): boolean =>
      paths.some(named => named.every((name, at) => name === names[at]))
    const { named, first, always = [] } = this.#wanted
    const wanted = named === undefined ? ++this.#counted <= first : isAmong(named)
    return wanted || isAmong(always)
  }
}

function put(values: Values, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    values[name] = value
    return
  }
  const inner = (values[name] ?? {}) as Values
  values[name] = inner
  put(inner, rest, value)
}

/**
 * Statistics of an `add`; empty when there are none or they cannot be read. Decimals keep all their
 * digits (`exactText`).
 */
export function parseStats(stats: string | null | undefined): FileStats {
  if (stats == null || stats === '') return {}
  try {
    const value = parseExactJson(stats)
    return isJsonObject(value) ? (value as FileStats) : {}
  } catch {
    return {}
  }
}

interface MinMax {
  readonly min?: unknown
  readonly max?: unknown
}

/** Booleans and binary have none. */
function boundsOf({ min, max }: ColumnStatistics, type: DataType): MinMax | undefined {
  if (min === undefined || max === undefined) return undefined
  if (type === 'string') return textBounds(min, max)
  if (INTEGERS.has(type)) return { min: BigInt(min), max: BigInt(max) }
  if (type === 'double' || type === 'float') return numberBounds(Number(min), Number(max))
  if (type === 'date') return /^\d{4}-/.test(min) && /^\d{4}-/.test(max) ? { min, max } : undefined
  if (type === 'timestamp') return timestampBounds(min, max, 'Z')
  if (type === 'timestamp_ntz') return timestampBounds(min, max, '')
  return decimalOf(type) === undefined ? undefined : decimalBounds(min, max)
}

/** Zeros of both signs are equal, so either may be stored; some readers take the negative one for less. */
function numberBounds(min: number, max: number): MinMax | undefined {
  if (!Number.isFinite(min) || !Number.isFinite(max)) return undefined
  return { min: min === 0 ? exactNumber('-0.0') : min, max: max + 0 }
}

function decimalBounds(min: string, max: string): MinMax {
  return { min: exactNumber(jsonDecimal(min)), max: exactNumber(jsonDecimal(max)) }
}

/** The engine writes `.5`, which JSON does not. */
function jsonDecimal(text: string): string {
  return text.replace(/^(-?)\./, '$10.')
}

function timestampBounds(min: string, max: string, zone: string): MinMax | undefined {
  const low = isoMillis(min, zone)
  const high = isoMillis(max, zone)
  return low === undefined || high === undefined ? undefined : { min: low, max: high }
}

function isoMillis(text: string, zone: string): string | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  return `${match[1]}T${match[2]}.${(match[3] ?? '').padEnd(3, '0').slice(0, 3)}${zone}`
}

/**
 * A cut minimum is still a lower bound. A cut maximum is not an upper bound until something that sorts
 * above every continuation is appended.
 */
function textBounds(min: string, max: string): MinMax {
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
