/**
 * Whether changes of a range of versions can be given in the schema of its last one, as Spark gives them:
 * columns may have been added meanwhile, and types widened; else the range must be read in parts.
 */
import { isDeepStrictEqual } from 'node:util'
import { DeltaError } from '../../core/index.ts'
import type { MetadataAction } from '../actions.ts'
import { type DataType, isNested, parseSchema, physicalName, type SchemaField } from '../schema.ts'
import { recordsChanges } from './columns.ts'

/** What the changes are read with. */
export interface ReadSchema {
  readonly version: number
  readonly metadata: MetadataAction
  readonly fields: readonly SchemaField[]
}

/**
 * Rejects with `DELTA_CHANGES_NOT_RECORDED` when the feed is off in the version, and with
 * `DELTA_SCHEMA_MISMATCH` when its rows do not fit the schema.
 */
export function assertReadableChanges(
  metadata: MetadataAction,
  version: number,
  read: ReadSchema,
  where: string
): void {
  const configuration = metadata.configuration ?? {}
  if (!recordsChanges({ ...metadata, configuration })) {
    throw new DeltaError(
      'DELTA_CHANGES_NOT_RECORDED',
      `${where} does not record changes (delta.enableChangeDataFeed) in version ${version}: ask for a range of ` +
        'versions that do'
    )
  }
  const fields = parseSchema(metadata.schemaString, where)
  const why = differenceOf(metadata, fields, read)
  if (why === undefined) return
  throw new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `Changes of ${where} from version ${version} on do not fit the schema of version ${read.version}: ${why}. Read ` +
      'the versions before and after that change separately'
  )
}

function differenceOf(
  old: MetadataAction,
  oldFields: readonly SchemaField[],
  read: ReadSchema
): string | undefined {
  const partitions = (metadata: MetadataAction): string[] => [...(metadata.partitionColumns ?? [])]
  if (!isDeepStrictEqual(partitions(old), partitions(read.metadata))) {
    return 'the table has other partition columns'
  }
  return fieldsDifference(oldFields, read.fields)
}

function fieldsDifference(
  old: readonly SchemaField[],
  read: readonly SchemaField[]
): string | undefined {
  const byName = new Map(read.map(field => [field.name, field]))
  for (const field of old) {
    const now = byName.get(field.name)
    if (now === undefined || physicalName(now) !== physicalName(field)) {
      return `the column ${field.name} was renamed or dropped`
    }
    if (!fits(field.type, now)) return `the column ${field.name} has another type`
  }
  return undefined
}

/** Whether values of the old type are read as those of the field. */
function fits(old: DataType, now: SchemaField): boolean {
  const { type, metadata } = now
  if (isDeepStrictEqual(old, type)) return true
  if (isNested(old) !== isNested(type)) return false
  if (isNested(old) && isNested(type)) {
    if (old.type !== 'struct' || type.type !== 'struct') return false
    return fieldsDifference(old.fields, type.fields) === undefined
  }
  const changes = metadata?.['delta.typeChanges']
  return (
    Array.isArray(changes) &&
    changes.some((change: { fromType?: unknown } | null) => change?.fromType === old)
  )
}
