/**
 * When the versions of a table were committed, and so which one was current at a time: by the in-commit
 * timestamps where the table has them, else by the times of the commit files, which are taken for later
 * than those before whatever the store says (PROTOCOL.md "Recommendations for Readers of Tables with
 * In-Commit Timestamps").
 */
import { DeltaError, isoFromMillis } from '../../core/index.ts'
import { logDirectory, parseLogName } from '../log-path.ts'
import { readCommitInfo } from '../log-reader.ts'
import type { Snapshot } from '../log-state.ts'
import type { DeltaPorts } from '../ports.ts'
import { inCommitTimestampsSince } from './in-commit-timestamps.ts'

interface DatedCommit {
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly time: number
}

/**
 * The newest version that was committed at or before the time. `newest` is the newest snapshot. Rejects with
 * `DELTA_VERSION_NOT_FOUND`, and the range there is, when the time is before the oldest version that can
 * still be rebuilt, or after the newest.
 */
export async function versionAt(
  ports: DeltaPorts,
  table: string,
  newest: Snapshot,
  time: number
): Promise<number> {
  const log = new DatedLog(ports, table, newest, await datedFiles(ports, table, newest.version))
  const found = await log.versionAt(time)
  if (found !== undefined) return found
  const where = `${ports.store.root}/${table}`
  const range = await log.range()
  const at = Number.isFinite(time) ? instant(time) : String(time)
  throw new DeltaError(
    'DELTA_VERSION_NOT_FOUND',
    `${where} has no version for ${at}: ` +
      (range === undefined
        ? 'no commit of it is left'
        : `the oldest is ${describe(range.first)}, the newest ${describe(range.last)}`)
  )
}

/** By version, when those were committed that can be rebuilt: what time travel goes by, without in-commit timestamps. */
export async function fileTimes(
  ports: DeltaPorts,
  table: string,
  newest: number
): Promise<ReadonlyMap<number, number>> {
  const files = await datedFiles(ports, table, newest)
  return new Map(files.map(({ version, time }) => [version, time]))
}

class DatedLog {
  readonly #ports: DeltaPorts
  readonly #table: string
  /** Commits that can be rebuilt, ascending, by the times of their files. */
  readonly #files: readonly DatedCommit[]
  readonly #since: { readonly version: number; readonly timestamp: number } | undefined

  constructor(ports: DeltaPorts, table: string, newest: Snapshot, files: readonly DatedCommit[]) {
    this.#ports = ports
    this.#table = table
    this.#files = files
    this.#since = inCommitTimestampsSince(newest.metadata)
  }

  async versionAt(time: number): Promise<number | undefined> {
    const [last] = this.#files.slice(-1)
    if (last === undefined || !((await this.#time(last)) >= time)) return undefined
    const since = this.#since
    if (since === undefined || time < since.timestamp) {
      const before = this.#files.filter(
        ({ version }) => since === undefined || version < since.version
      )
      return before.findLast(file => file.time <= time)?.version
    }
    // In-commit timestamps ascend: half of the rest is left out by each one that is read.
    const from = this.#files.findIndex(({ version }) => version >= since.version)
    let low = from - 1
    let high = this.#files.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const file = this.#files[middle]
      if (file !== undefined && (await this.#time(file)) <= time) low = middle
      else high = middle - 1
    }
    return low < from ? undefined : this.#files[low]?.version
  }

  async range(): Promise<{ first: DatedCommit; last: DatedCommit } | undefined> {
    const [first] = this.#files
    const last = this.#files.at(-1)
    if (first === undefined || last === undefined) return undefined
    return {
      first: { ...first, time: await this.#time(first) },
      last: { ...last, time: await this.#time(last) }
    }
  }

  async #time({ version, time }: DatedCommit): Promise<number> {
    if (this.#since === undefined || version < this.#since.version) return time
    const info = await readCommitInfo(this.#ports, this.#table, version)
    return info?.inCommitTimestamp ?? time
  }
}

/** Commits up to the newest from the oldest on that can be rebuilt: the first of all, or one with a checkpoint. */
async function datedFiles(
  ports: DeltaPorts,
  table: string,
  newest: number
): Promise<DatedCommit[]> {
  const directory = `${logDirectory(table)}/`
  const checkpoints = new Set<number>()
  const parts = new Map<string, number>()
  let commits: DatedCommit[] = []
  for await (const { path, modifiedAt } of ports.store.list(directory)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind === 'checkpoint' || file.kind === 'v2Checkpoint') checkpoints.add(file.version)
    if (file.kind === 'checkpointPart') {
      const key = `${file.version}/${file.parts}`
      parts.set(key, (parts.get(key) ?? 0) + 1)
      if (parts.get(key) === file.parts) checkpoints.add(file.version)
    }
    if (file.kind !== 'commit' || file.version > newest) continue
    const before = commits.at(-1)
    // What lies before a gap cannot be brought up to the newest version.
    if (before !== undefined && before.version !== file.version - 1) commits = []
    const time = Math.max(Math.floor(modifiedAt), (commits.at(-1)?.time ?? 0) + 1)
    commits.push({ version: file.version, time })
  }
  const first = commits.findIndex(({ version }) => version === 0 || checkpoints.has(version))
  return first === -1 ? [] : commits.slice(first)
}

function describe({ version, time }: DatedCommit): string {
  return `version ${version} of ${instant(time)}`
}

function instant(ms: number): string {
  const readable = Math.abs(ms) < 8.64e15 && ms > -6e13
  return readable ? isoFromMillis(Math.floor(ms)) : `${ms} ms`
}
