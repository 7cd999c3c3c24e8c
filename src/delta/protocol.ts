/**
 * Which tables this engine may read and write (PROTOCOL.md "Table Features"). A table that needs
 * more is refused with the features named; protocol/features.ts and docs/delta-protocol.md list them.
 */
import { DeltaError } from '../core/index.ts'
import type { MetadataAction, ProtocolAction } from './actions.ts'
import {
  featureNamed,
  isUsed,
  mappingMode,
  readerFeatures,
  TABLE_FEATURES,
  type TableDefinition,
  writerFeatures
} from './protocol/features.ts'
import { allFields, isWhollyMapped } from './schema.ts'
import { booleanProperty } from './table-properties.ts'

export interface ProtocolState extends TableDefinition {
  readonly protocol: ProtocolAction
}

/** Rejects with `DELTA_UNSUPPORTED` when the table cannot be read rightly. */
export function assertReadable(state: ProtocolState, where: string): void {
  const { protocol, metadata } = state
  const needed: string[] = []
  if (protocol.minReaderVersion > 3) needed.push(`reader version ${protocol.minReaderVersion}`)
  needed.push(...missing(state, readerFeatures(protocol), 'reading'))
  const provider = metadata.format?.provider ?? 'parquet'
  if (provider !== 'parquet') needed.push(`file format ${provider}`)
  if (needed.length > 0) throw refused(where, 'read', needed)
}

/**
 * Rejects with `DELTA_UNSUPPORTED` when our commits would break a promise of the table, and
 * with `DELTA_LOG_CORRUPT` when its columns are mapped in part.
 */
export function assertWritable(state: ProtocolState, where: string): void {
  assertReadable(state, where)
  const { protocol } = state
  const needed: string[] = []
  if (protocol.minWriterVersion > 7) needed.push(`writer version ${protocol.minWriterVersion}`)
  needed.push(...missing(state, writerFeatures(protocol), 'writing'))
  if (needed.length > 0) throw refused(where, 'written', needed)
  assertWhollyMapped(state, where)
}

/** Files of a table that maps its columns could not be written without ids and physical names. */
function assertWhollyMapped({ metadata, fields }: ProtocolState, where: string): void {
  if (mappingMode(metadata) === 'none') return
  const field = [...allFields(fields)].find(one => !isWhollyMapped(one))
  if (field === undefined) return
  throw new DeltaError(
    'DELTA_LOG_CORRUPT',
    `${where} maps its columns, but its schema has no id or no physical name for ${field.name}`
  )
}

/** `delta.appendOnly` tables take new rows, never changed ones. */
export function isAppendOnly(metadata: MetadataAction): boolean {
  return booleanProperty(metadata, 'delta.appendOnly', false)
}

function missing(
  state: ProtocolState,
  listed: readonly string[],
  purpose: 'reading' | 'writing'
): string[] {
  const names = new Set(listed)
  for (const feature of TABLE_FEATURES) {
    if (feature.always === true && isUsed(feature, state)) names.add(feature.name)
  }
  return [...names].filter(name => {
    const feature = featureNamed(name)
    if (feature === undefined) return true
    const support = feature[purpose]
    return support === 'no' || (support === 'unused' && isUsed(feature, state))
  })
}

function refused(where: string, verb: string, features: readonly string[]): DeltaError {
  return new DeltaError(
    'DELTA_UNSUPPORTED',
    `${where} cannot be ${verb}: it needs ${features.join(', ')}, which this engine does not support`,
    { details: { features: features.join(',') } }
  )
}
