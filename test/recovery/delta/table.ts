/** The table that the writers of the recovery test share. */
import type { ColumnSpec, MergeRules } from '../../../src/delta/index.ts'

export const KEYS = 200

export const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'n', type: 'long', nullable: true },
  { name: 'writer', type: 'string', nullable: true }
]

export const rules: MergeRules = { keys: ['id'], policies: new Map([['id', 'key']]) }

/** Deterministic numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
