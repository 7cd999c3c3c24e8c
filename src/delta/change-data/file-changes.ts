/**
 * What a commit says about changed rows: its files of changes where it has any, else the rows of the
 * files that it adds and removes (PROTOCOL.md "Reader Requirements for AddCDCFile"). A file that is
 * removed and added with another deletion vector changed only where the vectors differ.
 */
import type { Action, AddAction, CommitInfoAction, RemoveAction } from '../actions.ts'
import { vectorId } from '../deletion-vectors/index.ts'
import { canonicalPath } from '../paths.ts'
import type { ChangeType } from './columns.ts'

/** The file, as an action names it. */
export type ChangedFile = Pick<AddAction, 'path' | 'deletionVector' | 'stats'> &
  Pick<RemoveAction, 'partitionValues' | 'size'>

export interface FileChange {
  readonly file: ChangedFile
  /** Undefined: each row says it itself. */
  readonly type: ChangeType | undefined
  /** Set: only the rows count that this file's vector marks and the other one's does not. */
  readonly markedNotBy?: ChangedFile
}

export function fileChanges(actions: readonly Action[]): FileChange[] {
  const stored = actions.flatMap(({ cdc }) => (cdc == null ? [] : [cdc]))
  if (stored.length > 0) return stored.map(file => ({ file, type: undefined }))
  const info = actions.find(action => action.commitInfo != null)?.commitInfo
  if (info !== undefined && changedNothing(info)) return []
  const removed = new Map<string, RemoveAction>()
  const changes: FileChange[] = []
  for (const { remove } of actions) {
    if (remove?.dataChange === true) removed.set(canonicalPath(remove.path), remove)
  }
  for (const { add } of actions) {
    if (add?.dataChange !== true) continue
    const path = canonicalPath(add.path)
    const before = removed.get(path)
    removed.delete(path)
    if (before === undefined) changes.push({ file: add, type: 'insert' })
    else changes.push(...vectorChanges(before, add))
  }
  const deletes = [...removed.values()].map(file => ({ file, type: 'delete' }) as const)
  return [...deletes, ...changes]
}

function vectorChanges(before: RemoveAction, after: AddAction): FileChange[] {
  const [old, now] = [before.deletionVector, after.deletionVector]
  if (old == null && now == null) return []
  if (old != null && now != null && vectorId(old) === vectorId(now)) return []
  // Both are of the same file; the action added tells all about it.
  const earlier: ChangedFile = { ...after, deletionVector: old ?? null }
  const changes: FileChange[] = []
  if (now != null) changes.push({ file: after, type: 'delete', markedNotBy: earlier })
  if (old != null) changes.push({ file: earlier, type: 'insert', markedNotBy: after })
  return changes
}

/** Spark's merges may rewrite files and change nothing, and leave it to readers to find that out. */
function changedNothing({ operation, operationMetrics }: CommitInfoAction): boolean {
  const rows = ['numTargetRowsInserted', 'numTargetRowsUpdated', 'numTargetRowsDeleted']
  return operation === 'MERGE' && rows.every(name => operationMetrics?.[name] === '0')
}
