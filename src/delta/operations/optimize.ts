/**
 * OPTIMIZE: joins small files and copies those of which many rows are deleted, or, where the rows are to be
 * near each other by what they hold, clusters or Z-orders them. The rows stay as they are, so that readers
 * of changes see nothing (`dataChange: false`). Only the commits keep merges of the same table object
 * waiting.
 */
import { DeltaError } from '../../core/index.ts'
import type { AddAction } from '../actions.ts'
import { boundedFields, clusteringFields } from '../clustering/columns.ts'
import { isOneCube, planClustering } from '../clustering/plan.ts'
import { writeClustered } from '../clustering/write.ts'
import { statsOf } from '../data-skipping.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey } from '../partition-values.ts'
import type { SchemaField } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { join, planJoins } from './join-files.ts'
import { nothingDone, type OptimizeInfo, type OptimizeResult, withDone } from './optimize-result.ts'
import { type CommittedRewrite, commitRewrite, currentFiles, type Turn } from './rewrite.ts'

/** How `optimize` works. */
export interface OptimizeOptions {
  /** Files are joined up to this size; 128 MiB by default. */
  readonly targetFileBytes?: number
  /** A file with at least this part of its rows deleted is copied without them; 0.1 by default. */
  readonly deletedPart?: number
  /** SQL boolean expression over partition columns: only their files are looked at. */
  readonly where?: string
  /**
   * Rewrites the files so that rows near each other in these columns share files and row groups. Partitions
   * that have not changed since they were Z-ordered by the same columns are left alone. Not for clustered
   * tables, which have their columns.
   */
  readonly zOrderBy?: readonly string[]
  /** Clusters all files of a clustered table anew, those too that were clustered by other columns. */
  readonly full?: boolean
  /** Stops the work between files. */
  readonly signal?: AbortSignal
}

const TARGET_BYTES = 134_217_728
const DELETED_PART = 0.1

/**
 * Rejects with `DELTA_CLUSTERING_INVALID` when the columns cannot be clustered by, and with
 * `DELTA_QUERY_INVALID` when `where` names others than partition columns.
 */
export async function optimizeTable(
  log: TableLog,
  turn: Turn,
  options: OptimizeOptions = {}
): Promise<OptimizeResult> {
  const first = await log.refresh()
  log.assertWritable(first)
  let result: OptimizeResult = nothingDone(first.version)
  for (const rewrite of await planOptimize(log, first, options)) {
    options.signal?.throwIfAborted()
    const done = await rewrite(turn)
    result = done === undefined ? { ...result, lost: result.lost + 1 } : withDone(result, done)
  }
  return result
}

/** Undefined when what was written is of no use any more. */
type Step = (turn: Turn) => Promise<CommittedRewrite | undefined>

async function planOptimize(
  log: TableLog,
  snapshot: Snapshot,
  options: OptimizeOptions
): Promise<Step[]> {
  const { where, zOrderBy = [], signal, full = false } = options
  const targetFileBytes = options.targetFileBytes ?? TARGET_BYTES
  const isWorn = (add: AddAction): boolean => hasDeleted(add, options.deletedPart ?? DELETED_PART)
  const files = await filesOf(log, snapshot, where)
  const names = (fields: readonly SchemaField[]): string[] => fields.map(field => field.name)
  const clustering = clusteringFields(snapshot, log.where)
  const clustered = (
    inputs: readonly AddAction[],
    by: readonly SchemaField[],
    info: OptimizeInfo
  ): Step => {
    return turn => cluster(log, inputs, { by, targetFileBytes, info, signal }, turn)
  }
  if (clustering.length > 0) {
    if (zOrderBy.length > 0) throw isClustered(log, names(clustering))
    const inputs = planClustering(files, names(clustering), { full, isWorn })
    const info = { clusterBy: names(clustering), full }
    return inputs.length === 0 ? [] : [clustered(inputs, clustering, info)]
  }
  const info = where === undefined ? {} : { predicate: [where] }
  const partitions = Map.groupBy(files, add => partitionKey(add.partitionValues))
  if (zOrderBy.length > 0) {
    const by = boundedFields(snapshot, zOrderBy, 'Z-order', log.where)
    return [...partitions.values()]
      .filter(inputs => !isOneCube(inputs, names(by), isWorn))
      .map(inputs => clustered(inputs, by, { ...info, zOrderBy }))
  }
  const joins = [...partitions.values()].flatMap(inputs =>
    planJoins(inputs, targetFileBytes, isWorn)
  )
  return joins.map(inputs => turn => join(log, inputs, { info, signal }, turn))
}

/** The files that may be touched, in the order of the table. */
async function filesOf(
  log: TableLog,
  snapshot: Snapshot,
  where: string | undefined
): Promise<AddAction[]> {
  const files = [...snapshot.files.values()]
  if (where === undefined) return files
  const { engine } = log.ports
  const { partitionColumns } = snapshot.metadata
  const named = (await engine.filterParts(where)).columns
  const other = named?.find(
    name => !partitionColumns.some(column => column.toLowerCase() === name.toLowerCase())
  )
  if (named === undefined || other !== undefined) {
    const which = other === undefined ? '' : `, not ${other}`
    const allowed = partitionColumns.length === 0 ? 'none' : partitionColumns.join(', ')
    throw new DeltaError(
      'DELTA_QUERY_INVALID',
      `Whole partitions are optimized: the filter may name partition columns of ${log.where} only (${allowed})${which}`
    )
  }
  const partitions = Map.groupBy(files, add => partitionKey(add.partitionValues))
  const columns = engineColumns(snapshot).filter(column => column.partition)
  const holds = await engine.filterPartitions({
    partitions: [...partitions.values()].map(([add]) => add?.partitionValues ?? {}),
    columns,
    where
  })
  return [...partitions.values()].filter((_, index) => holds[index] === true).flat()
}

function isClustered(log: TableLog, columns: readonly string[]): DeltaError {
  return new DeltaError(
    'DELTA_CLUSTERING_INVALID',
    `${log.where} is clustered by ${columns.join(', ')} and cannot be Z-ordered; change its clustering columns instead`
  )
}

function hasDeleted(add: AddAction, part: number): boolean {
  const deleted = add.deletionVector?.cardinality ?? 0
  const { numRecords } = statsOf(add)
  return deleted > 0 && (numRecords === undefined || deleted >= Number(numRecords) * part)
}

export interface ClusterStep {
  readonly by: readonly SchemaField[]
  readonly targetFileBytes: number
  readonly info: OptimizeInfo
  readonly signal: AbortSignal | undefined
}

/** Clusters the files anew, in one commit. */
export async function cluster(
  log: TableLog,
  planned: readonly AddAction[],
  { by, targetFileBytes, info, signal }: ClusterStep,
  turn: Turn
): Promise<CommittedRewrite | undefined> {
  const base = await log.refresh()
  const inputs = currentFiles(base, planned)
  if (inputs.length === 0) return undefined
  const provider = info.clusterBy !== undefined
  const rewrite = await writeClustered(log, base, inputs, { by, targetFileBytes, provider })
  return await commitRewrite(log, rewrite, info, turn, signal)
}
