/**
 * Which tables this engine may read and write (PROTOCOL.md "Table Features"). A table that needs
 * more is refused with the features named; docs/delta-protocol.md lists them.
 */
import { DeltaError } from '../core/index.ts'
import type { MetadataAction, ProtocolAction } from './actions.ts'
import { allFields, type SchemaField } from './schema.ts'
import { booleanProperty } from './table-properties.ts'

/** What we create: open to every reader and writer. */
export const DEFAULT_PROTOCOL: ProtocolAction = { minReaderVersion: 1, minWriterVersion: 2 }

const READER_FEATURES = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck'
])
/** Writer features that ask nothing of an engine that appends and merges, or that are obeyed. */
const WRITER_FEATURES = new Set([
  'appendOnly',
  'invariants',
  'checkConstraints',
  'generatedColumns',
  'changeDataFeed',
  'identityColumns',
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'vacuumProtocolCheck',
  'allowColumnDefaults'
])

export interface ProtocolState {
  readonly protocol: ProtocolAction
  readonly metadata: MetadataAction
  readonly fields: readonly SchemaField[]
}

/** Rejects with `DELTA_UNSUPPORTED` when the table cannot be read rightly. */
export function assertReadable(state: ProtocolState, where: string): void {
  const { protocol, metadata } = state
  const needed: string[] = []
  if (protocol.minReaderVersion > 3) needed.push(`reader version ${protocol.minReaderVersion}`)
  if (protocol.minReaderVersion === 3) {
    needed.push(...(protocol.readerFeatures ?? []).filter(name => !READER_FEATURES.has(name)))
  }
  const provider = metadata.format?.provider ?? 'parquet'
  if (provider !== 'parquet') needed.push(`file format ${provider}`)
  if (needed.length > 0) throw refused(where, 'read', needed)
}

/** Rejects with `DELTA_UNSUPPORTED` when our commits would break a promise of the table. */
export function assertWritable(state: ProtocolState, where: string): void {
  assertReadable(state, where)
  const { protocol, metadata, fields } = state
  const needed: string[] = []
  if (protocol.minWriterVersion > 7) needed.push(`writer version ${protocol.minWriterVersion}`)
  if (protocol.minWriterVersion === 7) {
    needed.push(...(protocol.writerFeatures ?? []).filter(name => !WRITER_FEATURES.has(name)))
  }
  needed.push(...usedFeatures(metadata, fields))
  const mode = metadata.configuration['delta.columnMapping.mode'] ?? 'none'
  if (mode !== 'none') needed.push('columnMapping')
  if (needed.length > 0) throw refused(where, 'written', needed)
}

/** `delta.appendOnly` tables take new rows, never changed ones. */
export function isAppendOnly(metadata: MetadataAction): boolean {
  return booleanProperty(metadata, 'delta.appendOnly', false)
}

/** Legacy writer versions imply features; only those in use oblige the writer. */
function usedFeatures(metadata: MetadataAction, fields: readonly SchemaField[]): string[] {
  const used = new Set<string>()
  const { configuration } = metadata
  if (Object.keys(configuration).some(key => key.startsWith('delta.constraints.'))) {
    used.add('checkConstraints')
  }
  if (booleanProperty(metadata, 'delta.enableChangeDataFeed', false)) used.add('changeDataFeed')
  for (const field of allFields(fields)) {
    const keys = Object.keys(field.metadata ?? {})
    if (keys.includes('delta.invariants')) used.add('invariants')
    if (keys.includes('delta.generationExpression')) used.add('generatedColumns')
    if (keys.some(key => key.startsWith('delta.identity.'))) used.add('identityColumns')
    if (keys.includes('CURRENT_DEFAULT')) used.add('allowColumnDefaults')
  }
  return [...used]
}

function refused(where: string, verb: string, features: readonly string[]): DeltaError {
  return new DeltaError(
    'DELTA_UNSUPPORTED',
    `${where} cannot be ${verb}: it needs ${features.join(', ')}, which this engine does not support`,
    { details: { features: features.join(',') } }
  )
}
