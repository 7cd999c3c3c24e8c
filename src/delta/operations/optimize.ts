/**
 * OPTIMIZE: joins small files, and copies those of which many rows are deleted. The rows stay as they are,
 * so that readers of changes see nothing (`dataChange: false`). Each new file is a commit of its own, and
 * only the commits keep merges of the same table object waiting.
 */
import type { AddAction, CommitInfoAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { countsBelow } from '../deletion-vectors/index.ts'
import { writeFile } from '../file-writer.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { partitionKey } from '../partition-values.ts'
import type { TableLog } from '../table-log.ts'
import { type CommittedRewrite, commitRewrite, type Rewrite, type Turn } from './rewrite.ts'

/** Options of `optimize`. */
export interface OptimizeOptions {
  /** Files are joined up to this size; 128 MiB by default. */
  readonly targetFileBytes?: number
  /** A file with at least this part of its rows deleted is copied without them; 0.1 by default. */
  readonly deletedPart?: number
  /** Ends the work after the file at hand; what is committed stays. */
  readonly signal?: AbortSignal
}

/** What an optimize did. */
export interface OptimizeResult {
  /** The newest version that it made; the newest one when there was nothing to do. */
  readonly version: number
  /** New files. */
  readonly filesAdded: number
  /** Files that the new ones took the place of. */
  readonly filesRemoved: number
  /** Bytes of the new files. */
  readonly bytesAdded: number
  /** Bytes of the files removed. */
  readonly bytesRemoved: number
  /** Rows that deletion vectors had marked, and that are gone now. */
  readonly rowsPurged: number
  /** Rows that other writers deleted meanwhile, and that vectors of the new files mark. */
  readonly rowsCarried: number
  /** New files that were given up, since another writer changed what they were made of. */
  readonly lost: number
}

const TARGET_BYTES = 134_217_728
const DELETED_PART = 0.1
/** A file of this part of the target is large enough. */
const FULL_PART = 0.75

export async function optimizeTable(
  log: TableLog,
  turn: Turn,
  options: OptimizeOptions = {}
): Promise<OptimizeResult> {
  const first = await log.refresh()
  log.assertWritable(first)
  let result: OptimizeResult = nothingDone(first.version)
  for (const inputs of planOptimize(first, options)) {
    options.signal?.throwIfAborted()
    const done = await join(log, inputs, turn, options.signal)
    result = done === undefined ? { ...result, lost: result.lost + 1 } : withDone(result, done)
  }
  return result
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

export function withDone(result: OptimizeResult, done: CommittedRewrite): OptimizeResult {
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

/** Files to be joined, one list for each new file. */
export function planOptimize(snapshot: Snapshot, options: OptimizeOptions): AddAction[][] {
  const target = options.targetFileBytes ?? TARGET_BYTES
  const part = options.deletedPart ?? DELETED_PART
  const partitions = new Map<string, AddAction[]>()
  for (const add of snapshot.files.values()) {
    if (add.size >= target * FULL_PART && !isWorn(add, part)) continue
    const key = partitionKey(add.partitionValues)
    const files = partitions.get(key)
    if (files === undefined) partitions.set(key, [add])
    else files.push(add)
  }
  return [...partitions.values()]
    .flatMap(files => binsOf(files, target))
    .filter(bin => bin.length > 1 || bin.some(add => isWorn(add, part)))
}

/** In the order of the table, so that rows that were written together stay together. */
function binsOf(files: readonly AddAction[], target: number): AddAction[][] {
  const bins: AddAction[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const add of files) {
    if (bytes + add.size > target) {
      bins.push([])
      bytes = 0
    }
    bins.at(-1)?.push(add)
    bytes += add.size
  }
  return bins
}

function isWorn(add: AddAction, part: number): boolean {
  const deleted = deletedRows([add])
  const { numRecords } = statsOf(add)
  return deleted > 0 && (numRecords === undefined || deleted >= Number(numRecords) * part)
}

function deletedRows(adds: readonly AddAction[]): number {
  return adds.reduce((sum, add) => sum + (add.deletionVector?.cardinality ?? 0), 0)
}

function bytesOf(adds: readonly AddAction[]): number {
  return adds.reduce((sum, add) => sum + add.size, 0)
}

/** Undefined when another writer changed one of the files so that the new one is of no use. */
async function join(
  log: TableLog,
  inputs: readonly AddAction[],
  turn: Turn,
  signal: AbortSignal | undefined
): Promise<CommittedRewrite | undefined> {
  const base = await log.refresh()
  if (!inputs.every(add => base.files.has(fileKey(add)))) return undefined
  const [{ partitionValues } = { partitionValues: {} }] = inputs
  const copies = inputs.map(add => ({ add, without: [] }))
  const output = await writeFile(log, base, {
    partitionValues,
    inputs: copies,
    rows: [],
    inOrder: true
  })
  const rewrite: Rewrite = {
    base,
    inputs,
    outputs: output === undefined ? [] : [output],
    ranks: (input, positions) => ranksInCopy(log, inputs, input, positions)
  }
  return await commitRewrite(log, rewrite, infoOf, turn, signal)
}

/** The copy has the rows that were left of each input, in the order of the inputs. */
async function ranksInCopy(
  log: TableLog,
  inputs: readonly AddAction[],
  input: number,
  positions: Uint32Array
): Promise<Uint32Array> {
  let before = 0
  for (const add of inputs.slice(0, input)) {
    const { numRecords } = statsOf(add)
    if (numRecords === undefined) return new Uint32Array(0)
    before += Number(numRecords) - deletedRows([add])
  }
  const add = inputs[input]
  const deleted = add === undefined ? undefined : await log.vectors.load(add)
  const below = countsBelow(positions, deleted ?? new Uint32Array(0))
  return positions.map((position, i) => before + position - (below[i] ?? 0))
}

function infoOf(adds: readonly AddAction[], removed: readonly AddAction[]): CommitInfoAction {
  return optimizeInfo({ predicate: [], zOrderBy: [], clusterBy: [] }, adds, removed)
}

export function optimizeInfo(
  parameters: Readonly<Record<string, readonly string[]>>,
  adds: readonly AddAction[],
  removed: readonly AddAction[]
): CommitInfoAction {
  const vectors = removed.filter(add => add.deletionVector != null).length
  return {
    operation: 'OPTIMIZE',
    operationParameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, JSON.stringify(value)])
    ),
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
