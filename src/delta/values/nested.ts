/**
 * Structs, arrays and maps from JavaScript as the one JSON text that such a value has (README.md "Nested
 * values"), letter by letter what the Parquet engine gives when it reads the value, so that equal values are
 * equal cells.
 */
import { formatInstant } from '../../core/index.ts'
import type { ArrayType, DataType, MapType, StructType } from '../schema.ts'
import { decimalOf, describeType, isNested } from '../schema.ts'
import { canonicalCell, type InputValue, Misfit } from './cells.ts'
import { parseTimestamp } from './instants.ts'

type Objects = Readonly<Record<string, InputValue | undefined>>

/** A number of a JSON text, with all of its digits. */
class JsonNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const INTEGERS = new Set<DataType>(['long', 'integer', 'short', 'byte'])
const FLOATS = new Set<DataType>(['double', 'float'])
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])

/** The text of a value that is not null: JSON text, or arrays, objects and maps. Throws `Misfit`. */
export function nestedText(type: DataType, value: InputValue, path: string): string {
  return jsonOf(type, typeof value === 'string' ? parsed(value, path) : value, path)
}

function parsed(text: string, path: string): InputValue {
  try {
    return JSON.parse(text, keepDigits) as InputValue
  } catch {
    throw new Misfit(path, 'is a text that is not JSON')
  }
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value
}

function jsonOf(type: DataType, value: InputValue, path: string): string {
  if (!isNested(type)) return primitive(type, value, path)
  if (type.type === 'struct') return struct(type, value, path)
  return type.type === 'array' ? array(type, value, path) : map(type, value, path)
}

function struct({ fields }: StructType, value: InputValue, path: string): string {
  if (!isPlainObject(value)) throw new Misfit(path, 'is not an object, as a struct has to be')
  const parts = fields.map(({ name, type, nullable }) => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    return `${quoted(name)}:${orNull(type, given, nullable, `${path}.${name}`)}`
  })
  const known = new Set(fields.map(field => field.name))
  for (const name of Object.keys(value)) {
    if (!known.has(name)) throw new Misfit(`${path}.${name}`, 'belongs to no field of the struct')
  }
  return `{${parts.join(',')}}`
}

function array({ elementType, containsNull }: ArrayType, value: InputValue, path: string): string {
  if (!Array.isArray(value)) throw new Misfit(path, 'is not an array')
  const elements = (value as readonly InputValue[]).map((element, index) =>
    orNull(elementType, element, containsNull, `${path}[${index}]`)
  )
  return `[${elements.join(',')}]`
}

function map(type: MapType, value: InputValue, path: string): string {
  const { keyType, valueType, valueContainsNull } = type
  const keys = new Set<string>()
  const entries = entriesOf(type, value, path).map(([key, entry], index) => {
    const at = `${path}[${index}]`
    const keyText = orNull(keyType, key, false, `${at}.key`)
    // Zeros of both signs are one key.
    const identity = FLOATS.has(keyType) && keyText === '-0.0' ? '0.0' : keyText
    if (keys.has(identity)) throw new Misfit(`${at}.key`, 'occurs twice in the map')
    keys.add(identity)
    return `{"key":${keyText},"value":${orNull(valueType, entry, valueContainsNull, `${at}.value`)}}`
  })
  return `[${entries.join(',')}]`
}

type Entry = readonly [InputValue | undefined, InputValue | undefined]

/** A `Map`, a list of objects with `key` and `value`, or an object where keys are texts. */
function entriesOf({ keyType }: MapType, value: InputValue, path: string): Entry[] {
  if (value instanceof Map) return [...value]
  if (Array.isArray(value)) {
    return (value as readonly InputValue[]).map((entry, index) => {
      const strange = isPlainObject(entry)
        ? Object.keys(entry).find(name => name !== 'key' && name !== 'value')
        : ''
      if (isPlainObject(entry) && strange === undefined) return [entry['key'], entry['value']]
      throw new Misfit(`${path}[${index}]`, 'is not an object of key and value, as in maps')
    })
  }
  if (isPlainObject(value) && keyType === 'string') return Object.entries(value)
  const texts = keyType === 'string' ? ', nor an object' : ''
  throw new Misfit(path, `is neither a Map nor a list of objects of key and value${texts}`)
}

function orNull(
  type: DataType,
  value: InputValue | undefined,
  nullable: boolean,
  path: string
): string {
  if (value !== null && value !== undefined) return jsonOf(type, value, path)
  if (nullable) return 'null'
  throw new Misfit(path, 'must not be null')
}

function primitive(type: DataType & string, given: InputValue, path: string): string {
  const value = given instanceof JsonNumber ? numberOf(type, given, path) : given
  if (FLOATS.has(type)) {
    if (typeof value === 'string' && NOT_FINITE.has(value)) return quoted(value)
    return doubleText(Number(canonicalCell(type, value, path)))
  }
  if (type === 'timestamp' || type === 'timestamp_ntz') return instantText(type, value, path)
  const cell = canonicalCell(type, value, path)
  return typeof cell === 'string' ? quoted(cell) : String(cell)
}

function numberOf(type: DataType & string, { text }: JsonNumber, path: string): InputValue {
  if (decimalOf(type) !== undefined) return text
  if (FLOATS.has(type)) return Number(text)
  if (INTEGERS.has(type) && /^-?\d+$/.test(text)) return BigInt(text)
  throw new Misfit(path, `is not a ${describeType(type)} (it is a number)`)
}

function instantText(type: string, value: InputValue, path: string): string {
  const zoned = type === 'timestamp'
  const read = typeof value === 'string' ? parseTimestamp(value) : undefined
  if (typeof value === 'string' && read?.zoned !== zoned) {
    const wanted = `2024-01-31T09:00:00.123456${zoned ? 'Z' : ''}`
    throw new Misfit(path, `is not a ${type} as in ${wanted}, of the years 0001 to 9999`)
  }
  const micros = canonicalCell(type, read?.micros ?? value, path)
  const text = formatInstant(BigInt(micros ?? 0))
  return quoted(zoned ? text : text.slice(0, -1))
}

/** Shortest digits, always with a point or an exponent. */
function doubleText(value: number): string {
  if (!Number.isFinite(value)) return quoted(String(value))
  const text = Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e')
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /\\(?:u00([0-9a-f]{2})|.)/g,
    (escaped, hex?: string) => (hex === undefined ? escaped : `\\u00${hex.toUpperCase()}`)
  )
}

function isPlainObject(value: unknown): value is Objects {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
