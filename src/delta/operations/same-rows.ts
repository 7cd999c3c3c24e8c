/**
 * Makes sure that rows of a file are found where a copy is said to have them. A wrong place would delete
 * another row, so this does not rest on how the engine ordered its output.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { withFiles } from '../leased-files.ts'
import type { Snapshot } from '../log-state.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'

/** More rows are compared by a part of them, evenly spread. */
const COMPARED_ROWS = 1000

/** `ranks`: where the rows at `positions` of the input stand among all rows of the outputs. */
export async function sameRows(
  log: TableLog,
  { base, outputs }: { readonly base: Snapshot; readonly outputs: readonly AddAction[] },
  input: AddAction,
  positions: Uint32Array,
  ranks: Uint32Array
): Promise<boolean> {
  const columns = engineColumns(base)
  const starts: number[] = []
  let rows = 0
  for (const add of outputs) {
    starts.push(rows)
    rows += Number(statsOf(add).numRecords)
  }
  const step = Math.max(1, positions.length / COMPARED_ROWS)
  const chosen = Array.from({ length: Math.ceil(positions.length / step) }, (_, i) =>
    Math.floor(i * step)
  )
  const before = chosen.map(i => ({ file: 0, position: positions[i] ?? 0 }))
  const after = chosen.map(i => {
    const rank = ranks[i] ?? 0
    const file = starts.findLastIndex(start => start <= rank)
    return { file: file + 1, position: rank - (starts[file] ?? 0) }
  })
  // Deleted rows are looked at too, so no vector has to be read.
  const files = [input, ...outputs].map(add => ({ ...add, deletionVector: null }))
  return await withFiles(log, files, async dataFiles => {
    const fetched = await log.ports.engine.fetch({
      files: dataFiles,
      columns,
      places: [...before, ...after]
    })
    const values = new Map(fetched.map(row => [row.place, row.values]))
    return chosen.every((_, i) => {
      const [old, copied] = [values.get(i), values.get(i + chosen.length)]
      return old !== undefined && isDeepStrictEqual(old, copied)
    })
  })
}
