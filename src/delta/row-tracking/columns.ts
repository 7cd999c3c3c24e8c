/**
 * Row tracking (PROTOCOL.md "Row Tracking"): each row has an id that it keeps when it is changed or moved to
 * another file, and the version in which it was last written. Both follow from the file's action until the
 * row is copied; from then on they are kept in two columns of the file that the schema does not tell of.
 */
import type { MetadataAction, ProtocolAction } from '../actions.ts'
import type { EngineColumn } from '../parquet-engine.ts'
import { writerFeatures } from '../protocol/features.ts'
import { booleanProperty } from '../table-properties.ts'

export const ROW_ID_NAME = 'delta.rowTracking.materializedRowIdColumnName'
export const COMMIT_VERSION_NAME = 'delta.rowTracking.materializedRowCommitVersionColumnName'
export const ROW_TRACKING_DOMAIN = 'delta.rowTracking'

type Definition = { readonly protocol: ProtocolAction; readonly metadata: MetadataAction }

/** Whether new files must be given row ids. */
export function assignsRowIds({ protocol, metadata }: Definition): boolean {
  const suspended = booleanProperty(metadata, 'delta.rowTrackingSuspended', false)
  return writerFeatures(protocol).includes('rowTracking') && !suspended
}

/** Whether rows must keep their ids. */
export function keepsRowIds({ metadata }: { readonly metadata: MetadataAction }): boolean {
  return booleanProperty(metadata, 'delta.enableRowTracking', false)
}

/** The column of row ids, as files have it; undefined where rows need not keep theirs. */
export function rowIdColumn(table: {
  readonly metadata: MetadataAction
}): EngineColumn | undefined {
  return hiddenColumn(table, ROW_ID_NAME, 'rowId')
}

/** Both columns that files of copied rows have beside those of the schema. */
export function trackingColumns(table: { readonly metadata: MetadataAction }): EngineColumn[] {
  const version = hiddenColumn(table, COMMIT_VERSION_NAME, 'commitVersion')
  return [rowIdColumn(table), version].flatMap(column => column ?? [])
}

function hiddenColumn(
  table: { readonly metadata: MetadataAction },
  key: string,
  generated: 'rowId' | 'commitVersion'
): EngineColumn | undefined {
  const name = table.metadata.configuration[key]
  if (!keepsRowIds(table) || name === undefined) return undefined
  return { name, physicalName: name, type: 'long', partition: false, generated }
}
