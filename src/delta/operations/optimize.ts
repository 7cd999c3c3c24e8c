/**
 * OPTIMIZE: joins small files, and copies those of which many rows are deleted. The rows stay as they are,
 * so that readers of changes see nothing (`dataChange: false`). Each new file is a commit of its own: who
 * loses one to another writer loses little.
 */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { removeOf } from '../deletion-vectors/index.ts'
import { writeFile } from '../file-writer.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { partitionKey } from '../partition-values.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'

export interface OptimizeOptions {
  /** Files are joined up to this size; 128 MiB by default. */
  readonly targetFileBytes?: number
  /** A file with at least this part of its rows deleted is copied without them; 0.1 by default. */
  readonly deletedPart?: number
  readonly signal?: AbortSignal
}

export interface OptimizeResult {
  readonly version: number
  readonly filesAdded: number
  readonly filesRemoved: number
  readonly bytesAdded: number
  readonly bytesRemoved: number
  /** Rows that deletion vectors had marked, and that are gone now. */
  readonly rowsPurged: number
  /** New files that were given up, since another writer changed what they were made of. */
  readonly lost: number
}

const TARGET_BYTES = 134_217_728
const DELETED_PART = 0.1
/** A file of this part of the target is large enough. */
const FULL_PART = 0.75

export async function optimizeTable(
  log: TableLog,
  options: OptimizeOptions = {}
): Promise<OptimizeResult> {
  const first = await log.refresh()
  log.assertWritable(first)
  let result: OptimizeResult = {
    version: first.version,
    filesAdded: 0,
    filesRemoved: 0,
    bytesAdded: 0,
    bytesRemoved: 0,
    rowsPurged: 0,
    lost: 0
  }
  for (const inputs of planOptimize(first, options)) {
    options.signal?.throwIfAborted()
    const done = await rewrite(log, inputs, options.signal)
    if (done === undefined) {
      result = { ...result, lost: result.lost + 1 }
      continue
    }
    const { version, add } = done
    result = {
      ...result,
      version,
      filesAdded: result.filesAdded + (add === undefined ? 0 : 1),
      filesRemoved: result.filesRemoved + inputs.length,
      bytesAdded: result.bytesAdded + (add?.size ?? 0),
      bytesRemoved: result.bytesRemoved + inputs.reduce((sum, input) => sum + input.size, 0),
      rowsPurged: result.rowsPurged + inputs.reduce((sum, input) => sum + deletedRows(input), 0)
    }
  }
  return result
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
  const deleted = deletedRows(add)
  const { numRecords } = statsOf(add)
  return deleted > 0 && (numRecords === undefined || deleted >= Number(numRecords) * part)
}

function deletedRows(add: AddAction): number {
  return add.deletionVector?.cardinality ?? 0
}

/** Undefined when another writer changed one of the files meanwhile. */
async function rewrite(
  log: TableLog,
  inputs: readonly AddAction[],
  signal: AbortSignal | undefined
): Promise<{ version: number; add: AddAction | undefined } | undefined> {
  let snapshot = await log.refresh()
  if (!allThere(snapshot, inputs)) return undefined
  const [{ partitionValues } = { partitionValues: {} }] = inputs
  const copies = inputs.map(add => ({ add, without: [] }))
  const add = await writeFile(log, snapshot, { partitionValues, inputs: copies, rows: [] })
  for (let conflicts = 0; ; ) {
    const now = log.ports.clock.now()
    const removes = inputs.map(input => ({ remove: removeOf(input, now, false) }))
    const adds = add === undefined ? [] : [{ add: { ...add, dataChange: false } }]
    const response = await log.commit(snapshot, infoOf(inputs, add), [...removes, ...adds])
    if (response.kind === 'committed') {
      log.followKeys()
      return { version: response.version, add }
    }
    conflicts++
    await log.pause(conflicts, signal)
    const newer = await log.refresh()
    const same = newer.metadata === snapshot.metadata && newer.protocol === snapshot.protocol
    if (!same || !allThere(newer, inputs)) {
      // Whoever fails to delete it leaves it to a vacuum.
      if (add !== undefined) {
        await log.ports.store.delete(objectPath(log.path, add)).catch(() => undefined)
      }
      return undefined
    }
    snapshot = newer
  }
}

function allThere(snapshot: Snapshot, inputs: readonly AddAction[]): boolean {
  return inputs.every(add => snapshot.files.has(fileKey(add)))
}

function infoOf(inputs: readonly AddAction[], add: AddAction | undefined): Record<string, unknown> {
  const removed = inputs.reduce((sum, input) => sum + input.size, 0)
  return {
    operation: 'OPTIMIZE',
    operationParameters: { predicate: '[]', zOrderBy: '[]' },
    operationMetrics: {
      numAddedFiles: add === undefined ? '0' : '1',
      numRemovedFiles: String(inputs.length),
      numAddedBytes: String(add?.size ?? 0),
      numRemovedBytes: String(removed)
    },
    isolationLevel: 'SnapshotIsolation',
    isBlindAppend: false
  }
}
