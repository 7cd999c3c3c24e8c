/**
 * Which files can hold what is looked for, by partition values and statistics. A file is left out only
 * when that is proven; missing statistics keep it.
 */
import { type CellValue, exactText, parseInstant } from '../core/index.ts'
import type { AddAction } from './actions.ts'
import type { FilterTerm } from './parquet-engine.ts'
import { type DataType, decimalOf, physicalName, type SchemaField } from './schema.ts'
import { type FileStats, parseStats } from './stats.ts'
import { decimalText } from './values/decimals.ts'
import { parseTimestamp } from './values/instants.ts'
import { compareCells } from './values/order.ts'

interface Range {
  readonly min: CellValue
  readonly max: CellValue
}

const INTEGERS = new Set<DataType>(['long', 'integer', 'short', 'byte'])

/** Statistics are parsed once a file; actions are immutable. */
const parsed = new WeakMap<AddAction, FileStats>()

export function statsOf(add: AddAction): FileStats {
  const known = parsed.get(add)
  if (known !== undefined) return known
  const stats = parseStats(add.stats)
  parsed.set(add, stats)
  return stats
}

/** Values wanted of one column, sorted once for many files. */
export interface WantedValues {
  readonly field: SchemaField
  readonly sorted: readonly CellValue[]
}

export function wantedValues(field: SchemaField, values: Iterable<CellValue>): WantedValues {
  const order = (a: CellValue, b: CellValue): number => compareCells(a, b, field.type)
  return { field, sorted: [...new Set(values)].sort(order) }
}

/** False when no value of one of the columns can be in the file. */
export function mayHoldKeys(add: AddAction, wanted: readonly WantedValues[]): boolean {
  return wanted.every(({ field, sorted }) => {
    const range = rangeOf(add, field)
    if (range === undefined) return true
    if (range === 'nulls') return false
    if (Number.isNaN(sorted.at(-1))) return true
    const first = sorted[lowerBound(sorted, range.min, field.type)]
    return first !== undefined && compareCells(first, range.max, field.type) <= 0
  })
}

/** False when one conjunct of a filter cannot hold for any row of the file. */
export function mayHoldTerms(
  add: AddAction,
  terms: readonly FilterTerm[],
  fields: ReadonlyMap<string, SchemaField>
): boolean {
  return terms.every(term => {
    const field = fields.get(term.column.toLowerCase())
    if (field === undefined) return true
    if (term.valueType !== undefined && !isComparedAs(field.type, term.valueType)) return true
    const range = rangeOf(add, field)
    if (range === undefined) return true
    return range === 'nulls' ? false : termMayHold(term, range, field.type)
  })
}

/** True when the terms, which must be all that a filter says, are proven to hold for every row of the file. */
export function mustHoldTerms(
  add: AddAction,
  terms: readonly FilterTerm[],
  fields: ReadonlyMap<string, SchemaField>
): boolean {
  return terms.every(term => {
    const field = fields.get(term.column.toLowerCase())
    // Many writers leave NaN, the greatest number, out of the statistics.
    if (field === undefined || field.type === 'double' || field.type === 'float') return false
    if (term.valueType !== undefined && !isComparedAs(field.type, term.valueType)) return false
    const range = rangeOf(add, field)
    if (range === undefined || range === 'nulls' || mayHoldNulls(add, field)) return false
    return termMustHold(term, range, field.type)
  })
}

function termMustHold(term: FilterTerm, { min, max }: Range, type: DataType): boolean {
  const values = term.values.map(value => comparable(value, type))
  const compare = (a: CellValue, b: CellValue): number => compareCells(a, b, type)
  const always = (holds: (value: CellValue) => boolean): boolean =>
    values.some(value => value !== undefined && holds(value))
  switch (term.operator) {
    case '<':
      return always(value => compare(max, value) < 0)
    case '<=':
      return always(value => compare(max, value) <= 0)
    case '>':
      return always(value => compare(min, value) > 0)
    case '>=':
      return always(value => compare(min, value) >= 0)
    default:
      return always(value => compare(min, value) === 0 && compare(max, value) === 0)
  }
}

/** A partition value with a range is none; of columns in the file only a count of 0 says so. */
function mayHoldNulls(add: AddAction, field: SchemaField): boolean {
  const name = physicalName(field)
  if (add.partitionValues?.[name] != null) return false
  return Number(statsOf(add).nullCount?.[name] ?? Number.NaN) !== 0
}

/** In UTC, as filters are evaluated, instants with and without zone are the same. */
function isComparedAs(type: DataType, valueType: 'date' | 'timestamp'): boolean {
  return type === valueType || (type === 'timestamp_ntz' && valueType === 'timestamp')
}

function termMayHold(term: FilterTerm, range: Range, type: DataType): boolean {
  const values = term.values.map(value => comparedWith(value, type))
  if (values.some(value => value === undefined)) return true
  const compare = (a: CellValue, b: CellValue): number => compareCells(a, b, type)
  const inRange = (value: CellValue): boolean =>
    compare(range.min, value) <= 0 && compare(value, range.max) <= 0
  const [value] = values as CellValue[]
  if (value === undefined) return true
  if (term.operator === '=' || term.operator === 'in') return (values as CellValue[]).some(inRange)
  if (term.operator === '<') return compare(range.min, value) < 0
  if (term.operator === '<=') return compare(range.min, value) <= 0
  // NaN is greater than everything, and many writers leave it out of the statistics.
  if (type === 'double' || type === 'float') return true
  if (term.operator === '>') return compare(range.max, value) > 0
  return compare(range.max, value) >= 0
}

function rangeOf(add: AddAction, field: SchemaField): Range | 'nulls' | undefined {
  const name = physicalName(field)
  const partition = add.partitionValues?.[name]
  if (partition !== undefined) {
    // An empty text may be null or empty, depending on the writer.
    if (partition === '') return undefined
    if (partition === null) return 'nulls'
    const value = comparable(partition, field.type)
    return value === undefined ? undefined : { min: value, max: value }
  }
  const { minValues, maxValues } = statsOf(add)
  const min = comparable(minValues?.[name], field.type)
  const max = comparable(maxValues?.[name], field.type)
  if (min === undefined || max === undefined) return undefined
  // Timestamps are cut to milliseconds downwards, in the maximum too.
  return typeof max === 'bigint' && isInstantType(field.type)
    ? { min, max: max + 999n }
    : { min, max }
}

/** A value of the log or a filter in the form of table cells; undefined when it cannot be compared. */
function comparable(value: unknown, type: DataType): CellValue | undefined {
  if (value === undefined || value === null) return undefined
  if (type === 'string') return typeof value === 'string' ? value : undefined
  if (type === 'date') {
    return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : undefined
  }
  if (isInstantType(type)) {
    if (typeof value === 'bigint') return value
    if (typeof value !== 'string') return undefined
    return parseTimestamp(value)?.micros ?? parseInstant(value)
  }
  if (INTEGERS.has(type)) return integer(value)
  if (type === 'double' || type === 'float') return finite(value, type)
  const decimal = decimalOf(type)
  if (decimal === undefined) return undefined
  const text = typeof value === 'string' ? value : exactText(value)
  return text === undefined ? undefined : decimalText(text, decimal.precision, decimal.scale)
}

/** A value of a filter. Of floats only those that are compared alike as floats and as doubles. */
function comparedWith(value: CellValue, type: DataType): CellValue | undefined {
  const wanted = comparable(value, type)
  return type === 'float' && wanted !== Number(value) ? undefined : wanted
}

function isInstantType(type: DataType): boolean {
  return type === 'timestamp' || type === 'timestamp_ntz'
}

/** Logs have the shortest text of a float, which as a double is another number. */
function finite(value: unknown, type: DataType): CellValue | undefined {
  const number = Number(typeof value === 'object' ? exactText(value) : value)
  const stored = type === 'float' ? Math.fround(number) : number
  return Number.isFinite(stored) ? stored : undefined
}

function integer(value: unknown): CellValue | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : undefined
}

function lowerBound(sorted: readonly CellValue[], value: CellValue, type: DataType): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareCells(sorted[middle] as CellValue, value, type) < 0) low = middle + 1
    else high = middle
  }
  return low
}
