/**
 * VACUUM: deletes files that no version within the retention refers to (PROTOCOL.md "Vacuum Protocol
 * Check", "Delta Table Properties"). What is young stays, whoever wrote it: another writer may be about to
 * commit it.
 */
import { DeltaError } from '../../core/index.ts'
import type { AddAction, RemoveAction } from '../actions.ts'
import { vectorPath } from '../deletion-vectors/index.ts'
import type { Snapshot } from '../log-state.ts'
import { sideBySide } from '../side-by-side.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { deletedFileRetentionMs } from '../table-properties.ts'

/** Options of `vacuum`. */
export interface VacuumOptions {
  /** Milliseconds; by default the table's `delta.deletedFileRetentionDuration`, a week. */
  readonly retentionMs?: number
  /** Deletes nothing. */
  readonly dryRun?: boolean
  /** Allows a shorter retention than the table's. */
  readonly force?: boolean
  /** Ends the work between two files. */
  readonly signal?: AbortSignal
}

/** What a vacuum did, or would do. */
export interface VacuumResult {
  /** Paths below the table. */
  readonly files: readonly string[]
  /** Bytes of the files. */
  readonly bytes: number
  /** The retention in use, in milliseconds. */
  readonly retentionMs: number
  /** Whether nothing was deleted because a dry run was asked for. */
  readonly dryRun: boolean
}

const DELETES_AT_ONCE = 16

/** Rejects with `DELTA_RETENTION` when the retention would endanger readers or cannot be kept. */
export async function vacuumTable(
  log: TableLog,
  options: VacuumOptions = {}
): Promise<VacuumResult> {
  const snapshot = await log.refresh()
  log.assertWritable(snapshot)
  const retentionMs = checkedRetention(log, snapshot, options)
  const before = log.ports.clock.now() - retentionMs
  const kept = keptPaths(log, snapshot, before)
  const prefix = log.path === '' ? '' : `${log.path}/`
  const doomed: { path: string; size: number }[] = []
  for await (const { path, size, modifiedAt } of log.ports.store.list(prefix)) {
    if (kept.has(path) || modifiedAt >= before) continue
    if (!isHidden(path.slice(prefix.length), snapshot)) doomed.push({ path, size })
  }
  if (options.dryRun !== true) {
    const { store } = log.ports
    await sideBySide(doomed, DELETES_AT_ONCE, ({ path }) => store.delete(path), options.signal)
  }
  return {
    files: doomed.map(({ path }) => path.slice(prefix.length)),
    bytes: doomed.reduce((sum, { size }) => sum + size, 0),
    retentionMs,
    dryRun: options.dryRun === true
  }
}

function checkedRetention(log: TableLog, snapshot: Snapshot, options: VacuumOptions): number {
  const own = deletedFileRetentionMs(snapshot.metadata)
  const asked = options.retentionMs ?? own
  const hours = (ms: number): string => `${Math.round(ms / 36_000) / 100} hours`
  if (asked < own && options.force !== true) {
    throw new DeltaError(
      'DELTA_RETENTION',
      `${log.where} keeps removed files for ${hours(own)}; with ${hours(asked)} readers of older versions, and ` +
        'writers at work, may lose files. Force it if there are none'
    )
  }
  if (asked > own) {
    throw new DeltaError(
      'DELTA_RETENTION',
      `The log of ${log.where} remembers removed files for ${hours(own)} only, not ${hours(asked)}; set ` +
        'delta.deletedFileRetentionDuration first'
    )
  }
  return asked
}

function keptPaths(log: TableLog, snapshot: Snapshot, before: number): Set<string> {
  const kept = new Set<string>()
  const keep = (file: AddAction | RemoveAction): void => {
    kept.add(objectPath(log.path, file))
    if (file.deletionVector == null) return
    const vector = vectorPath(log.path, file.deletionVector)
    if (vector !== undefined) kept.add(vector)
  }
  for (const add of snapshot.files.values()) keep(add)
  for (const remove of log.tombstones()) {
    if ((remove.deletionTimestamp ?? 0) >= before) keep(remove)
  }
  return kept
}

/** Names that begin with `_` or `.` belong to engines and tools, apart from partitions and changes. */
function isHidden(path: string, snapshot: Snapshot): boolean {
  const partitions = snapshot.metadata.partitionColumns
  return path.split('/').some(name => {
    if (name.startsWith('_change_data')) return false
    if (partitions.some(column => name.startsWith(`${column}=`))) return false
    return name.startsWith('_') || name.startsWith('.')
  })
}
