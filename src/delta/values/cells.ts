/**
 * Values given from JavaScript, brought to the one form that cells of their type have, so that equal
 * values are equal cells (README.md "Values"). Nothing is coerced or rounded: what does not fit is a
 * `Misfit`, which says why and where in a nested value.
 */
import type { CellValue } from '../../core/index.ts'
import { type DataType, decimalOf, describeType } from '../schema.ts'
import { decimalText } from './decimals.ts'
import { isDate, isInstant } from './instants.ts'

/** What may stand in a row that is written: cells, bytes as they are, and nested values as such. */
export type InputValue = CellValue | Uint8Array | NestedInput

/** An array, an object of the fields of a struct, or a map. */
export type NestedInput =
  | readonly InputValue[]
  | ReadonlyMap<InputValue, InputValue>
  | { readonly [field: string]: InputValue | undefined }

/** A row to be written, by column name. */
export type InputRow = Readonly<Record<string, InputValue | undefined>>

export class Misfit extends Error {
  /** Of the value, with the name of its column first. */
  readonly path: string

  constructor(path: string, why: string) {
    super(why)
    this.path = path
  }
}

type Codec = (value: InputValue, path: string) => CellValue

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const CODECS: Readonly<Record<string, Codec>> = {
  string: (value, path) => (typeof value === 'string' ? value : refuse(path, 'string', value)),
  boolean: (value, path) => (typeof value === 'boolean' ? value : refuse(path, 'boolean', value)),
  long,
  integer: whole('integer', -(2 ** 31), 2 ** 31 - 1),
  short: whole('short', -(2 ** 15), 2 ** 15 - 1),
  byte: whole('byte', -(2 ** 7), 2 ** 7 - 1),
  double: (value, path) => (typeof value === 'number' ? value : refuse(path, 'double', value)),
  float,
  binary,
  date: (value, path) =>
    typeof value === 'string' && isDate(value)
      ? value
      : refuse(path, 'date (YYYY-MM-DD of the years 0001 to 9999)', value),
  timestamp: instant('timestamp'),
  timestamp_ntz: instant('timestamp_ntz')
}

/** The cell of a value of a primitive type that is not null. Throws `Misfit`. */
export function canonicalCell(type: DataType, value: InputValue, path: string): CellValue {
  const codec = typeof type === 'string' ? CODECS[type] : undefined
  if (codec !== undefined) return codec(value, path)
  const decimal = decimalOf(type)
  if (decimal !== undefined) return decimalCell(decimal, type, value, path)
  return refuse(path, describeType(type), value)
}

function refuse(path: string, wanted: string, value: unknown): never {
  throw new Misfit(path, `is not a ${wanted} (it is ${describeValue(value)})`)
}

/** Only what kind of value it is: rows may hold what must not be in a log. */
function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'an array'
  return `a ${typeof value}`
}

function long(value: InputValue, path: string): CellValue {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0
  if (typeof value !== 'bigint' || value < INT64.min || value > INT64.max) {
    return refuse(path, 'long', value)
  }
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function whole(type: string, min: number, max: number): Codec {
  return (value, path) => {
    const number = typeof value === 'bigint' ? Number(value) : value
    const fits =
      typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
    return fits ? number + 0 : refuse(path, type, value)
  }
}

function float(value: InputValue, path: string): CellValue {
  if (typeof value !== 'number') return refuse(path, 'float', value)
  const single = Math.fround(value)
  if (Number.isFinite(single) || !Number.isFinite(value)) return single
  throw new Misfit(path, 'is too large for a float')
}

function binary(value: InputValue, path: string): CellValue {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  }
  if (typeof value !== 'string') return refuse(path, 'binary', value)
  const plain = BASE64.test(value)
  if (plain && Buffer.from(value, 'base64').toString('base64') === value) return value
  throw new Misfit(path, 'is not base64 with padding, as text of a binary has to be')
}

function instant(type: string): Codec {
  return (value, path) => {
    if (typeof value !== 'bigint') return refuse(path, `${type} (bigint microseconds)`, value)
    if (isInstant(value)) return value
    throw new Misfit(path, `is a ${type} outside of the years 0001 to 9999`)
  }
}

function decimalCell(
  { precision, scale }: { precision: number; scale: number },
  type: DataType,
  value: InputValue,
  path: string
): CellValue {
  const given = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  const text = given ? decimalText(value, precision, scale) : undefined
  if (text !== undefined) return text
  if (!given) return refuse(path, describeType(type), value)
  throw new Misfit(
    path,
    `is no ${describeType(type)}: it has too many digits${typeof value === 'number' ? ', or more than a number holds for sure (give text)' : ' or is not a decimal'}`
  )
}
