/** Joins small files: each new one is a commit of its own, so that who loses one loses little. */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { countsBelow } from '../deletion-vectors/index.ts'
import { writeFile } from '../file-writer.ts'
import type { TableLog } from '../table-log.ts'
import type { OptimizeInfo } from './optimize-result.ts'
import {
  type CommittedRewrite,
  commitRewrite,
  currentFiles,
  type Rewrite,
  type Turn
} from './rewrite.ts'

/** A file of this part of the target is large enough. */
const FULL_PART = 0.75

/** Files of one partition to be joined, one list for each new file. */
export function planJoins(
  files: readonly AddAction[],
  targetFileBytes: number,
  isWorn: (add: AddAction) => boolean
): AddAction[][] {
  const wanted = files.filter(add => add.size < targetFileBytes * FULL_PART || isWorn(add))
  return binsOf(wanted, targetFileBytes).filter(bin => bin.length > 1 || bin.some(isWorn))
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

/** Undefined when other writers changed the files so that the new one is of no use. */
export async function join(
  log: TableLog,
  planned: readonly AddAction[],
  { info, signal }: { readonly info: OptimizeInfo; readonly signal: AbortSignal | undefined },
  turn: Turn
): Promise<CommittedRewrite | undefined> {
  const base = await log.refresh()
  const inputs = currentFiles(base, planned)
  if (inputs.length < planned.length) return undefined
  const [{ partitionValues } = { partitionValues: {} }] = inputs
  const copies = inputs.map(add => ({ add, without: [] }))
  const content = { partitionValues, inputs: copies, rows: [], inOrder: true }
  const output = await writeFile(log, base, content)
  const rewrite: Rewrite = {
    base,
    inputs,
    outputs: output === undefined ? [] : [output],
    ranks: (input, positions) => ranksInCopy(log, inputs, input, positions)
  }
  return await commitRewrite(log, rewrite, info, turn, signal)
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
    before += Number(numRecords) - (add.deletionVector?.cardinality ?? 0)
  }
  const add = inputs[input]
  const deleted = add === undefined ? undefined : await log.vectors.load(add)
  const below = countsBelow(positions, deleted ?? new Uint32Array(0))
  return positions.map((position, i) => before + position - (below[i] ?? 0))
}
