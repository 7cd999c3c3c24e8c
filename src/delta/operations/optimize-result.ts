/** What OPTIMIZE says that it did, to its caller and in the log. */
import type { AddAction, CommitInfoAction } from '../actions.ts'

/** What `optimize` did. */
export interface OptimizeResult {
  /** The newest version that it knows of. */
  readonly version: number
  /** New files. */
  readonly filesAdded: number
  /** Files that they took the place of. */
  readonly filesRemoved: number
  /** Bytes of the new files. */
  readonly bytesAdded: number
  /** Bytes of the files that they took the place of. */
  readonly bytesRemoved: number
  /** Rows that deletion vectors had marked, and that are gone now. */
  readonly rowsPurged: number
  /** Rows that other writers deleted meanwhile, and that vectors of the new files mark. */
  readonly rowsCarried: number
  /** Commits that were given up, since another writer changed the files. */
  readonly lost: number
}

/** What was asked for, as the log says it. */
export interface OptimizeInfo {
  readonly predicate?: readonly string[]
  readonly zOrderBy?: readonly string[]
  readonly clusterBy?: readonly string[]
  readonly full?: boolean
  /** True when nobody asked for it: maintenance. */
  readonly auto?: boolean
}

export function nothingDone(version: number): OptimizeResult {
  return {
    version,
    filesAdded: 0,
    filesRemoved: 0,
    bytesAdded: 0,
    bytesRemoved: 0,
    rowsPurged: 0,
    rowsCarried: 0,
    lost: 0
  }
}

export function withDone(
  result: OptimizeResult,
  done: {
    readonly version: number
    readonly adds: readonly AddAction[]
    readonly removed: readonly AddAction[]
    readonly carried: number
  }
): OptimizeResult {
  const { version, adds, removed, carried } = done
  return {
    ...result,
    version,
    filesAdded: result.filesAdded + adds.length,
    filesRemoved: result.filesRemoved + removed.length,
    bytesAdded: result.bytesAdded + bytesOf(adds),
    bytesRemoved: result.bytesRemoved + bytesOf(removed),
    rowsPurged: result.rowsPurged + deletedRows(removed) - carried,
    rowsCarried: result.rowsCarried + carried
  }
}

export function optimizeInfo(
  { predicate = [], zOrderBy = [], clusterBy = [], full, auto = false }: OptimizeInfo,
  adds: readonly AddAction[],
  removed: readonly AddAction[]
): CommitInfoAction {
  const vectors = removed.filter(add => add.deletionVector != null).length
  return {
    operation: 'OPTIMIZE',
    operationParameters: {
      predicate: JSON.stringify(predicate),
      zOrderBy: JSON.stringify(zOrderBy),
      clusterBy: JSON.stringify(clusterBy),
      auto: String(auto),
      ...(full === undefined ? {} : { isFull: String(full) })
    },
    operationMetrics: {
      numAddedFiles: String(adds.length),
      numRemovedFiles: String(removed.length),
      numAddedBytes: String(bytesOf(adds)),
      numRemovedBytes: String(bytesOf(removed)),
      numDeletionVectorsRemoved: String(vectors)
    },
    isolationLevel: 'SnapshotIsolation',
    isBlindAppend: false
  }
}

function deletedRows(adds: readonly AddAction[]): number {
  return adds.reduce((sum, add) => sum + (add.deletionVector?.cardinality ?? 0), 0)
}

function bytesOf(adds: readonly AddAction[]): number {
  return adds.reduce((sum, add) => sum + add.size, 0)
}
