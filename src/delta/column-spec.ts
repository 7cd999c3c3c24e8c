/** Columns as people write them, in definitions of tables and in changes to them, and what they become. */
import { DeltaError } from '../core/index.ts'
import { CURRENT_DEFAULT, GENERATION_EXPRESSION } from './row-rules/index.ts'
import { type DataType, decimalOf, isNested, isPrimitive, type SchemaField } from './schema.ts'

/** Types of single values, by their names in Delta. */
export type PrimitiveType =
  | 'string'
  | 'long'
  | 'integer'
  | 'short'
  | 'byte'
  | 'float'
  | 'double'
  | 'boolean'
  | 'binary'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | `decimal(${number},${number})`

/** A type as it is written in a definition: what is not said may be null. */
export type TypeSpec = PrimitiveType | StructSpec | ArraySpec | MapSpec

/** A struct: named fields. */
export interface StructSpec {
  /** Says that it is a struct. */
  readonly type: 'struct'
  /** In their order. */
  readonly fields: readonly ColumnSpec[]
}

/** A list of values of one type. */
export interface ArraySpec {
  /** Says that it is an array. */
  readonly type: 'array'
  /** The type of its values. */
  readonly elementType: TypeSpec
  /** True unless it is said to be false. */
  readonly containsNull?: boolean
}

/** A map; its keys are never null. */
export interface MapSpec {
  /** Says that it is a map. */
  readonly type: 'map'
  /** The type of its keys. */
  readonly keyType: TypeSpec
  /** The type of its values. */
  readonly valueType: TypeSpec
  /** True unless it is said to be false. */
  readonly valueContainsNull?: boolean
}

/** A column, or a field of a struct, as the engine writes it; `comment` goes to the field's metadata. */
export interface ColumnSpec {
  /** Unlike any other of its siblings, whatever the case of its letters. */
  readonly name: string
  /** Its type. */
  readonly type: TypeSpec
  /** True unless it is said to be false. */
  readonly nullable?: boolean
  /** For people; kept in the schema. */
  readonly comment?: string
  /**
   * SQL over the other columns, in Spark's dialect: the column is computed where a row lacks it, and checked
   * where a row has it. At creation only, not within structs.
   */
  readonly generatedAs?: string
  /**
   * SQL of the value for new rows that lack the column, in Spark's dialect, such as `'none'` or
   * `current_timestamp()`. A null that is given stays null. At creation only, not within structs.
   */
  readonly default?: string
}

export function fieldOf(column: ColumnSpec): SchemaField {
  const { name, type, nullable = true, comment, generatedAs, default: fallback } = column
  const metadata = {
    ...(comment === undefined ? {} : { comment }),
    ...(generatedAs === undefined ? {} : { [GENERATION_EXPRESSION]: generatedAs }),
    ...(fallback === undefined ? {} : { [CURRENT_DEFAULT]: fallback })
  }
  return { name, type: typeOf(type), nullable, metadata }
}

function typeOf(spec: TypeSpec): DataType {
  if (typeof spec === 'string') return spec
  if (spec.type === 'struct') return { type: 'struct', fields: spec.fields.map(fieldOf) }
  if (spec.type === 'array') {
    const { elementType, containsNull = true } = spec
    return { type: 'array', elementType: typeOf(elementType), containsNull }
  }
  const { keyType, valueType, valueContainsNull = true } = spec
  return { type: 'map', keyType: typeOf(keyType), valueType: typeOf(valueType), valueContainsNull }
}

/**
 * Rejects what no engine takes (`DELTA_SCHEMA_INVALID`): names that differ in nothing but case, or none,
 * types that do not exist, decimals of other than 1 to 38 digits, partition columns that are nested, unknown or all there is.
 */
export function assertDefinable(
  fields: readonly SchemaField[],
  partitionBy: readonly string[],
  where: string
): void {
  assertFields(fields, where)
  const names = new Set<string>()
  for (const name of partitionBy) {
    const field = fields.find(one => one.name === name)
    if (field === undefined) throw invalid(where, `there is no column ${name} to partition by`)
    if (isNested(field.type)) throw invalid(where, `the nested column ${name} cannot partition it`)
    if (names.has(name)) throw invalid(where, `it is partitioned by ${name} twice`)
    names.add(name)
  }
  if (names.size > 0 && names.size === fields.length) {
    throw invalid(where, 'every column is a partition column, so that its files would be empty')
  }
}

function assertFields(fields: readonly SchemaField[], where: string): void {
  const names = new Set<string>()
  for (const { name, type } of fields) {
    if (typeof name !== 'string' || name === '') throw invalid(where, 'a column has no name')
    const lower = name.toLowerCase()
    if (names.has(lower)) throw invalid(where, `the name ${name} occurs twice (case aside)`)
    names.add(lower)
    assertType(type, `${where}, ${name}`)
  }
}

function assertType(type: DataType, where: string): void {
  if (typeof type === 'string') {
    const decimal = decimalOf(type)
    if (decimal === undefined) {
      if (isPrimitive(type)) return
      throw invalid(where, `there is no type ${type}`)
    }
    const { precision, scale } = decimal
    if (precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision) return
    throw invalid(where, `${type} has not 1 to 38 digits, of which the scale is a part`)
  }
  if (type.type === 'struct') {
    if (type.fields.length === 0) throw invalid(where, 'the struct has no fields')
    assertFields(type.fields, where)
  } else if (type.type === 'array') assertType(type.elementType, where)
  else {
    assertType(type.keyType, where)
    assertType(type.valueType, where)
  }
}

function invalid(where: string, why: string): DeltaError {
  return new DeltaError('DELTA_SCHEMA_INVALID', `${where} cannot be defined so: ${why}`)
}
