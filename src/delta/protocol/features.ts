/**
 * Every table feature that is known (PROTOCOL.md "Table Features"): which protocol versions imply it,
 * when a table makes use of it, and what this engine does about it. A name that is not here is refused.
 * Nothing is called supported before it is right: a table that needs more is refused, never misread.
 */
import type { MetadataAction, ProtocolAction } from '../actions.ts'
import { allFields, type SchemaField } from '../schema.ts'
import { booleanProperty } from '../table-properties.ts'

export interface TableDefinition {
  readonly metadata: MetadataAction
  readonly fields: readonly SchemaField[]
}

/**
 * - `yes`    supported
 * - `unused` the feature may be listed as long as the table makes no use of it
 * - `no`     a table that lists it is refused
 */
export type Support = 'yes' | 'unused' | 'no'

export interface TableFeature {
  readonly name: string
  /** Readers must know it too. */
  readonly readers: boolean
  /** Versions from which on a protocol without feature lists implies it. */
  readonly legacy?: { readonly writer: number; readonly reader?: number }
  readonly reading: Support
  readonly writing: Support
  /** The property that turns it on when it is `true`, where there is one. */
  readonly property?: string
  readonly requires?: readonly string[]
  /**
   * A table that uses it without a protocol that allows it was written wrongly, and is treated as if it
   * had the feature.
   */
  readonly always?: boolean
  /** True when the table makes use of it, beyond listing it. By default: when its property is true. */
  used?(table: TableDefinition): boolean
}

const writerOnly = { readers: false, reading: 'yes' } as const

export const TABLE_FEATURES: readonly TableFeature[] = [
  {
    ...writerOnly,
    name: 'appendOnly',
    legacy: { writer: 2 },
    writing: 'yes',
    property: 'delta.appendOnly'
  },
  {
    ...writerOnly,
    name: 'invariants',
    always: true,
    legacy: { writer: 2 },
    writing: 'yes',
    used: table => anyField(table, key => key === 'delta.invariants')
  },
  {
    ...writerOnly,
    name: 'checkConstraints',
    always: true,
    legacy: { writer: 3 },
    writing: 'yes',
    used: ({ metadata }) =>
      Object.keys(metadata.configuration).some(key => key.startsWith('delta.constraints.'))
  },
  {
    ...writerOnly,
    name: 'changeDataFeed',
    always: true,
    legacy: { writer: 4 },
    writing: 'yes',
    property: 'delta.enableChangeDataFeed'
  },
  {
    ...writerOnly,
    name: 'generatedColumns',
    always: true,
    legacy: { writer: 4 },
    writing: 'yes',
    used: table => anyField(table, key => key === 'delta.generationExpression')
  },
  {
    name: 'columnMapping',
    always: true,
    readers: true,
    legacy: { writer: 5, reader: 2 },
    reading: 'yes',
    writing: 'yes',
    used: ({ metadata }) => mappingMode(metadata) !== 'none'
  },
  {
    ...writerOnly,
    name: 'identityColumns',
    always: true,
    legacy: { writer: 6 },
    // Values are made from a high-water mark in the schema, so two appends could never run at once.
    writing: 'unused',
    used: table => anyField(table, key => key.startsWith('delta.identity.'))
  },
  {
    ...writerOnly,
    name: 'allowColumnDefaults',
    always: true,
    writing: 'yes',
    used: table => anyField(table, key => key === 'CURRENT_DEFAULT')
  },
  {
    name: 'deletionVectors',
    readers: true,
    reading: 'yes',
    writing: 'yes',
    property: 'delta.enableDeletionVectors'
  },
  {
    name: 'timestampNtz',
    readers: true,
    reading: 'yes',
    writing: 'yes',
    used: table => anyType(table, 'timestamp_ntz')
  },
  { name: 'vacuumProtocolCheck', readers: true, reading: 'yes', writing: 'yes' },
  {
    // Writers may checkpoint in the classic form too.
    name: 'v2Checkpoint',
    readers: true,
    reading: 'yes',
    writing: 'yes',
    used: ({ metadata }) => metadata.configuration['delta.checkpointPolicy']?.toLowerCase() === 'v2'
  },
  {
    name: 'typeWidening',
    readers: true,
    reading: 'yes',
    writing: 'yes',
    property: 'delta.enableTypeWidening'
  },
  { name: 'typeWidening-preview', readers: true, reading: 'yes', writing: 'yes' },
  // Domains are kept through commits and checkpoints, those of other programs too.
  { ...writerOnly, name: 'domainMetadata', writing: 'yes' },
  {
    ...writerOnly,
    name: 'rowTracking',
    writing: 'yes',
    property: 'delta.enableRowTracking',
    requires: ['domainMetadata']
  },
  {
    ...writerOnly,
    name: 'inCommitTimestamp',
    writing: 'yes',
    property: 'delta.enableInCommitTimestamps'
  },
  { ...writerOnly, name: 'clustering', writing: 'yes', requires: ['domainMetadata'] },
  // Rules for a converter to Iceberg that nothing here needs.
  ...(['V1', 'V2', 'V3'] as const).map(version => ({
    ...writerOnly,
    name: `icebergCompat${version}`,
    writing: 'unused' as const,
    property: `delta.enableIcebergCompat${version}`,
    requires: version === 'V3' ? ['columnMapping', 'rowTracking'] : ['columnMapping']
  })),
  // Versions before a certain one must not be checkpointed or cleaned up by just anyone.
  { ...writerOnly, name: 'checkpointProtection', writing: 'no' },
  { ...writerOnly, name: 'materializePartitionColumns', writing: 'no' },
  // Somebody else orders the commits of such a table: a put into its log would be lost.
  { name: 'catalogManaged', readers: true, reading: 'no', writing: 'no' },
  { name: 'catalogOwned-preview', readers: true, reading: 'no', writing: 'no' },
  { ...writerOnly, name: 'coordinatedCommits-preview', writing: 'no' },
  // The table is elsewhere.
  { name: 'redirectReaderWriter-preview', readers: true, reading: 'no', writing: 'no' },
  { ...writerOnly, name: 'redirectWriterOnly-preview', writing: 'no' },
  // Types that the Parquet engine has no counterpart of.
  { name: 'variantType', readers: true, reading: 'no', writing: 'no' },
  { name: 'variantType-preview', readers: true, reading: 'no', writing: 'no' },
  { name: 'variantShredding', readers: true, reading: 'no', writing: 'no' },
  { name: 'variantShredding-preview', readers: true, reading: 'no', writing: 'no' },
  { name: 'geospatial', readers: true, reading: 'no', writing: 'no' }
]

const BY_NAME = new Map(TABLE_FEATURES.map(feature => [feature.name, feature]))

export function featureNamed(name: string): TableFeature | undefined {
  return BY_NAME.get(name)
}

/** Features that writers of the table must know: listed, or implied by a legacy version. */
export function writerFeatures(protocol: ProtocolAction): string[] {
  if (protocol.minWriterVersion >= 7) return [...(protocol.writerFeatures ?? [])]
  return TABLE_FEATURES.filter(
    ({ legacy }) => legacy !== undefined && legacy.writer <= protocol.minWriterVersion
  ).map(feature => feature.name)
}

/** Features that readers of the table must know. */
export function readerFeatures(protocol: ProtocolAction): string[] {
  if (protocol.minReaderVersion >= 3) return [...(protocol.readerFeatures ?? [])]
  return TABLE_FEATURES.filter(
    ({ legacy }) => (legacy?.reader ?? Number.POSITIVE_INFINITY) <= protocol.minReaderVersion
  ).map(feature => feature.name)
}

export function isUsed(feature: TableFeature, table: TableDefinition): boolean {
  if (feature.used !== undefined) return feature.used(table)
  return feature.property !== undefined && booleanProperty(table.metadata, feature.property, false)
}

/** `delta.columnMapping.mode` as the metadata has it. */
export function mappingMode(metadata: MetadataAction): string {
  return metadata.configuration['delta.columnMapping.mode']?.toLowerCase() ?? 'none'
}

function anyField({ fields }: TableDefinition, matches: (key: string) => boolean): boolean {
  for (const field of allFields(fields)) {
    if (Object.keys(field.metadata ?? {}).some(matches)) return true
  }
  return false
}

function anyType({ fields }: TableDefinition, name: string): boolean {
  return JSON.stringify(fields.map(field => field.type)).includes(`"${name}"`)
}
