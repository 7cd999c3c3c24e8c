/** The actions of files whose rows are deleted by vectors. */
import { parseExactJson, stringifyJson } from '../../core/index.ts'
import type {
  Action,
  AddAction,
  DeletionVectorDescriptor,
  MetadataAction,
  ProtocolAction,
  RemoveAction
} from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { booleanProperty } from '../table-properties.ts'

/** Whether the table wants rows to be deleted by vectors; without, files are rewritten. */
export function writesVectors(table: {
  readonly protocol: ProtocolAction
  readonly metadata: MetadataAction
}): boolean {
  const supported = table.protocol.writerFeatures?.includes('deletionVectors') === true
  return supported && booleanProperty(table.metadata, 'delta.enableDeletionVectors', false)
}

/** The tombstone of a file as the snapshot has it, with its vector. `now` in milliseconds. */
export function removeOf(add: AddAction, now: number, dataChange = true): RemoveAction {
  const { path, partitionValues, size, tags, deletionVector } = add
  const { numRecords } = statsOf(add)
  return {
    path,
    deletionTimestamp: now,
    dataChange,
    extendedFileMetadata: true,
    partitionValues,
    size,
    ...(numRecords === undefined ? {} : { stats: stringifyJson({ numRecords }) }),
    ...(tags == null ? {} : { tags }),
    ...(deletionVector == null ? {} : { deletionVector }),
    ...(add.baseRowId == null ? {} : { baseRowId: add.baseRowId }),
    ...(add.defaultRowCommitVersion == null
      ? {}
      : { defaultRowCommitVersion: add.defaultRowCommitVersion })
  }
}

/**
 * The file with another vector. Its statistics then bound what is left, but need not be met by it;
 * `numRecords`, which a file with a vector must have, is given when the file's own lack it.
 */
export function addWithVector(
  add: AddAction,
  deletionVector: DeletionVectorDescriptor,
  numRecords?: number
): AddAction {
  const parsed = add.stats == null || add.stats === '' ? {} : (parseExactJson(add.stats) as object)
  const counted = numRecords === undefined ? {} : { numRecords }
  const stats = stringifyJson({ ...counted, ...parsed, tightBounds: false })
  return { ...add, dataChange: true, stats, deletionVector }
}

/** What replaces a file by itself with more rows deleted. */
export function vectorActions(
  add: AddAction,
  deletionVector: DeletionVectorDescriptor,
  now: number,
  numRecords?: number
): Action[] {
  return [{ remove: removeOf(add, now) }, { add: addWithVector(add, deletionVector, numRecords) }]
}
