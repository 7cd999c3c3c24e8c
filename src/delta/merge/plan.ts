/**
 * What a merge writes. A stored row that changes is marked in its file's deletion vector where the table
 * has them; else, and where the file is small or mostly deleted already, the file is copied without it.
 * New rows go to one file a partition, together with the small ones that are copied. Files much smaller
 * than what is written anyway are taken along, in the manner of a log-structured merge: each row is
 * copied a number of times that grows with the logarithm of the table, and the number of files does too.
 */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { averageRowBytes } from '../file-sizes.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { partitionFields, partitionKey, partitionOf } from '../partition-values.ts'
import { physicalName } from '../schema.ts'
import type { DecidedRow, Decision, Decisions } from './decisions.ts'

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

/** A file that stays, with more of its rows deleted. */
export interface PlannedMark {
  readonly add: AddAction
  /** Rows deleted beyond those that are already. */
  readonly positions: readonly number[]
}

export interface MergePlan {
  readonly files: readonly PlannedFile[]
  readonly marks: readonly PlannedMark[]
  /** Files of which no row is left. */
  readonly emptied: readonly AddAction[]
}

export interface PlanOptions {
  /** Files of this size are not joined with others. */
  readonly targetFileBytes: number
  /** Files below this size are always worth taking along. */
  readonly smallFileBytes: number
  /** Off after a conflict: the fewer files a merge touches, the likelier it gets through. */
  readonly absorb: boolean
  /** Whether rows may be deleted by vectors. */
  readonly vectors: boolean
}

interface Bin {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly touched: Map<AddAction, number[]>
  readonly rows: DecidedRow[]
}

/** A smaller file is copied for less than what its vector, and two actions for it, cost. */
const MARK_FROM_BYTES = 16_384
/** Beyond this part of its rows a file is copied: a reader of it reads mostly what is deleted. */
const MARKED_PART = 0.5
/** With vectors nothing has to be copied, so files are joined only when there are this many. */
const JOIN_FROM_FILES = 8

export function planMerge(
  snapshot: Snapshot,
  decisions: Decisions,
  done: readonly PlannedFile[],
  options: PlanOptions
): MergePlan {
  const doneRows = new Set<Decision>(done.flatMap(file => file.rows))
  const doneInputs = new Set(done.flatMap(file => file.inputs.map(input => input.add)))
  const bins = new Map<string, Bin>()
  const binOf = (values: Readonly<Record<string, string | null>>): Bin => {
    const key = partitionKey(values)
    const bin = bins.get(key) ?? { partitionValues: values, touched: new Map(), rows: [] }
    bins.set(key, bin)
    return bin
  }
  for (const decision of decisions.all) {
    if (!isRow(decision) || doneRows.has(decision)) continue
    binOf(partitionOf(snapshot, decision.values)).rows.push(decision)
  }
  const marks: PlannedMark[] = []
  const emptied: AddAction[] = []
  for (const [add, positions] of touchedFiles(snapshot, decisions)) {
    if (doneInputs.has(add)) continue
    const fate = options.vectors ? fateOf(add, positions.length) : 'copy'
    if (fate === 'mark') marks.push({ add, positions })
    else if (fate === 'empty') emptied.push(add)
    else binOf(normalised(snapshot, add)).touched.set(add, positions)
  }
  const kept = new Set([...doneInputs, ...marks.map(mark => mark.add), ...emptied])
  const rowBytes = averageRowBytes(snapshot)
  const files = [...bins].flatMap(([key, bin]) => {
    const free = options.absorb ? freeFiles(snapshot, key, bin, kept, options.targetFileBytes) : []
    return splitBin(bin, free, rowBytes, options)
  })
  return { files, marks, emptied }
}

function isRow(decision: Decision): decision is DecidedRow {
  return decision.values !== undefined
}

/** The files of the snapshot that lose rows, and which. */
function touchedFiles(snapshot: Snapshot, decisions: Decisions): Map<AddAction, number[]> {
  const touched = new Map<AddAction, number[]>()
  const byPath = new Map<string, number[]>()
  for (const { replaces } of decisions.all) {
    if (replaces === undefined) continue
    const { add, match } = replaces
    const known = byPath.get(add.path)
    if (known !== undefined) {
      known.push(match.position)
      continue
    }
    const positions = [match.position]
    byPath.set(add.path, positions)
    const current = snapshot.files.get(fileKey(add))
    if (current !== undefined) touched.set(current, positions)
  }
  if (touched.size === byPath.size) return touched
  // A file that got a newer vector after it was searched is known by its path alone.
  for (const add of snapshot.files.values()) {
    const positions = byPath.get(add.path)
    if (positions !== undefined) touched.set(add, positions)
  }
  return touched
}

/** What becomes of a file that loses so many rows, where the table has vectors. */
export function fateOf(add: AddAction, rows: number): 'mark' | 'empty' | 'copy' {
  const { numRecords } = statsOf(add)
  const deleted = rows + (add.deletionVector?.cardinality ?? 0)
  if (numRecords !== undefined && deleted >= Number(numRecords)) return 'empty'
  if (add.size < MARK_FROM_BYTES) return 'copy'
  return numRecords !== undefined && deleted > Number(numRecords) * MARKED_PART ? 'copy' : 'mark'
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
  const inputs: PlannedInput[] = []
  let bytes = rows.length * rowBytes
  const touched = [...bin.touched].sort(([a], [b]) => a.size - b.size)
  for (const [add, without] of touched) {
    if (add.size < options.targetFileBytes && bytes + add.size <= options.targetFileBytes) {
      inputs.push({ add, without })
      bytes += add.size
      continue
    }
    const own = [...rest].filter(row => row.replaces?.add.path === add.path)
    rest = rest.difference(new Set(own))
    files.push({ partitionValues, inputs: [{ add, without }], rows: own })
  }
  const joined = joinedFiles(free, bytes, options)
  if (!options.vectors || joined.length >= JOIN_FROM_FILES) {
    inputs.push(...joined.map(add => ({ add, without: [] })))
  }
  if (inputs.length > 0 || rest.size > 0) files.push({ partitionValues, inputs, rows: [...rest] })
  return files
}

/** Files that are worth taking along, when so many bytes are written anyway. */
function joinedFiles(
  free: readonly AddAction[],
  written: number,
  options: PlanOptions
): AddAction[] {
  const joined: AddAction[] = []
  let bytes = written
  for (const add of free) {
    if (add.size > Math.max(bytes, options.smallFileBytes)) break
    if (bytes + add.size > options.targetFileBytes) break
    joined.push(add)
    bytes += add.size
  }
  return joined
}

/** Files of the partition that the merge does not have to touch and may join, smallest first. */
function freeFiles(
  snapshot: Snapshot,
  key: string,
  bin: Bin,
  kept: ReadonlySet<AddAction>,
  largest: number
): AddAction[] {
  const free: AddAction[] = []
  for (const add of snapshot.files.values()) {
    if (add.size > largest || bin.touched.has(add) || kept.has(add)) continue
    if (partitionKey(normalised(snapshot, add)) === key) free.push(add)
  }
  return free.sort((a, b) => a.size - b.size)
}

function normalised(snapshot: Snapshot, add: AddAction): Record<string, string | null> {
  const values: Record<string, string | null> = {}
  for (const field of partitionFields(snapshot)) {
    const name = physicalName(field)
    values[name] = add.partitionValues?.[name] ?? null
  }
  return values
}
