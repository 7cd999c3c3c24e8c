/**
 * Which files a merge writes. Every file that loses a row is copied without it; changed and new rows go
 * with the small ones of their partition. Files much smaller than what is written anyway are taken
 * along, in the manner of a log-structured merge: each row is copied a number of times that grows with
 * the logarithm of the table, and the number of files does too.
 */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey, partitionOf } from '../partition-values.ts'
import type { DecidedRow, Decisions } from './decisions.ts'

export interface PlannedInput {
  readonly add: AddAction
  /** Positions of rows that are not copied. */
  readonly without: readonly number[]
}

/** One file to be written; without rows at all it is not. */
export interface PlannedFile {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly inputs: readonly PlannedInput[]
  readonly rows: readonly DecidedRow[]
}

export interface PlanOptions {
  /** Files of this size are not joined with others. */
  readonly targetFileBytes: number
  /** Files below this size are always worth taking along. */
  readonly smallFileBytes: number
  /** Off after a conflict: the fewer files a merge touches, the likelier it gets through. */
  readonly absorb: boolean
}

interface Bin {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly touched: Map<AddAction, number[]>
  readonly rows: DecidedRow[]
}

/** Bytes that a row is taken for when no file of the table tells. */
const ROW_BYTES = 200

export function planFiles(
  snapshot: Snapshot,
  decisions: Decisions,
  done: readonly PlannedFile[],
  options: PlanOptions
): PlannedFile[] {
  const doneRows = new Set(done.flatMap(file => file.rows))
  const doneInputs = new Set(done.flatMap(file => file.inputs.map(input => input.add)))
  const bins = new Map<string, Bin>()
  const binOf = (values: Readonly<Record<string, string | null>>): Bin => {
    const key = partitionKey(values)
    const bin = bins.get(key) ?? { partitionValues: values, touched: new Map(), rows: [] }
    bins.set(key, bin)
    return bin
  }
  for (const row of decisions.rows) {
    if (!doneRows.has(row)) binOf(partitionOf(snapshot, row.values)).rows.push(row)
    if (row.replaces === undefined || doneInputs.has(row.replaces.add)) continue
    const { add, match } = row.replaces
    const { touched } = binOf(normalised(snapshot, add))
    const positions = touched.get(add)
    if (positions === undefined) touched.set(add, [match.position])
    else positions.push(match.position)
  }
  const rowBytes = averageRowBytes(snapshot)
  return [...bins].flatMap(([key, bin]) => {
    const free = options.absorb ? freeFiles(snapshot, key, bin, doneInputs) : []
    return splitBin(bin, free, rowBytes, options)
  })
}

/** Large files are copied one to one, so that they keep their size; the rest goes together. */
function splitBin(
  bin: Bin,
  free: readonly AddAction[],
  rowBytes: number,
  options: PlanOptions
): PlannedFile[] {
  const { partitionValues, rows } = bin
  const files: PlannedFile[] = []
  let rest = new Set(rows)
  let inputs: PlannedInput[] = []
  let bytes = rows.length * rowBytes
  const touched = [...bin.touched].sort(([a], [b]) => a.size - b.size)
  for (const [add, without] of touched) {
    if (add.size < options.targetFileBytes && bytes + add.size <= options.targetFileBytes) {
      inputs.push({ add, without })
      bytes += add.size
      continue
    }
    const own = [...rest].filter(row => row.replaces?.add === add)
    rest = rest.difference(new Set(own))
    files.push({ partitionValues, inputs: [{ add, without }], rows: own })
  }
  for (const add of free) {
    if (add.size > Math.max(bytes, options.smallFileBytes)) break
    if (bytes + add.size > options.targetFileBytes) break
    inputs = [...inputs, { add, without: [] }]
    bytes += add.size
  }
  if (inputs.length > 0 || rest.size > 0) files.push({ partitionValues, inputs, rows: [...rest] })
  return files
}

function averageRowBytes(snapshot: Snapshot): number {
  let bytes = 0
  let rows = 0
  for (const add of snapshot.files.values()) {
    const { numRecords } = statsOf(add)
    if (numRecords === undefined) continue
    bytes += add.size
    rows += Number(numRecords)
  }
  return rows === 0 ? ROW_BYTES : bytes / rows
}

/** Files of the partition that the merge does not have to touch, smallest first. */
function freeFiles(
  snapshot: Snapshot,
  key: string,
  bin: Bin,
  done: ReadonlySet<AddAction>
): AddAction[] {
  return [...snapshot.files.values()]
    .filter(add => !bin.touched.has(add) && !done.has(add))
    .filter(add => partitionKey(normalised(snapshot, add)) === key)
    .sort((a, b) => a.size - b.size)
}

function normalised(snapshot: Snapshot, add: AddAction): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const column of snapshot.metadata.partitionColumns) {
    values[column] = add.partitionValues?.[column] ?? null
  }
  return values
}
