/**
 * Paths to columns and to fields of structs: names from the outside in. Inside of arrays and maps the path
 * goes by `element`, `key` and `value`.
 */
import { DeltaError } from '../../core/index.ts'
import type { MetadataAction } from '../actions.ts'
import type { DataType, SchemaField } from '../schema.ts'
import { columnPaths, columnPathsText } from '../table-properties.ts'

export type ColumnPath = readonly string[]

type Siblings = readonly SchemaField[]

const STATISTICS = 'delta.dataSkippingStatsColumns'

export function pathText(path: ColumnPath): string {
  return columnPathsText([path])
}

/** Rejects with `DELTA_SCHEMA_MISMATCH` when there is none. */
export function fieldAt(fields: Siblings, path: ColumnPath, where: string): SchemaField {
  let found: SchemaField | undefined
  changedAt(fields, path, siblings => {
    found = siblings.find(field => field.name === path.at(-1))
    return siblings
  })
  if (found !== undefined) return found
  throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${where} has no column ${pathText(path)}`)
}

/** The fields, with what `change` makes of those among which the path ends. */
export function changedAt(
  fields: Siblings,
  path: ColumnPath,
  change: (siblings: Siblings) => Siblings
): Siblings {
  const [name, ...rest] = path
  if (rest.length === 0) return change(fields)
  return fields.map(field =>
    field.name === name ? { ...field, type: changedType(field.type, rest, change) } : field
  )
}

function changedType(
  type: DataType,
  path: ColumnPath,
  change: (siblings: Siblings) => Siblings
): DataType {
  if (typeof type === 'string') return type
  if (type.type === 'struct') return { ...type, fields: changedAt(type.fields, path, change) }
  const [step, ...rest] = path
  if (rest.length === 0) return type
  if (type.type === 'array') {
    return step === 'element'
      ? { ...type, elementType: changedType(type.elementType, rest, change) }
      : type
  }
  if (step === 'key') return { ...type, keyType: changedType(type.keyType, rest, change) }
  return step === 'value' ? { ...type, valueType: changedType(type.valueType, rest, change) } : type
}

/** Columns with statistics are named by path, so the names follow. */
export function withStatisticsRenamed(
  metadata: MetadataAction,
  path: ColumnPath,
  to: string
): MetadataAction {
  return withStatisticsPaths(metadata, named =>
    startsWith(named, path) ? [[...path.slice(0, -1), to, ...named.slice(path.length)]] : [named]
  )
}

export function withoutStatistics(metadata: MetadataAction, path: ColumnPath): MetadataAction {
  return withStatisticsPaths(metadata, named => (startsWith(named, path) ? [] : [named]))
}

function withStatisticsPaths(
  metadata: MetadataAction,
  change: (path: ColumnPath) => readonly ColumnPath[]
): MetadataAction {
  const text = metadata.configuration[STATISTICS]
  const paths = text === undefined ? undefined : columnPaths(text)
  if (paths === undefined) return metadata
  const configuration: Record<string, string> = { ...metadata.configuration }
  const changed = paths.flatMap(change)
  // No columns at all cannot be said with this property.
  if (changed.length === 0) delete configuration[STATISTICS]
  else configuration[STATISTICS] = columnPathsText(changed)
  return { ...metadata, configuration }
}

function startsWith(path: ColumnPath, prefix: ColumnPath): boolean {
  return prefix.every((name, at) => path[at]?.toLowerCase() === name.toLowerCase())
}
