/** Loads the state of a table from its log, and follows the log cheaply once it is loaded. */
import { DeltaError, isPipelineError } from '../core/index.ts'
import { type Action, parseCommit } from './actions.ts'
import type { DataFiles, Lease } from './data-files.ts'
import { commitPath, sidecarPath } from './log-path.ts'
import { findLogSegment, type LogSegment } from './log-segment.ts'
import { LogState } from './log-state.ts'
import type { DeltaPorts } from './ports.ts'

/** Commit files read at a time. */
const READ_AHEAD = 16

/** The state at a version, by default the newest; undefined when the log is proven absent. */
export async function loadState(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  version?: number
): Promise<LogState | undefined> {
  const segment = await findLogSegment(ports.store, table, version)
  if (segment === undefined) return undefined
  const { state, commits } = await baseOf(ports, data, table, segment, version)
  for (let i = 0; i < commits.length; i += READ_AHEAD) {
    const batch = commits.slice(i, i + READ_AHEAD)
    const read = await Promise.all(batch.map(commit => readCommit(ports, commit.path)))
    read.forEach((actions, index) => {
      state.apply(batch[index]?.version ?? 0, actions)
    })
  }
  return state
}

/** The state of the newest checkpoint that can be read, and the commits after it. */
async function baseOf(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  newest: LogSegment,
  version: number | undefined
): Promise<{ state: LogState; commits: LogSegment['commits'] }> {
  const where = `${ports.store.root}/${table}`
  let damage: unknown
  let segment = newest
  for (;;) {
    const state = new LogState(where)
    const { checkpoint, commits } = segment
    if (checkpoint === undefined) return { state, commits }
    try {
      state.apply(checkpoint.version, await readCheckpoint(ports, data, table, checkpoint.paths))
      return { state, commits }
    } catch (error) {
      if (!isPipelineError(error) || error.code !== 'DELTA_LOG_CORRUPT') throw error
      ports.onWarning?.(
        `The checkpoint of version ${checkpoint.version} of ${where} is damaged`,
        error
      )
      damage ??= error
    }
    // What came before it says the same, where that is still there.
    const older = await findLogSegment(ports.store, table, version, checkpoint.version).catch(
      () => undefined
    )
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

async function readCommit(ports: DeltaPorts, path: string): Promise<Action[]> {
  const bytes = await ports.store.get(path)
  return parseCommit(Buffer.from(bytes).toString(), `${ports.store.root}/${path}`)
}

/** The actions of a checkpoint with those of its sidecars (PROTOCOL.md "V2 Spec"). */
async function readCheckpoint(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  paths: readonly string[]
): Promise<Action[]> {
  const [path = ''] = paths
  const actions = path.endsWith('.json')
    ? await readCommit(ports, path)
    : await readParquet(ports, data, paths)
  const sidecars = actions.flatMap(({ sidecar }) =>
    sidecar == null ? [] : [sidecarPath(table, sidecar.path)]
  )
  if (sidecars.length === 0) return actions
  return [...actions, ...(await readParquet(ports, data, sidecars))]
}

async function readParquet(
  ports: DeltaPorts,
  data: DataFiles,
  paths: readonly string[]
): Promise<Action[]> {
  const leases: Lease[] = []
  try {
    for (const path of paths) leases.push(await data.lease(path))
    const rows = await ports.engine.readCheckpoint(leases.map(lease => lease.localPath))
    return rows as unknown as Action[]
  } catch (error) {
    if (isPipelineError(error) && error.code !== 'DELTA_DATA_CORRUPT') throw error
    throw new DeltaError('DELTA_LOG_CORRUPT', `The checkpoint ${paths[0]} cannot be read`, {
      cause: error
    })
  } finally {
    for (const lease of leases) lease.release()
  }
}
