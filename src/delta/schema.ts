/**
 * Table schemas in the JSON form that Delta keeps in `metaData.schemaString` (PROTOCOL.md "Schema
 * Serialization Format").
 */
import { DeltaError } from '../core/index.ts'

/** A primitive type by its name in Delta, such as `long` or `decimal(10,2)`, or a nested type. */
export type DataType = string | StructType | ArrayType | MapType

/** A struct: named fields. */
export interface StructType {
  /** Says that it is a struct. */
  readonly type: 'struct'
  /** In their order. */
  readonly fields: readonly SchemaField[]
}

/** A list of values of one type. */
export interface ArrayType {
  /** Says that it is an array. */
  readonly type: 'array'
  /** The type of its values. */
  readonly elementType: DataType
  /** Whether values may be null. */
  readonly containsNull: boolean
}

/** A map; its keys are never null. */
export interface MapType {
  /** Says that it is a map. */
  readonly type: 'map'
  /** The type of its keys. */
  readonly keyType: DataType
  /** The type of its values. */
  readonly valueType: DataType
  /** Whether values may be null. */
  readonly valueContainsNull: boolean
}

/** A column, or a field of a struct, as the log has it. */
export interface SchemaField {
  /** As people see it; data files may use another (`physicalName`). */
  readonly name: string
  /** Its type. */
  readonly type: DataType
  /** Whether it may be null. */
  readonly nullable: boolean
  /** Comment, column mapping, and what other features keep there. */
  readonly metadata: Readonly<Record<string, unknown>>
}

export const ID = 'delta.columnMapping.id'
export const PHYSICAL_NAME = 'delta.columnMapping.physicalName'

const PRIMITIVES = new Set([
  'string',
  'long',
  'integer',
  'short',
  'byte',
  'float',
  'double',
  'boolean',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz'
])
/** Types that come with a feature of which nothing is supported. */
const FEATURES: readonly (readonly [RegExp, string])[] = [
  [/^variant$/, 'variantType'],
  [/^geo(metry|graphy)\b/, 'geospatial']
]
const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$/

/** Parses `schemaString`; rejects unknown types by name (`DELTA_UNSUPPORTED`). */
export function parseSchema(schemaString: string, where: string): SchemaField[] {
  let root: unknown
  try {
    root = JSON.parse(schemaString)
  } catch (error) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${where}: the schema is not JSON`, { cause: error })
  }
  const { type, fields } = (root ?? {}) as { type?: unknown; fields?: unknown }
  if (type !== 'struct' || !Array.isArray(fields)) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${where}: the schema is not a struct`)
  }
  for (const field of fields as SchemaField[]) checkType(field.type, `${where}, ${field.name}`)
  return fields as SchemaField[]
}

export function serialiseSchema(fields: readonly SchemaField[]): string {
  return JSON.stringify({ type: 'struct', fields })
}

/** Whether there is such a type of single values. */
export function isPrimitive(type: string): boolean {
  return PRIMITIVES.has(type) || decimalOf(type) !== undefined
}

/** Whether the type is a struct, array or map. */
export function isNested(type: DataType): type is StructType | ArrayType | MapType {
  return typeof type !== 'string'
}

/** The name of a field in data files, which is its own unless columns are mapped. */
export function physicalName(field: SchemaField): string {
  const mapped = field.metadata?.[PHYSICAL_NAME]
  return typeof mapped === 'string' ? mapped : field.name
}

/** Whether the field has what a table needs that maps its columns. */
export function isWhollyMapped({ metadata }: SchemaField): boolean {
  const { [ID]: id, [PHYSICAL_NAME]: name } = metadata ?? {}
  return typeof id === 'number' && typeof name === 'string'
}

/** Precision and scale of `decimal(p,s)`. */
export function decimalOf(type: DataType): { precision: number; scale: number } | undefined {
  const match = typeof type === 'string' ? DECIMAL.exec(type) : null
  return match === null ? undefined : { precision: Number(match[1]), scale: Number(match[2]) }
}

/** The type with nothing but names and types: what files have that no table describes. */
export function withoutMetadata(type: DataType): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'array') return { ...type, elementType: withoutMetadata(type.elementType) }
  if (type.type === 'map') {
    const { keyType, valueType } = type
    return { ...type, keyType: withoutMetadata(keyType), valueType: withoutMetadata(valueType) }
  }
  const fields = type.fields.map(field => {
    return { ...field, type: withoutMetadata(field.type), metadata: {} }
  })
  return { ...type, fields }
}

/** Every field of the schema, nested ones too. */
export function* allFields(fields: readonly SchemaField[]): Generator<SchemaField> {
  for (const field of fields) {
    yield field
    yield* nestedFields(field.type)
  }
}

function* nestedFields(type: DataType): Generator<SchemaField> {
  if (typeof type === 'string') return
  if (type.type === 'struct') yield* allFields(type.fields)
  else if (type.type === 'array') yield* nestedFields(type.elementType)
  else {
    yield* nestedFields(type.keyType)
    yield* nestedFields(type.valueType)
  }
}

export function describeType(type: DataType): string {
  return typeof type === 'string' ? type : JSON.stringify(type)
}

function checkType(type: DataType, where: string): void {
  if (typeof type === 'string') {
    if (isPrimitive(type)) return
    const feature = FEATURES.find(([pattern]) => pattern.test(type))?.[1]
    const needs = feature === undefined ? '' : ` (feature ${feature})`
    throw new DeltaError('DELTA_UNSUPPORTED', `${where}: the type ${type}${needs} is not supported`)
  }
  if (type?.type === 'struct') {
    for (const field of type.fields) checkType(field.type, `${where}.${field.name}`)
  } else if (type?.type === 'array') checkType(type.elementType, where)
  else if (type?.type === 'map') {
    checkType(type.keyType, where)
    checkType(type.valueType, where)
  } else {
    throw new DeltaError('DELTA_UNSUPPORTED', `${where}: the type is not supported`)
  }
}
