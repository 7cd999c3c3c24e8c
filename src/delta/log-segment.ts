/**
 * The files of the log that make up one version: the newest complete checkpoint at or below it, and the
 * commits after that (PROTOCOL.md "Log Segment" in spirit). `_last_checkpoint` is a hint: it may be
 * missing, stale or damaged, and then the whole log is listed.
 */
import { DeltaError } from '../core/index.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { readLastCheckpoint } from './log/last-checkpoint.ts'
import { commitPath, logDirectory, parseLogName } from './log-path.ts'

export interface LogSegment {
  readonly version: number
  readonly checkpoint: SegmentCheckpoint | undefined
  /** Contiguous, ascending, the first one after the checkpoint. */
  readonly commits: readonly SegmentCommit[]
}

export interface SegmentCheckpoint {
  readonly version: number
  readonly paths: readonly string[]
  /** Other checkpoints of the version, which say the same. */
  readonly others: readonly (readonly string[])[]
}

export interface SegmentCommit {
  readonly version: number
  readonly path: string
  /** Set where the file stands for all versions from this one on (PROTOCOL.md "Log Compaction Files"). */
  readonly from?: number
}

export interface SegmentOptions {
  /** The newest by default. */
  readonly version?: number | undefined
  /** Only checkpoints of lower versions are used, since those from there on cannot be read. */
  readonly below?: number
  /** Whether compacted commits may stand for the commits; by default they do. */
  readonly compactions?: boolean
}

interface Listing {
  readonly commits: Map<number, string>
  /** Complete ones, each with its files. */
  readonly checkpoints: Map<number, string[][]>
  /** By their first version. */
  readonly compactions: Map<number, { readonly version: number; readonly path: string }[]>
}

/** A listing that ran beside a writer may miss a file that it should have seen; look again. */
const LISTINGS = 3

/**
 * Undefined when the log is proven empty. Rejects with `DELTA_LOG_CORRUPT`, `DELTA_VERSION_NOT_FOUND`.
 */
export async function findLogSegment(
  store: ObjectStore,
  table: string,
  options: SegmentOptions = {}
): Promise<LogSegment | undefined> {
  const { version, below = Number.POSITIVE_INFINITY } = options
  const hint = (await readLastCheckpoint(store, table))?.version
  if (hint !== undefined && hint < below && (version === undefined || hint <= version)) {
    const listing = await listLog(store, table, hint)
    if (listing.checkpoints.has(hint)) {
      const segment = assemble(listing, options)
      if (segment !== undefined && typeof segment !== 'string') return segment
    }
  }
  for (let attempt = 1; ; attempt++) {
    const segment = assemble(await listLog(store, table, 0), options)
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
  { version, below = Number.POSITIVE_INFINITY, compactions = true }: SegmentOptions
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
  const commits: SegmentCommit[] = []
  for (let next = (base ?? -1) + 1; next <= target; ) {
    const commit = (compactions ? compactionAt(listing, next, target) : undefined) ?? {
      version: next,
      path: listing.commits.get(next)
    }
    const { path } = commit
    if (path === undefined) return `commit ${next} is missing`
    commits.push({ ...commit, path })
    next = commit.version + 1
  }
  const [paths = [], ...others] = listing.checkpoints.get(base ?? -1) ?? []
  const checkpoint = base === undefined ? undefined : { version: base, paths, others }
  return { version: target, checkpoint, commits }
}

/**
 * The longest compaction that begins at the version. The newest commit is read by itself: only it says
 * when it was committed.
 */
function compactionAt(listing: Listing, from: number, target: number): SegmentCommit | undefined {
  let longest: SegmentCommit | undefined
  for (const { version, path } of listing.compactions.get(from) ?? []) {
    const helps = version < target && version > (longest?.version ?? from)
    if (helps) longest = { from, version, path }
  }
  return longest
}

/** -1 for none. A log may have more versions than a call may have arguments. */
function highest(versions: Iterable<number>): number {
  let found = -1
  for (const version of versions) found = Math.max(found, version)
  return found
}

async function listLog(store: ObjectStore, table: string, from: number): Promise<Listing> {
  const directory = `${logDirectory(table)}/`
  const listing: Listing = { commits: new Map(), checkpoints: new Map(), compactions: new Map() }
  const { commits, compactions } = listing
  const parts = new Map<string, string[]>()
  // Names of version `from` sort after the commit before it.
  const options = from > 0 ? { startAfter: commitPath(table, from - 1) } : {}
  for await (const { path } of store.list(directory, options)) {
    const file = parseLogName(path.slice(directory.length))
    if (file.kind === 'commit') commits.set(file.version, path)
    else if (file.kind === 'compaction') {
      const { from: first, version } = file
      const known = compactions.get(first)
      if (known === undefined) compactions.set(first, [{ version, path }])
      else known.push({ version, path })
    } else if (file.kind === 'checkpoint') addCheckpoint(listing, file.version, [path])
    else if (file.kind === 'v2Checkpoint') addCheckpoint(listing, file.version, [path])
    else if (file.kind === 'checkpointPart') {
      const key = `${file.version}/${file.parts}`
      const found = [...(parts.get(key) ?? []), path]
      parts.set(key, found)
      if (found.length === file.parts) addCheckpoint(listing, file.version, found)
    }
  }
  return listing
}

function addCheckpoint({ checkpoints }: Listing, version: number, paths: string[]): void {
  const known = checkpoints.get(version)
  if (known === undefined) checkpoints.set(version, [paths])
  else known.push(paths)
}
