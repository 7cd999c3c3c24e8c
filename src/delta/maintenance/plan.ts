/**
 * What maintenance rewrites, so that its cost is bounded. Small files are sorted into tiers by size, each
 * eight times the one below, and eight files of a tier become one, which is of a higher tier: a row is
 * copied at most once a tier, six times from a file of a kilobyte to one that is large enough, and of
 * each tier a partition has at most seven files left. A file that is mostly deleted is copied without its
 * deleted rows, which costs less than what was deleted.
 */
import type { AddAction } from '../actions.ts'
import { cubeOf } from '../clustering/tags.ts'
import { statsOf } from '../data-skipping.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey } from '../partition-values.ts'

export interface MaintenancePlanOptions {
  /** Files of this size are large enough. */
  readonly targetFileBytes: number
  /** Rewrites go on until they have read so much. */
  readonly bytesPerRun: number
  /** A file with at least this part of its rows deleted is copied without them. */
  readonly deletedPart: number
}

/** Files of a tier that become one. */
export const TIER_FILES = 8
const SMALLEST_TIER_BYTES = 1024

/** Lists of files to be joined, those that are joined cheapest first. */
export function planMaintenance(
  snapshot: Snapshot,
  options: MaintenancePlanOptions
): AddAction[][] {
  const { targetFileBytes, deletedPart } = options
  const worn: AddAction[] = []
  const tiers = new Map<string, AddAction[]>()
  for (const add of snapshot.files.values()) {
    if (isWorn(add, deletedPart)) worn.push(add)
    // What was clustered or Z-ordered would be mixed up.
    else if (add.size < targetFileBytes && add.clusteringProvider == null && !cubeOf(add)) {
      const key = `${tierOf(add.size)} ${partitionKey(add.partitionValues)}`
      const tier = tiers.get(key)
      if (tier === undefined) tiers.set(key, [add])
      else tier.push(add)
    }
  }
  const joins = [...tiers.values()]
    .filter(tier => tier.length >= TIER_FILES)
    .flatMap(tier => filled(tier, targetFileBytes))
  const rewrites = [...joins, ...worn.map(add => [add])].sort((a, b) => bytesOf(a) - bytesOf(b))
  return within(rewrites, options.bytesPerRun)
}

function isWorn(add: AddAction, part: number): boolean {
  const deleted = add.deletionVector?.cardinality ?? 0
  const { numRecords } = statsOf(add)
  return deleted > 0 && numRecords !== undefined && deleted >= Number(numRecords) * part
}

function tierOf(bytes: number): number {
  return Math.floor(Math.log(Math.max(1, bytes / SMALLEST_TIER_BYTES)) / Math.log(TIER_FILES))
}

/** New files of about the target; what is left over, fewer than make a tier, waits. */
function filled(tier: readonly AddAction[], targetFileBytes: number): AddAction[][] {
  const bins: AddAction[][] = [[]]
  let bytes = 0
  for (const add of tier) {
    if (bytes + add.size > targetFileBytes && (bins.at(-1)?.length ?? 0) > 0) {
      bins.push([])
      bytes = 0
    }
    bins.at(-1)?.push(add)
    bytes += add.size
  }
  const nearlyFull = (bin: readonly AddAction[]): boolean => bytesOf(bin) >= targetFileBytes / 2
  return bins.filter(bin => bin.length >= TIER_FILES || (bin.length > 1 && nearlyFull(bin)))
}

/** The first one in any case, since it would be too large the next time too. */
function within(rewrites: readonly AddAction[][], bytesPerRun: number): AddAction[][] {
  let bytes = 0
  return rewrites.filter((rewrite, index) => {
    bytes += bytesOf(rewrite)
    return index === 0 || bytes <= bytesPerRun
  })
}

function bytesOf(files: readonly AddAction[]): number {
  return files.reduce((sum, add) => sum + add.size, 0)
}
