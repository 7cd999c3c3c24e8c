/**
 * What files say of how they are clustered, in the tags that Spark uses: files that were clustered together
 * are a cube, and the columns stand beside its id.
 */
import type { AddAction } from '../actions.ts'

const CUBE = 'ZCUBE_ID'
const COLUMNS = 'ZCUBE_ZORDER_BY'
const CURVE = 'ZCUBE_ZORDER_CURVE'
/** The name of this way of clustering, shared with Spark (`clusteringProvider`). */
export const PROVIDER = 'liquid'

export interface Cube {
  readonly id: string
  /** Names of the columns as people see them. */
  readonly columns: readonly string[]
}

export function cubeOf(add: AddAction): Cube | undefined {
  const id = add.tags?.[CUBE]
  const columns = add.tags?.[COLUMNS]
  if (id === undefined || columns === undefined) return undefined
  try {
    const names: unknown = JSON.parse(columns)
    return Array.isArray(names) ? { id, columns: names.map(String) } : undefined
  } catch {
    return undefined
  }
}

/** `provider`: only in clustered tables. */
export function withCube(add: AddAction, cube: Cube, provider: boolean): AddAction {
  return {
    ...add,
    tags: {
      ...add.tags,
      [CUBE]: cube.id,
      [COLUMNS]: JSON.stringify(cube.columns),
      [CURVE]: 'hilbert'
    },
    ...(provider ? { clusteringProvider: PROVIDER } : {})
  }
}

export function isClusteredBy(cube: Cube | undefined, columns: readonly string[]): boolean {
  return cube !== undefined && JSON.stringify(cube.columns) === JSON.stringify(columns)
}
