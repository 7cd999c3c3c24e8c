/** Which versions are asked for, and their commits with their times. */
import { DeltaError, isPipelineError } from '../../core/index.ts'
import type { Action } from '../actions.ts'
import { commitPath, logDirectory, parseLogName } from '../log-path.ts'
import { readCommitIfThere } from '../log-reader.ts'
import type { TableLog } from '../table-log.ts'

/** Of which versions the changes are wanted. A beginning is needed, as a version or a time. */
export interface ChangesRange {
  /** The first version whose changes are wanted. */
  readonly fromVersion?: number
  /** Milliseconds since the epoch: from the first version at this time or later. */
  readonly fromTimestamp?: number
  /** The last version; the newest by default. */
  readonly toVersion?: number
  /** Milliseconds since the epoch: to the last version at this time or earlier. */
  readonly toTimestamp?: number
}

/** Both ends belong to it; `to` below `from` when nothing does. */
export interface VersionRange {
  readonly from: number
  readonly to: number
}

export interface Commit {
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly actions: readonly Action[]
}

/** Commit files read at a time. */
const READ_AHEAD = 16

/**
 * Rejects with `DELTA_QUERY_INVALID` when the beginning is not said, or an end is said twice, and with
 * `DELTA_VERSION_NOT_FOUND` when the log has no such versions. The version after the newest is no error
 * as a beginning: there is nothing new.
 */
export async function versionRange(
  log: TableLog,
  newest: number,
  range: ChangesRange
): Promise<VersionRange> {
  assertRange(log, range)
  const { fromVersion, fromTimestamp, toVersion, toTimestamp } = range
  const from = fromVersion ?? (await firstVersionAt(log, newest, fromTimestamp ?? 0))
  const to =
    toTimestamp === undefined
      ? (toVersion ?? newest)
      : (await firstVersionAt(log, newest, toTimestamp + 1)) - 1
  const missing = [from - 1, to].find(version => version > newest)
  if (missing !== undefined) {
    throw new DeltaError(
      'DELTA_VERSION_NOT_FOUND',
      `${log.where} has no version ${missing === to ? to : from}: the newest is ${newest}`
    )
  }
  return { from, to }
}

function assertRange(log: TableLog, range: ChangesRange): void {
  const { fromVersion, fromTimestamp, toVersion, toTimestamp } = range
  const invalid = (why: string): DeltaError =>
    new DeltaError('DELTA_QUERY_INVALID', `Changes of ${log.where}: ${why}`)
  if ((fromVersion === undefined) === (fromTimestamp === undefined)) {
    throw invalid('give either the version or the time that they begin with')
  }
  if (toVersion !== undefined && toTimestamp !== undefined) {
    throw invalid('give either the version or the time that they end with')
  }
  for (const version of [fromVersion, toVersion]) {
    if (version !== undefined && !(Number.isSafeInteger(version) && version >= 0)) {
      throw invalid(`${version} is no version`)
    }
  }
  for (const time of [fromTimestamp, toTimestamp]) {
    if (time !== undefined && !Number.isFinite(time)) throw invalid(`${time} is no time`)
  }
  if (fromVersion !== undefined && toVersion !== undefined && toVersion < fromVersion) {
    throw invalid(`version ${toVersion} comes before version ${fromVersion}`)
  }
  if (fromTimestamp !== undefined && toTimestamp !== undefined && toTimestamp < fromTimestamp) {
    throw invalid('the end comes before the beginning')
  }
}

/** The first version whose time is not before the given one; the one after the newest if none is. */
async function firstVersionAt(log: TableLog, newest: number, timestamp: number): Promise<number> {
  let low = await oldestCommit(log, newest)
  let high = newest + 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((await commitOf(log, middle)).timestamp < timestamp) low = middle + 1
    else high = middle
  }
  return low
}

/** The oldest version whose commit, and those of all later ones, are still there. */
async function oldestCommit(log: TableLog, newest: number): Promise<number> {
  const directory = `${logDirectory(log.path)}/`
  const versions = new Set<number>()
  for await (const { path } of log.ports.store.list(directory)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind === 'commit') versions.add(file.version)
  }
  let oldest = newest
  while (versions.has(oldest - 1)) oldest--
  return oldest
}

/** The commits of the range in order. Rejects with `DELTA_VERSION_NOT_FOUND` where one is gone. */
export async function* commitsOf(
  log: TableLog,
  { from, to }: VersionRange
): AsyncGenerator<Commit> {
  for (let first = from; first <= to; first += READ_AHEAD) {
    const count = Math.min(READ_AHEAD, to - first + 1)
    const versions = Array.from({ length: count }, (_, index) => first + index)
    yield* await Promise.all(versions.map(version => commitOf(log, version)))
  }
}

async function commitOf(log: TableLog, version: number): Promise<Commit> {
  const actions = await readCommitIfThere(log.ports, log.path, version)
  if (actions === undefined) throw gone(log, version)
  return { version, timestamp: await timeOf(log, version, actions), actions }
}

function gone(log: TableLog, version: number): DeltaError {
  return new DeltaError(
    'DELTA_VERSION_NOT_FOUND',
    `The changes of version ${version} of ${log.where} cannot be read: its commit has been cleaned up`
  )
}

/** The time in the commit, else that of its file (PROTOCOL.md "Reader Requirements for AddCDCFile"). */
async function timeOf(log: TableLog, version: number, actions: readonly Action[]): Promise<number> {
  const info = actions.find(action => action.commitInfo != null)?.commitInfo
  if (info?.inCommitTimestamp != null) return Number(info.inCommitTimestamp)
  const path = commitPath(log.path, version)
  const object = await log.ports.store.head(path).catch((error: unknown) => {
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  })
  if (object === undefined) throw gone(log, version)
  return Math.trunc(object.modifiedAt)
}
