/** What the commit of a delete or update by condition says of itself, in the names that Spark uses. */
import type { CommitInfoAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { countFiles } from '../merge/actions.ts'
import type { Change } from './change.ts'
import type { PreparedFiles } from './files.ts'

export function changeInfo(
  { operation, where }: Change,
  rows: number,
  prepared: PreparedFiles,
  times: { readonly scanMs: number; readonly rewriteMs: number }
): CommitInfoAction {
  const { written, marked, emptied } = prepared
  const { filesAdded, filesRemoved, filesMarked } = countFiles(prepared)
  const added = written.flatMap(({ add }) => add ?? [])
  const removed = [...written.flatMap(file => file.inputs.map(input => input.add)), ...emptied]
  const writtenRows = added.reduce((sum, add) => sum + Number(statsOf(add).numRecords ?? 0), 0)
  const updated = marked.filter(({ before }) => before.deletionVector != null).length
  const dropped = removed.filter(add => add.deletionVector != null).length
  const metrics = {
    numRemovedFiles: filesRemoved,
    numAddedFiles: filesAdded,
    numRemovedBytes: removed.reduce((sum, add) => sum + add.size, 0),
    numAddedBytes: added.reduce((sum, add) => sum + add.size, 0),
    ...(operation === 'DELETE' ? { numDeletedRows: rows } : { numUpdatedRows: rows }),
    numCopiedRows: operation === 'DELETE' ? writtenRows : writtenRows - rows,
    numAddedChangeFiles: prepared.changes.length,
    numDeletionVectorsAdded: filesMarked,
    numDeletionVectorsUpdated: updated,
    numDeletionVectorsRemoved: dropped + updated,
    executionTimeMs: times.scanMs + times.rewriteMs,
    scanTimeMs: times.scanMs,
    rewriteTimeMs: times.rewriteMs
  }
  return {
    operation,
    operationParameters: { predicate: JSON.stringify(where === undefined ? [] : [where]) },
    operationMetrics: Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, String(value)])
    ),
    isolationLevel: 'Serializable',
    isBlindAppend: false
  }
}
