/** What a table lacks of the columns that are wanted: whole columns, and fields of structs at any depth. */
import { DeltaError } from '../core/index.ts'
import { type DataType, describeType, type SchemaField, withoutMetadata } from './schema.ts'

export interface Evolution {
  /** Those of the table, as they are, with what is new at the end of the table and of its structs. */
  readonly fields: readonly SchemaField[]
  /** What is new, each by the names from its column on. */
  readonly added: readonly (readonly string[])[]
  readonly newFields: readonly SchemaField[]
}

/**
 * Rejects with `DELTA_SCHEMA_MISMATCH` a difference that is not an added nullable column or field. What the
 * table has beyond what is wanted stays; whether a column that it has may be null is not compared.
 */
export function evolvedFields(
  existing: readonly SchemaField[],
  wanted: readonly SchemaField[],
  where: string
): Evolution {
  const work: Work = { where, added: [], newFields: [] }
  const fields = united(existing, wanted, [], work)
  return { ...work, fields }
}

interface Work {
  readonly where: string
  readonly added: (readonly string[])[]
  readonly newFields: SchemaField[]
}

function united(
  existing: readonly SchemaField[],
  wanted: readonly SchemaField[],
  path: readonly string[],
  work: Work
): SchemaField[] {
  const fields = [...existing]
  const byName = new Map(existing.map((field, at) => [field.name.toLowerCase(), at]))
  for (const field of wanted) {
    const at = byName.get(field.name.toLowerCase())
    const present = at === undefined ? undefined : existing[at]
    const own = [...path, field.name]
    if (at === undefined || present === undefined) {
      if (!field.nullable) throw notNullable(work.where, own)
      fields.push(field)
      work.added.push(own)
      work.newFields.push(field)
      continue
    }
    const type =
      present.name === field.name ? unitedType(present.type, field.type, own, work) : undefined
    if (type === undefined) throw mismatch(work.where, present, field, path)
    fields[at] = { ...present, type }
  }
  return fields
}

/** Undefined when the types differ in more than in new fields of structs. */
function unitedType(
  present: DataType,
  wanted: DataType,
  path: readonly string[],
  work: Work
): DataType | undefined {
  if (typeof present === 'string' || typeof wanted === 'string') {
    return present === wanted ? present : undefined
  }
  if (present.type === 'struct' && wanted.type === 'struct') {
    return { ...present, fields: united(present.fields, wanted.fields, path, work) }
  }
  if (present.type === 'array' && wanted.type === 'array') {
    if (present.containsNull !== wanted.containsNull) return undefined
    const inner = [...path, 'element']
    const elementType = unitedType(present.elementType, wanted.elementType, inner, work)
    return elementType === undefined ? undefined : { ...present, elementType }
  }
  if (present.type !== 'map' || wanted.type !== 'map') return undefined
  if (present.valueContainsNull !== wanted.valueContainsNull) return undefined
  // A field more would make other keys of those that are stored.
  if (!sameType(present.keyType, wanted.keyType)) return undefined
  const valueType = unitedType(present.valueType, wanted.valueType, [...path, 'value'], work)
  return valueType === undefined ? undefined : { ...present, valueType }
}

function sameType(a: DataType, b: DataType): boolean {
  return describeType(withoutMetadata(a)) === describeType(withoutMetadata(b))
}

function notNullable(where: string, path: readonly string[]): DeltaError {
  return new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `${where} lacks the column ${path.join('.')}, which is not nullable and so cannot be added`
  )
}

function mismatch(
  where: string,
  present: SchemaField,
  wanted: SchemaField,
  path: readonly string[]
): DeltaError {
  const [has, asks] = [present, wanted].map(({ name, type }) => {
    return `${[...path, name].join('.')} as ${describeType(withoutMetadata(type))}`
  })
  return new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `${where} has the column ${has}, the definition asks for ${asks}`
  )
}
