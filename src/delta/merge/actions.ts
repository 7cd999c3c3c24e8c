/** What the commit of a merge says: its files, and what it did. */
import type { Action, AddAction, CdcAction, CommitInfoAction } from '../actions.ts'
import { type Marked, removeOf } from '../deletion-vectors/index.ts'
import type { Decisions } from './decisions.ts'
import type { PreparedFiles } from './write.ts'

/** What becomes of the files of the table. */
export interface FileChanges {
  /** New files, each with those that it takes the place of. */
  readonly written: readonly {
    readonly inputs: readonly { readonly add: AddAction }[]
    /** Undefined when no row was left to write. */
    readonly add: AddAction | undefined
  }[]
  readonly marked: readonly Marked[]
  readonly emptied: readonly AddAction[]
  /** Files of changes; none where readers can tell the changes from the other files. */
  readonly changes?: readonly CdcAction[]
}

/** `now` in milliseconds. */
export function fileActions(prepared: FileChanges, now: number): Action[] {
  const { written, marked, emptied, changes = [] } = prepared
  const adds = written.flatMap(({ add }) => (add === undefined ? [] : [{ add }]))
  const copied = new Set(written.flatMap(file => file.inputs.map(input => input.add)))
  const removes = [...copied, ...emptied].map(add => ({ remove: removeOf(add, now) }))
  const marks = marked.flatMap(({ before, after }) => [
    { remove: removeOf(before, now) },
    { add: after }
  ])
  return [...adds, ...removes, ...marks, ...changes.map(cdc => ({ cdc }))]
}

export interface FileCounts {
  readonly filesAdded: number
  readonly filesRemoved: number
  /** Files that stay with a new deletion vector. */
  readonly filesMarked: number
}

export function countFiles({ written, marked, emptied }: FileChanges): FileCounts {
  const copied = new Set(written.flatMap(file => file.inputs.map(input => input.add)))
  return {
    filesAdded: written.filter(file => file.add !== undefined).length,
    filesRemoved: copied.size + emptied.length,
    filesMarked: marked.length
  }
}

export function mergeInfo(
  sourceRows: number,
  insertOnly: boolean,
  decisions: Decisions,
  prepared: PreparedFiles
): CommitInfoAction {
  const { filesAdded, filesRemoved, filesMarked } = countFiles(prepared)
  const updatedVectors = prepared.marked.filter(
    ({ before }) => before.deletionVector != null
  ).length
  const metrics = {
    numSourceRows: sourceRows,
    numTargetRowsInserted: decisions.inserted,
    numTargetRowsUpdated: decisions.updated,
    numTargetRowsDeleted: decisions.deleted,
    numTargetFilesAdded: filesAdded,
    numTargetFilesRemoved: filesRemoved,
    ...(filesMarked === 0
      ? {}
      : {
          numTargetDeletionVectorsAdded: filesMarked,
          numTargetDeletionVectorsUpdated: updatedVectors
        }),
    ...(prepared.changes.length === 0 ? {} : { numTargetChangeFilesAdded: prepared.changes.length })
  }
  return {
    operation: 'MERGE',
    operationParameters: { insertOnly: String(insertOnly) },
    operationMetrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, String(value)])
    ),
    isolationLevel: 'Serializable',
    isBlindAppend: false
  }
}
