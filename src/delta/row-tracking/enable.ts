/** What it takes to turn row tracking on: names for its columns, and ids for the rows that are there. */
import { DeltaError } from '../../core/index.ts'
import type { Action, MetadataAction } from '../actions.ts'
import type { Snapshot } from '../log-state.ts'
import { booleanProperty } from '../table-properties.ts'
import { hasIds } from './assign.ts'
import { COMMIT_VERSION_NAME, keepsRowIds, ROW_ID_NAME } from './columns.ts'

/**
 * The metadata with names for the columns that files of copied rows have, where row tracking is on; they stay
 * for ever. Rejects with `DELTA_PROPERTY_INVALID` while row tracking is suspended.
 */
export function withRowTracking(
  metadata: MetadataAction,
  newId: () => string,
  where: string
): MetadataAction {
  if (!keepsRowIds({ metadata })) return metadata
  if (booleanProperty(metadata, 'delta.rowTrackingSuspended', false)) {
    throw new DeltaError(
      'DELTA_PROPERTY_INVALID',
      `Row tracking of ${where} cannot be on (delta.enableRowTracking) while it is suspended (delta.rowTrackingSuspended)`
    )
  }
  const { configuration } = metadata
  if (configuration[ROW_ID_NAME] !== undefined && configuration[COMMIT_VERSION_NAME] !== undefined)
    return metadata
  const names = {
    [ROW_ID_NAME]: `_row-id-col-${newId()}`,
    [COMMIT_VERSION_NAME]: `_row-commit-version-col-${newId()}`
  }
  return { ...metadata, configuration: { ...names, ...configuration } }
}

/** The files of the table that must be committed again to get row ids, when the metadata turns these on. */
export function filesWithoutIds(snapshot: Snapshot, metadata: MetadataAction): Action[] {
  if (!keepsRowIds({ metadata })) return []
  const adds = [...snapshot.files.values()].filter(add => !hasIds(add))
  return adds.map(add => ({ add: { ...add, dataChange: false } }))
}
