/**
 * What a table is created with, and what becomes of it when properties change: checked properties, and the
 * smallest protocol that allows them (PROTOCOL.md "Table Properties", "Supported Features").
 */
import type { DomainMetadataAction, MetadataAction, ProtocolAction } from './actions.ts'
import { assertNoChangeColumns } from './change-data/index.ts'
import { CLUSTERING_FEATURE, clusteringDomain } from './clustering/columns.ts'
import { assertNames, type NewName, withMappingMode } from './column-mapping.ts'
import { assertDefinable, fieldOf } from './column-spec.ts'
import { checkedClustering } from './operations/set-clustering.ts'
import type { DeltaPorts } from './ports.ts'
import { CONSTRAINT_PREFIX, checkedProperty, FEATURE_PREFIX } from './protocol/properties.ts'
import { DEFAULT_PROTOCOL, protocolWith, usedFeatures } from './protocol/versions.ts'
import { assertWritable } from './protocol.ts'
import { RowRules } from './row-rules/index.ts'
import { withRowTracking } from './row-tracking/index.ts'
import { type ColumnsSpec, columnList } from './row-types.ts'
import { parseSchema, type SchemaField, serialiseSchema } from './schema.ts'
import { evolvedFields } from './schema-evolution.ts'

/** What a table is created with. */
export interface TableSpec<C extends ColumnsSpec = ColumnsSpec> {
  /** In the order of the schema. */
  readonly columns: C
  /** Columns whose values name the folder of a row; none by default. */
  readonly partitionBy?: readonly string[]
  /**
   * Columns by which `optimize` brings rows near each other; none by default, and not together with
   * `partitionBy`. Rejects with `DELTA_CLUSTERING_INVALID`.
   */
  readonly clusterBy?: readonly string[]
  /** For people and catalogs; the engine does not use it. */
  readonly name?: string
  /** For people and catalogs. */
  readonly description?: string
  /**
   * `delta.*` properties as in Spark, such as `delta.enableDeletionVectors`, or the user's own;
   * `delta.feature.NAME = supported` lists a feature. Rejects with `DELTA_PROPERTY_INVALID`.
   */
  readonly properties?: Readonly<Record<string, string>>
  /**
   * SQL boolean expressions by name, in Spark's dialect, that every row must make true. Rejects with
   * `DELTA_UNSUPPORTED` those that this engine does not evaluate.
   */
  readonly constraints?: Readonly<Record<string, string>>
}

export interface Definition {
  readonly protocol: ProtocolAction
  readonly metaData: MetadataAction
  readonly domainMetadata?: DomainMetadataAction
}

/** Rejects properties that are unknown, wrong, or of a feature that cannot be written here. */
export function definitionOf(spec: TableSpec, ports: DeltaPorts, where: string): Definition {
  const fields = columnList(spec.columns).map(fieldOf)
  const partitionColumns = spec.partitionBy ?? []
  // Unknown types are told apart from what is wrong with known ones.
  const schemaString = serialiseSchema(fields)
  assertDefinable(parseSchema(schemaString, where), partitionColumns, where)
  const metaData: MetadataAction = {
    id: ports.ids.uuid(),
    ...(spec.name === undefined ? {} : { name: spec.name }),
    ...(spec.description === undefined ? {} : { description: spec.description }),
    format: { provider: 'parquet', options: {} },
    schemaString,
    partitionColumns,
    configuration: {},
    createdTime: ports.clock.now()
  }
  const newName = (): string => `col-${ports.ids.uuid()}`
  const before = { protocol: DEFAULT_PROTOCOL, metaData }
  const properties: Record<string, string> = { ...spec.properties }
  for (const [name, expression] of Object.entries(spec.constraints ?? {})) {
    properties[CONSTRAINT_PREFIX + name.toLowerCase()] = expression
  }
  const definition = withProperties(before, properties, newName, where)
  assertNames(definition.metaData, fields, where)
  const newId = (): string => ports.ids.uuid()
  const tracked = { ...definition, metaData: withRowTracking(definition.metaData, newId, where) }
  return spec.clusterBy === undefined || spec.clusterBy.length === 0
    ? tracked
    : withClustering(tracked, spec.clusterBy, where)
}

function withClustering(
  { protocol, metaData }: Definition,
  columns: readonly string[],
  where: string
): Definition {
  const fields = parseSchema(metaData.schemaString, where)
  const chosen = checkedClustering({ protocol, metadata: metaData, fields }, columns, where)
  return {
    protocol: protocolWith(protocol, [CLUSTERING_FEATURE]),
    metaData,
    domainMetadata: clusteringDomain(chosen)
  }
}

/** Rejects with `DELTA_UNSUPPORTED` expressions that this engine could not keep to. */
export async function assertEvaluable(
  { metaData }: Definition,
  ports: DeltaPorts,
  where: string
): Promise<void> {
  const fields = parseSchema(metaData.schemaString, where)
  await RowRules.of(ports.engine, { metadata: metaData, fields }, where)
}

/**
 * The definition with properties set, or, where the value is null, removed. `newName` makes physical names
 * of the columns of a new table; those of one that exists keep their own.
 */
export function withProperties(
  { protocol, metaData }: Definition,
  changes: Readonly<Record<string, string | null>>,
  newName: NewName,
  where: string
): Definition {
  const configuration: Record<string, string> = { ...metaData.configuration }
  const features: string[] = []
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) {
      delete configuration[key]
      continue
    }
    const name = checkedProperty(key, value)
    if (name.startsWith(FEATURE_PREFIX)) features.push(name.slice(FEATURE_PREFIX.length))
    else configuration[name] = value
  }
  const given = parseSchema(metaData.schemaString, where)
  const after = { ...metaData, configuration }
  const changed = withMappingMode(metaData, after, given, newName, where)
  const fields = parseSchema(changed.schemaString, where)
  assertNoChangeColumns(changed, fields, where)
  const used = usedFeatures({ metadata: changed, fields })
  const wanted = protocolWith(protocol, [...used, ...features])
  assertWritable({ protocol: wanted, metadata: changed, fields }, where)
  return { protocol: wanted, metaData: changed }
}

/**
 * Names of the columns, and of fields of structs, that a table lacks. Rejects with `DELTA_SCHEMA_MISMATCH` when it has one with another
 * type, or lacks one that is not nullable.
 */
export function missingColumns(
  fields: readonly SchemaField[],
  columns: ColumnsSpec,
  where: string
): string[] {
  const { added } = evolvedFields(fields, columnList(columns).map(fieldOf), where)
  return added.map(path => path.join('.'))
}
