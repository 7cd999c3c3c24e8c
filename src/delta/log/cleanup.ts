/**
 * Deletes what is expired of a log (PROTOCOL.md "Metadata Cleanup"): commits, checkpoints, checksums and
 * compacted commits before the newest checkpoint that is as old as the retention, so that every version
 * within the retention can still be rebuilt; then sidecars that no checkpoint names. Any number of processes
 * may do it at once, beside readers and writers: nothing that is deleted is of use to who asks for a version
 * within the retention.
 */
import { isPipelineError } from '../../core/index.ts'
import type { MetadataAction, ProtocolAction } from '../actions.ts'
import type { DataFiles } from '../data-files.ts'
import { type LogFile, logDirectory, parseLogName } from '../log-path.ts'
import { readCheckpointState, readCommitInfo, sidecarNames } from '../log-reader.ts'
import type { DeltaPorts } from '../ports.ts'
import { readerFeatures, writerFeatures } from '../protocol/features.ts'
import { sideBySide } from '../side-by-side.ts'
import { booleanProperty, logRetentionMs } from '../table-properties.ts'
import { inCommitTimestampsSince } from './in-commit-timestamps.ts'

const DAY_MS = 86_400_000
const DELETES_AT_ONCE = 8
/** With more checkpoints than this to be read for the sidecars that they name, sidecars are left alone. */
const MOST_CHECKPOINTS = 100

export interface CleanedTable {
  readonly metadata: MetadataAction
  readonly protocol: ProtocolAction
}

interface Entry {
  readonly path: string
  readonly file: Exclude<LogFile, { kind: 'other' }>
}

/** Resolves to the number of files deleted. */
export async function cleanLog(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  { metadata, protocol }: CleanedTable
): Promise<number> {
  if (!booleanProperty(metadata, 'delta.enableExpiredLogCleanup', true)) return 0
  // What lies before a certain version must stay as it is.
  if (writerFeatures(protocol).includes('checkpointProtection')) return 0
  const cutoff = ports.clock.now() - logRetentionMs(metadata)
  const expired = await expiredEntries(ports, data, table, metadata, cutoff)
  const commits = expired.filter(({ file }) => file.kind === 'commit')
  const others = expired.filter(({ file }) => file.kind !== 'commit')
  await sideBySide(others, DELETES_AT_ONCE, ({ path }) => ports.store.delete(path))
  // The oldest first, one by one: who finds a commit and not the next has found the newest version.
  for (const { path } of commits) await ports.store.delete(path)
  const sidecars = readerFeatures(protocol).includes('v2Checkpoint')
    ? await cleanSidecars(ports, data, table)
    : 0
  return expired.length + sidecars
}

/** The names are in the order of versions, and so of time: the listing ends where the retention begins. */
async function expiredEntries(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  metadata: MetadataAction,
  cutoff: number
): Promise<Entry[]> {
  const directory = `${logDirectory(table)}/`
  const old: Entry[] = []
  let newest = -1
  for await (const { path, modifiedAt } of ports.store.list(directory)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind === 'other') continue
    if (file.kind === 'commit') {
      // Nothing is deleted of a store that does not tell when.
      if (modifiedAt > cutoff || modifiedAt <= 0) break
      newest = file.version
    }
    old.push({ path, file })
  }
  newest = await notAfter(ports, table, metadata, newest, cutoff)
  const base = await newestCheckpoint(ports, data, table, old, newest)
  return old.filter(({ file }) =>
    file.kind === 'compaction' ? file.from <= base : file.version < base
  )
}

/** The files of commits that are copied keep no time; what the commits say counts, where they say it. */
async function notAfter(
  ports: DeltaPorts,
  table: string,
  metadata: MetadataAction,
  newest: number,
  cutoff: number
): Promise<number> {
  const since = inCommitTimestampsSince(metadata)
  if (since === undefined) return newest
  for (let version = newest; version >= since.version && version >= 0; version--) {
    const info = await readCommitInfo(ports, table, version)
    if ((info?.inCommitTimestamp ?? Number.POSITIVE_INFINITY) <= cutoff) return version
  }
  return Math.min(newest, since.version - 1)
}

/**
 * The newest version not after the given one that has a checkpoint which can be read; -1 for none. What
 * others would have to be rebuilt from is not deleted on the word of a damaged one.
 */
async function newestCheckpoint(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  old: readonly Entry[],
  newest: number
): Promise<number> {
  const candidates = completeCheckpoints(old)
    .filter(({ version }) => version <= newest)
    .sort((a, b) => b.version - a.version)
  for (const { version, paths } of candidates) {
    // Nothing comes before it.
    if (!old.some(({ file }) => file.version < version)) return -1
    try {
      await readCheckpointState(ports, data, table, version, paths)
      return version
    } catch (error) {
      if (!isPipelineError(error) || error.code !== 'DELTA_LOG_CORRUPT') throw error
      ports.onWarning?.(`The checkpoint of version ${version} is damaged`, error)
    }
  }
  return -1
}

function completeCheckpoints(
  entries: readonly Entry[]
): { readonly version: number; readonly paths: readonly string[] }[] {
  const parts = new Map<string, string[]>()
  return entries.flatMap(({ path, file }) => {
    if (file.kind === 'checkpoint' || file.kind === 'v2Checkpoint') {
      return [{ version: file.version, paths: [path] }]
    }
    if (file.kind !== 'checkpointPart') return []
    const key = `${file.version}/${file.parts}`
    const paths = [...(parts.get(key) ?? []), path]
    parts.set(key, paths)
    return paths.length === file.parts ? [{ version: file.version, paths }] : []
  })
}

/** Those younger than a day may belong to a checkpoint that is being written. */
async function cleanSidecars(ports: DeltaPorts, data: DataFiles, table: string): Promise<number> {
  const directory = `${logDirectory(table)}/`
  const before = ports.clock.now() - DAY_MS
  const old: string[] = []
  for await (const { path, modifiedAt } of ports.store.list(`${directory}_sidecars/`)) {
    if (modifiedAt < before) old.push(path)
  }
  if (old.length === 0) return 0
  const entries: Entry[] = []
  for await (const { path } of ports.store.list(directory)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind !== 'other') entries.push({ path, file })
  }
  const checkpoints = completeCheckpoints(entries)
  if (checkpoints.length > MOST_CHECKPOINTS) return 0
  const named = new Set<string>()
  for (const { paths } of checkpoints) {
    for (const path of await sidecarNames(ports, data, table, paths)) named.add(path)
  }
  const doomed = old.filter(path => !named.has(path))
  await sideBySide(doomed, DELETES_AT_ONCE, path => ports.store.delete(path))
  return doomed.length
}
