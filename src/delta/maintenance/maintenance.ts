/** Maintenance of a table: joins small files and takes old ones away, a bounded part at a time. */
import { clusteringFields } from '../clustering/columns.ts'
import { planClustering } from '../clustering/plan.ts'
import type { Snapshot } from '../log-state.ts'
import { join } from '../operations/join-files.ts'
import { cluster } from '../operations/optimize.ts'
import { nothingDone, type OptimizeResult, withDone } from '../operations/optimize-result.ts'
import type { Turn } from '../operations/rewrite.ts'
import { type VacuumResult, vacuumTable } from '../operations/vacuum.ts'
import type { TableLog } from '../table-log.ts'
import { alone, isVacuumDue, noteVacuum } from './marker.ts'
import { planMaintenance, TIER_FILES } from './plan.ts'

/** How a table is maintained. */
export interface MaintenanceOptions {
  /** Files of this size are not joined with others; 128 MiB by default. */
  readonly targetFileBytes?: number
  /** Most bytes that one run rewrites; 256 MiB by default. */
  readonly bytesPerRun?: number
  /** A file with at least this part of its rows deleted is copied without them; 0.5 by default. */
  readonly deletedPart?: number
  /**
   * Milliseconds between two vacuums of the table, by the retention of the table; a day by default. Null:
   * none.
   */
  readonly vacuumIntervalMs?: number | null
  /** Ends the run between two files. */
  readonly signal?: AbortSignal
}

/** What a run of the maintenance did. */
export interface MaintenanceResult {
  /** True when another process was at it, and nothing was done. */
  readonly busy: boolean
  /** The files that were joined, copied or clustered. */
  readonly optimized: OptimizeResult
  /** The files that were taken away; undefined when a vacuum was not due. */
  readonly vacuumed: VacuumResult | undefined
}

const TARGET_BYTES = 134_217_728
const BYTES_PER_RUN = 268_435_456
const DELETED_PART = 0.5
const DAY_MS = 86_400_000

/** Never holds up merges of the same table object but for its commits. Rejects as `optimize` and `vacuum` do. */
export async function maintainTable(
  log: TableLog,
  turn: Turn,
  options: MaintenanceOptions = {}
): Promise<MaintenanceResult> {
  const first = await log.refresh()
  log.assertWritable(first)
  let optimized = nothingDone(first.version)
  let vacuumed: VacuumResult | undefined
  const rewrites = rewritesOf(log, first, options)
  const interval = options.vacuumIntervalMs === undefined ? DAY_MS : options.vacuumIntervalMs
  const due = interval !== null && (await isVacuumDue(log.ports, log.path, interval))
  if (rewrites.length === 0 && !due) return { busy: false, optimized, vacuumed }
  const done = await alone(log.ports, log.path, async () => {
    for (const rewrite of rewrites) {
      options.signal?.throwIfAborted()
      const committed = await rewrite(turn)
      optimized =
        committed === undefined
          ? { ...optimized, lost: optimized.lost + 1 }
          : withDone(optimized, committed)
    }
    if (!due) return
    await noteVacuum(log.ports, log.path)
    const { signal } = options
    vacuumed = await vacuumTable(log, signal === undefined ? {} : { signal })
  })
  return { busy: !done, optimized, vacuumed }
}

function rewritesOf(log: TableLog, snapshot: Snapshot, options: MaintenanceOptions) {
  const { signal } = options
  const targetFileBytes = options.targetFileBytes ?? TARGET_BYTES
  const bytesPerRun = options.bytesPerRun ?? BYTES_PER_RUN
  const deletedPart = options.deletedPart ?? DELETED_PART
  const by = clusteringFields(snapshot, log.where)
  if (by.length > 0) {
    const names = by.map(field => field.name)
    const files = [...snapshot.files.values()]
    const fresh = files.filter(add => add.clusteringProvider == null)
    if (fresh.length < TIER_FILES) return []
    const inputs = planClustering(files, names, {
      full: false,
      isWorn: () => false,
      mostBytes: bytesPerRun
    })
    const info = { clusterBy: names, auto: true }
    return [(turn: Turn) => cluster(log, inputs, { by, targetFileBytes, info, signal }, turn)]
  }
  const plan = planMaintenance(snapshot, { targetFileBytes, bytesPerRun, deletedPart })
  return plan.map(inputs => {
    return (turn: Turn) => join(log, inputs, { info: { auto: true }, signal }, turn)
  })
}
