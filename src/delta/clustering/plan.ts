/**
 * Which files are clustered anew. What was clustered together stays so while it is whole; new files are
 * clustered among themselves, together with cubes that are not much larger than they are. So each row is
 * clustered a number of times that grows with the logarithm of the table, and the number of cubes, each of
 * which a reader may have to look into, does too.
 */
import type { AddAction } from '../actions.ts'
import { type Cube, cubeOf, isClusteredBy, PROVIDER } from './tags.ts'

/** A cube is taken along when what is clustered anew is at least this part of it. */
const TAKEN_FROM = 0.5
/** Larger cubes are left alone: they are as good as they get. */
const FULL_CUBE_BYTES = 107_374_182_400

export interface ClusterPlanOptions {
  /** Everything, whoever clustered it and by what. */
  readonly full: boolean
  /** Beyond it no more cubes are taken along. */
  readonly mostBytes?: number
  /** Whether a file is to be copied without its deleted rows. */
  isWorn(add: AddAction): boolean
}

/** Files of a clustered table to be clustered together; empty when all are. */
export function planClustering(
  files: readonly AddAction[],
  columns: readonly string[],
  { full, isWorn, mostBytes = Number.POSITIVE_INFINITY }: ClusterPlanOptions
): AddAction[] {
  const fresh: AddAction[] = []
  const cubes = new Map<string, AddAction[]>()
  const others: AddAction[] = []
  for (const add of files) {
    const cube = cubeOf(add)
    if (add.clusteringProvider == null || isWorn(add)) fresh.push(add)
    // Files of other ways of clustering are theirs; those by former columns stay until a full run.
    else if (add.clusteringProvider !== PROVIDER || !isClusteredBy(cube, columns)) others.push(add)
    else cubes.set(idOf(cube), [...(cubes.get(idOf(cube)) ?? []), add])
  }
  if (full) {
    const whole = fresh.length + others.length === 0 && cubes.size <= 1
    return whole ? [] : [...files]
  }
  if (fresh.length === 0) return []
  let bytes = bytesOf(fresh)
  for (const cube of [...cubes.values()].sort((a, b) => bytesOf(a) - bytesOf(b))) {
    const size = bytesOf(cube)
    if (size >= FULL_CUBE_BYTES || bytes < size * TAKEN_FROM || bytes + size > mostBytes) break
    fresh.push(...cube)
    bytes += size
  }
  return fresh
}

/** Whether the files, which are all of their partition, were clustered together by these columns. */
export function isOneCube(
  files: readonly AddAction[],
  columns: readonly string[],
  isWorn: (add: AddAction) => boolean
): boolean {
  const cubes = files.map(cubeOf)
  const [first] = cubes
  return (
    isClusteredBy(first, columns) &&
    cubes.every(cube => cube?.id === first?.id && isClusteredBy(cube, columns)) &&
    !files.some(isWorn)
  )
}

function idOf(cube: Cube | undefined): string {
  return cube?.id ?? ''
}

function bytesOf(files: readonly AddAction[]): number {
  return files.reduce((sum, add) => sum + add.size, 0)
}
