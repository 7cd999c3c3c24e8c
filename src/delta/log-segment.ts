/**
 * The files of the log that make up one version: the newest complete checkpoint at or below it, and the
 * commits after that (PROTOCOL.md "Log Segment" in spirit). `_last_checkpoint` is a hint: it may be
 * missing, stale or damaged, and then the whole log is listed.
 */
import { DeltaError, isPipelineError } from '../core/index.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { commitPath, lastCheckpointPath, logDirectory, parseLogName } from './log-path.ts'

export interface LogSegment {
  readonly version: number
  readonly checkpoint: { readonly version: number; readonly paths: readonly string[] } | undefined
  /** Contiguous, ascending, the first one after the checkpoint. */
  readonly commits: readonly { readonly version: number; readonly path: string }[]
}

interface Listing {
  readonly commits: Map<number, string>
  readonly checkpoints: Map<number, string[]>
}

/** A listing that ran beside a writer may miss a file that it should have seen; look again. */
const LISTINGS = 3

/**
 * `below`: only checkpoints of lower versions are used, since those from there on cannot be read.
 * Undefined when the log is proven empty. Rejects with `DELTA_LOG_CORRUPT`, `DELTA_VERSION_NOT_FOUND`.
 */
export async function findLogSegment(
  store: ObjectStore,
  table: string,
  version?: number,
  below = Number.POSITIVE_INFINITY
): Promise<LogSegment | undefined> {
  const hint = await readHint(store, table)
  if (hint !== undefined && hint < below && (version === undefined || hint <= version)) {
    const listing = await listLog(store, table, hint)
    if (listing.checkpoints.has(hint)) {
      const segment = assemble(listing, version, below)
      if (segment !== undefined && typeof segment !== 'string') return segment
    }
  }
  for (let attempt = 1; ; attempt++) {
    const segment = assemble(await listLog(store, table, 0), version, below)
    if (typeof segment !== 'string') return segment
    if (attempt === LISTINGS) throw incomplete(store, table, version, segment)
  }
}

function incomplete(
  store: ObjectStore,
  table: string,
  version: number | undefined,
  why: string
): DeltaError {
  const where = `${store.root}/${table}`
  if (version !== undefined) {
    return new DeltaError('DELTA_VERSION_NOT_FOUND', `${where} has no version ${version}: ${why}`)
  }
  return new DeltaError('DELTA_LOG_CORRUPT', `The log of ${where} is incomplete: ${why}`)
}

/** The segment, undefined for an empty log, or a text that says what is missing. */
function assemble(
  listing: Listing,
  version: number | undefined,
  below: number
): LogSegment | undefined | string {
  const newest = Math.max(highest(listing.commits.keys()), highest(listing.checkpoints.keys()))
  if (newest < 0) {
    return version === undefined ? undefined : 'there is no log'
  }
  const target = version ?? newest
  if (target > newest) return `the newest is ${newest}`
  const usable = [...listing.checkpoints.keys()].filter(
    candidate => candidate <= target && candidate < below
  )
  const base = usable.length === 0 ? undefined : highest(usable)
  const commits: { version: number; path: string }[] = []
  for (let next = (base ?? -1) + 1; next <= target; next++) {
    const path = listing.commits.get(next)
    if (path === undefined) return `commit ${next} is missing`
    commits.push({ version: next, path })
  }
  const checkpoint =
    base === undefined ? undefined : { version: base, paths: listing.checkpoints.get(base) ?? [] }
  return { version: target, checkpoint, commits }
}

/** -1 for none. A log may have more versions than a call may have arguments. */
function highest(versions: Iterable<number>): number {
  let found = -1
  for (const version of versions) found = Math.max(found, version)
  return found
}

async function listLog(store: ObjectStore, table: string, from: number): Promise<Listing> {
  const directory = `${logDirectory(table)}/`
  const commits = new Map<number, string>()
  const checkpoints = new Map<number, string[]>()
  const parts = new Map<string, string[]>()
  // Names of version `from` sort after the commit before it.
  const options = from > 0 ? { startAfter: commitPath(table, from - 1) } : {}
  for await (const { path } of store.list(directory, options)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind === 'commit') commits.set(file.version, path)
    else if (file.kind === 'checkpoint') checkpoints.set(file.version, [path])
    else if (file.kind === 'v2Checkpoint') checkpoints.set(file.version, [path])
    else if (file.kind === 'checkpointPart') {
      const key = `${file.version}/${file.parts}`
      const found = [...(parts.get(key) ?? []), path]
      parts.set(key, found)
      const whole = found.length === file.parts
      if (whole && !checkpoints.has(file.version)) checkpoints.set(file.version, found)
    }
  }
  return { commits, checkpoints }
}

async function readHint(store: ObjectStore, table: string): Promise<number | undefined> {
  try {
    const bytes = await store.get(lastCheckpointPath(table))
    const hint = JSON.parse(Buffer.from(bytes).toString()) as { version?: unknown } | null
    const version = hint?.version
    return Number.isSafeInteger(version) ? (version as number) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
}
