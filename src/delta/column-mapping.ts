/**
 * Column mapping (PROTOCOL.md "Column Mapping"): each column, and each field of a struct, has an id and a
 * name in data files that it keeps when it is renamed. New ones get `col-<uuid>`, so that a column that is
 * dropped and added again is another one; those that were there before keep the name that their files have.
 */
import { DeltaError } from '../core/index.ts'
import type { MetadataAction } from './actions.ts'
import { mappingMode } from './protocol/features.ts'
import {
  allFields,
  type DataType,
  ID,
  PHYSICAL_NAME,
  type SchemaField,
  serialiseSchema
} from './schema.ts'
import { integerProperty } from './table-properties.ts'

const MODE = 'delta.columnMapping.mode'
const MAX_ID = 'delta.columnMapping.maxColumnId'
/** Without mapping, names in files are those of the table, and Spark takes none with such characters. */
const UNMAPPED = /[ ,;{}()\n\t=]/

/** Physical names of new columns; undefined where they are to keep their own. */
export type NewName = (() => string) | undefined

export function columnId(field: SchemaField): number | undefined {
  const id = field.metadata?.[ID]
  return typeof id === 'number' ? id : undefined
}

/**
 * The metadata after its properties changed from those of `before`: columns are mapped where that was turned
 * on. Rejects changes of the mode that files cannot follow (`DELTA_PROPERTY_INVALID`), which leaves `name`
 * on a table that has none.
 */
export function withMappingMode(
  before: MetadataAction,
  after: MetadataAction,
  fields: readonly SchemaField[],
  newName: NewName,
  where: string
): MetadataAction {
  const mode = mappingMode(after)
  const former = mappingMode(before)
  if (mode === former) {
    const kept = after.configuration[MAX_ID] === before.configuration[MAX_ID]
    if (kept) return after
    throw new DeltaError('DELTA_PROPERTY_INVALID', `${MAX_ID} is set by the engine itself`)
  }
  const created = newName !== undefined
  if (former !== 'none' || (mode !== 'name' && !created)) {
    throw new DeltaError(
      'DELTA_PROPERTY_INVALID',
      `${where} has ${MODE} ${former}, which cannot become ${mode}: a table that has none can get name`
    )
  }
  if ([...allFields(fields)].some(isMapped)) {
    throw new DeltaError(
      'DELTA_PROPERTY_INVALID',
      `${where} cannot get ${MODE} ${mode}: its columns have ids or physical names of a former mapping`
    )
  }
  return withMappedFields(after, fields, newName)
}

/** The metadata with these fields, of which those that are new are mapped where the table maps its columns. */
export function withFields(
  metadata: MetadataAction,
  fields: readonly SchemaField[],
  newName: () => string
): MetadataAction {
  return mappingMode(metadata) === 'none'
    ? { ...metadata, schemaString: serialiseSchema(fields) }
    : withMappedFields(metadata, fields, newName)
}

/** Rejects names that need a mapping in a table without one (`DELTA_SCHEMA_INVALID`). */
export function assertNames(
  metadata: MetadataAction,
  added: readonly SchemaField[],
  where: string
): void {
  if (mappingMode(metadata) !== 'none') return
  const field = [...allFields(added)].find(({ name }) => UNMAPPED.test(name))
  if (field === undefined) return
  throw new DeltaError(
    'DELTA_SCHEMA_INVALID',
    `${where} cannot have a column ${JSON.stringify(field.name)}: names with blanks or any of ,;{}()= need ${MODE} name`
  )
}

function withMappedFields(
  metadata: MetadataAction,
  fields: readonly SchemaField[],
  newName: NewName
): MetadataAction {
  const known = [...allFields(fields)].flatMap(field => columnId(field) ?? [])
  const ids = new Ids(Math.max(integerProperty(metadata, MAX_ID, 0), ...known))
  const mapped = fields.map(field => mappedField(field, ids, newName))
  const configuration = { ...metadata.configuration, [MAX_ID]: String(ids.max) }
  return { ...metadata, configuration, schemaString: serialiseSchema(mapped) }
}

class Ids {
  max: number

  constructor(max: number) {
    this.max = max
  }

  next(): number {
    this.max++
    return this.max
  }
}

function mappedField(field: SchemaField, ids: Ids, newName: NewName): SchemaField {
  const metadata = isMapped(field)
    ? field.metadata
    : { ...field.metadata, [ID]: ids.next(), [PHYSICAL_NAME]: newName?.() ?? field.name }
  return { ...field, metadata, type: mappedType(field.type, ids, newName) }
}

function mappedType(type: DataType, ids: Ids, newName: NewName): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'struct') {
    return { ...type, fields: type.fields.map(field => mappedField(field, ids, newName)) }
  }
  if (type.type === 'array') {
    return { ...type, elementType: mappedType(type.elementType, ids, newName) }
  }
  return {
    ...type,
    keyType: mappedType(type.keyType, ids, newName),
    valueType: mappedType(type.valueType, ids, newName)
  }
}

function isMapped({ metadata }: SchemaField): boolean {
  return metadata?.[ID] !== undefined || metadata?.[PHYSICAL_NAME] !== undefined
}
