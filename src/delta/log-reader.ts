/** Loads the state of a table from its log, and follows the log cheaply once it is loaded. */
import { DeltaError, isPipelineError } from '../core/index.ts'
import {
  type Action,
  assertActions,
  type CommitInfoAction,
  parseAction,
  parseCommit
} from './actions.ts'
import type { DataFiles, Lease } from './data-files.ts'
import { readLastCheckpoint } from './log/last-checkpoint.ts'
import { isReconciled } from './log/reconciled.ts'
import { commitPath, sidecarPath } from './log-path.ts'
import { findLogSegment, type LogSegment, type SegmentCommit } from './log-segment.ts'
import { LogState } from './log-state.ts'
import type { DeltaPorts } from './ports.ts'

/** Commit files read at a time. */
const READ_AHEAD = 32
/** Commits that are asked for by name after the checkpoint of the hint: at first, and in all. */
const FIRST_PROBES = 8
const MOST_PROBES = 64

/** What is asked of a log. */
interface Source {
  readonly ports: DeltaPorts
  readonly data: DataFiles
  readonly table: string
  /** For messages. */
  readonly where: string
  /** Commits that have been read. */
  readonly known: Map<number, readonly Action[]>
}

/** The state at a version, by default the newest; undefined when the log is proven absent. */
export async function loadState(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  version?: number
): Promise<LogState | undefined> {
  const source = sourceOf(ports, data, table)
  const state = version === undefined ? await loadByHint(source) : undefined
  if (state !== undefined) return state
  try {
    return await loadByListing(source, version)
  } catch (error) {
    if (!isPipelineError(error) || error.code !== 'STORAGE_NOT_FOUND') throw error
    // Somebody cleaned the log after it was listed.
    return await loadByListing(source, version)
  }
}

/**
 * The newest state from the checkpoint that `_last_checkpoint` names and the commits after it, asked for by
 * name: a log of many files need not be listed. Undefined when the hint is of no use, or so old that there
 * may be a better checkpoint.
 */
async function loadByHint(source: Source): Promise<LogState | undefined> {
  const { ports, table } = source
  const hint = await readLastCheckpoint(ports.store, table)
  if (hint === undefined || hint.paths.length === 0) return undefined
  const [state, own, newest] = await Promise.all([
    readCheckpoint(source, hint.version, hint.paths).catch((error: unknown) => {
      if (isPipelineError(error) && /^(DELTA_LOG_CORRUPT|STORAGE_NOT_FOUND)$/.test(error.code)) {
        return undefined
      }
      throw error
    }),
    readCommitIfThere(ports, table, hint.version),
    probe(source, hint.version)
  ])
  if (state === undefined || newest === undefined) return undefined
  // Logs are cleaned from the oldest version on. If this one is there, those after it have not been deleted.
  if (own === undefined) return undefined
  state.apply(
    hint.version,
    own.filter(action => action.commitInfo != null)
  )
  for (let next = hint.version + 1; next <= newest; next++) {
    state.apply(next, source.known.get(next) ?? [])
  }
  return state
}

/**
 * Reads the commits after the version; resolves to the newest. Undefined when there are very many, or when one
 * is missing before others that are there: then the whole log must be looked at.
 */
async function probe({ ports, table, known }: Source, after: number): Promise<number | undefined> {
  let count = FIRST_PROBES
  for (let next = after + 1; next <= after + MOST_PROBES; count = Math.min(count * 2, READ_AHEAD)) {
    const versions = Array.from({ length: count }, (_, index) => next + index)
    const read = await Promise.all(versions.map(one => readCommitIfThere(ports, table, one)))
    const missing = read.indexOf(undefined)
    if (missing !== -1 && read.some((actions, index) => index > missing && actions !== undefined)) {
      return undefined
    }
    for (const actions of read.slice(0, missing === -1 ? count : missing)) {
      known.set(next++, actions ?? [])
    }
    // The last one to be missing tells nothing of those after it.
    if (missing !== -1 && missing < count - 1) return next - 1
  }
  return undefined
}

async function loadByListing(
  source: Source,
  version: number | undefined,
  compactions = true
): Promise<LogState | undefined> {
  const { ports, table } = source
  const segment = await findLogSegment(ports.store, table, { version, compactions })
  if (segment === undefined) return undefined
  const base = await baseOf(source, segment, version, compactions)
  try {
    const { state } = base
    for await (const { commit, actions } of readAhead(source, base.commits)) {
      if (commit.from !== undefined && !isReconciled(actions)) {
        throw new DeltaError('DELTA_LOG_CORRUPT', `${commit.path} says of one thing several`)
      }
      state.apply(commit.version, actions)
    }
    if (base.commits.length === 0) {
      // A checkpoint does not say when its version was committed.
      const own = await readCommitIfThere(ports, table, state.version)
      state.apply(state.version, own?.filter(action => action.commitInfo != null) ?? [])
    }
    return state
  } catch (error) {
    // The commits that a compaction stands for say the same.
    const compacted = base.commits.some(commit => commit.from !== undefined)
    if (!compacted || !isPipelineError(error) || error.code !== 'DELTA_LOG_CORRUPT') throw error
    return await loadByListing(source, version, false)
  }
}

/** The commits in their order, several of them read at a time. */
async function* readAhead(
  source: Source,
  commits: readonly SegmentCommit[]
): AsyncGenerator<{ commit: SegmentCommit; actions: readonly Action[] }> {
  const { ports, known } = source
  const reading: Promise<readonly Action[]>[] = []
  const begin = (at: number): void => {
    const commit = commits[at]
    if (commit === undefined) return
    const read = known.get(commit.from === undefined ? commit.version : -1)
    const promise = read === undefined ? readCommit(ports, commit.path) : Promise.resolve(read)
    // One that fails is told of in its turn.
    promise.catch(() => undefined)
    reading[at] = promise
  }
  for (let at = 0; at < READ_AHEAD; at++) begin(at)
  for (const [at, commit] of commits.entries()) {
    const actions = (await reading[at]) ?? []
    delete reading[at]
    begin(at + READ_AHEAD)
    yield { commit, actions }
  }
}

/** The state of the newest checkpoint that can be read, and the commits after it. */
async function baseOf(
  source: Source,
  newest: LogSegment,
  version: number | undefined,
  compactions: boolean
): Promise<{ state: LogState; commits: LogSegment['commits'] }> {
  const { ports, table, where } = source
  let damage: unknown
  let segment = newest
  for (;;) {
    const { checkpoint, commits } = segment
    if (checkpoint === undefined) return { state: new LogState(where), commits }
    for (const paths of [checkpoint.paths, ...checkpoint.others]) {
      try {
        return { state: await readCheckpoint(source, checkpoint.version, paths), commits }
      } catch (error) {
        if (!isPipelineError(error) || error.code !== 'DELTA_LOG_CORRUPT') throw error
        ports.onWarning?.(
          `The checkpoint of version ${checkpoint.version} of ${where} is damaged`,
          error
        )
        damage ??= error
      }
    }
    // What came before it says the same, where that is still there.
    const below = checkpoint.version
    const options = { version, below, compactions }
    const older = await findLogSegment(ports.store, table, options).catch(() => undefined)
    if (older === undefined) throw damage
    segment = older
  }
}

/** Applies the commits that are newer than the state, one probe each. */
export async function followLog(ports: DeltaPorts, table: string, state: LogState): Promise<void> {
  for (;;) {
    const next = state.version + 1
    const actions = await readCommitIfThere(ports, table, next)
    if (actions === undefined) return
    // Two followers of one state may race; the first one to get here applies the commit.
    if (state.version === next - 1) state.apply(next, actions)
  }
}

/** The actions of a version, or undefined when there is no such commit yet. */
export async function readCommitIfThere(
  ports: DeltaPorts,
  table: string,
  version: number
): Promise<Action[] | undefined> {
  try {
    return await readCommit(ports, commitPath(table, version))
  } catch (error) {
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
}

/** What a commit says of itself, without the rest of its actions; undefined when there is no such commit. */
export async function readCommitInfo(
  ports: DeltaPorts,
  table: string,
  version: number
): Promise<CommitInfoAction | undefined> {
  const path = commitPath(table, version)
  const where = `${ports.store.root}/${path}`
  try {
    const text = textOf(await ports.store.get(path), where)
    for (const line of text.split('\n')) {
      const { commitInfo } = line.includes('"commitInfo"') ? parseAction(line, where) : {}
      if (commitInfo != null) return commitInfo
    }
    return {}
  } catch (error) {
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
}

async function readCommit(ports: DeltaPorts, path: string): Promise<Action[]> {
  const where = `${ports.store.root}/${path}`
  return parseCommit(textOf(await ports.store.get(path), where), where)
}

function textOf(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${where} is not UTF-8`, { cause: error })
  }
}

/** The state that a checkpoint and its sidecars hold (PROTOCOL.md "V2 Spec"). */
async function readCheckpoint(
  source: Source,
  version: number,
  paths: readonly string[]
): Promise<LogState> {
  const actions = await checkpointRows(source, paths)
  const sidecars = sidecarsOf(source.table, actions)
  const files = sidecars.length === 0 ? [] : await readParquet(source, sidecars)
  const state = new LogState(source.where)
  state.applyCheckpoint(version, [...actions, ...files])
  return state
}

/** The rows of the checkpoint itself. */
async function checkpointRows(
  source: Source,
  paths: readonly string[]
): Promise<readonly Action[]> {
  const [path = ''] = paths
  if (!path.endsWith('.json')) return await readParquet(source, paths)
  try {
    return await readCommit(source.ports, path)
  } catch (error) {
    if (!isPipelineError(error) || error.code !== 'STORAGE_NOT_FOUND') throw error
    throw new DeltaError('DELTA_LOG_CORRUPT', `The checkpoint ${path} is gone`, { cause: error })
  }
}

function sidecarsOf(table: string, actions: readonly Action[]): string[] {
  return actions.flatMap(({ sidecar }) =>
    sidecar == null ? [] : [sidecarPath(table, sidecar.path)]
  )
}

/** The state of a checkpoint for itself. Rejects with `DELTA_LOG_CORRUPT` when it is not whole. */
export async function readCheckpointState(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  version: number,
  paths: readonly string[]
): Promise<LogState> {
  const state = await readCheckpoint(sourceOf(ports, data, table), version, paths)
  state.snapshot()
  return state
}

/** Paths of the sidecars that a checkpoint names. */
export async function sidecarNames(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  paths: readonly string[]
): Promise<string[]> {
  return sidecarsOf(table, await checkpointRows(sourceOf(ports, data, table), paths))
}

function sourceOf(ports: DeltaPorts, data: DataFiles, table: string): Source {
  return { ports, data, table, where: `${ports.store.root}/${table}`, known: new Map() }
}

async function readParquet(source: Source, paths: readonly string[]): Promise<readonly Action[]> {
  const { ports, data } = source
  const leases: Lease[] = []
  try {
    for (const path of paths) leases.push(await data.lease(path))
    const rows = await ports.engine.readCheckpoint(leases.map(lease => lease.localPath))
    return assertActions(rows, `${ports.store.root}/${paths[0]}`)
  } catch (error) {
    const other = isPipelineError(error) && error.code !== 'DELTA_DATA_CORRUPT'
    if (other && error.code !== 'STORAGE_NOT_FOUND') throw error
    throw new DeltaError('DELTA_LOG_CORRUPT', `The checkpoint ${paths[0]} cannot be read`, {
      cause: error
    })
  } finally {
    for (const lease of leases) lease.release()
  }
}
