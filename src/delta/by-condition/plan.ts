/**
 * What a delete or update by condition writes. The fate of a file is that of a merge's: where the table has
 * deletion vectors it is marked, unless it is small or mostly deleted; else it is copied without the rows. A
 * file that loses all its rows is removed. Rows that change go to new files of their partitions, beside the
 * copies.
 */
import type { AddAction } from '../actions.ts'
import type { Mark } from '../deletion-vectors/index.ts'
import { remainingRows } from '../file-sizes.ts'
import { fateOf } from '../merge/plan.ts'
import { partitionKey } from '../partition-values.ts'
import type { FoundPositions, FoundRows } from './finder.ts'

/** Rows of a file that change, as far as they go to one partition. */
export interface ChangedPart {
  readonly add: AddAction
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly positions: FoundPositions
}

/** One file to be written; without rows at all it is not. */
export interface PlannedFile {
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Files that are copied without the rows found in them, which are not all. */
  readonly copies: readonly FoundRows[]
  readonly changes: readonly ChangedPart[]
}

export interface ChangePlan {
  readonly files: readonly PlannedFile[]
  readonly marks: readonly Mark[]
  /** Files of which no row is left. */
  readonly emptied: readonly AddAction[]
}

export interface PlanOptions {
  /** Files are not joined beyond this size. */
  readonly targetFileBytes: number
  /** Bytes that a changed row is taken for. */
  readonly rowBytes: number
  /** Whether rows may be deleted by vectors. */
  readonly vectors: boolean
}

/** What is written together, with the bytes that it may take. */
interface Item extends PlannedFile {
  readonly bytes: number
}

/** `done`: files written before that are still right. `changes`: none for a delete. */
export function planChange(
  found: readonly FoundRows[],
  changes: readonly ChangedPart[],
  done: readonly PlannedFile[],
  options: PlanOptions
): ChangePlan {
  const copied = new Set(done.flatMap(file => file.copies.map(({ add }) => add.path)))
  const changed = new Set(done.flatMap(file => file.changes))
  const missing = new Set(changes.filter(part => !changed.has(part)))
  const marks: Mark[] = []
  const emptied: AddAction[] = []
  const items: Item[] = []
  for (const rows of found) {
    if (copied.has(rows.add.path)) continue
    const { add, positions } = rows
    const fate = fateOfRows(rows, options.vectors)
    if (positions === 'all' || fate === 'empty') emptied.push(add)
    else if (fate === 'mark') marks.push({ add, positions })
    else {
      const own = partsBeside(add, missing)
      for (const part of own) missing.delete(part)
      const { size, partitionValues } = add
      items.push({ partitionValues, copies: [rows], changes: own, bytes: size })
    }
  }
  for (const part of missing) {
    const { partitionValues, add, positions } = part
    const rows = positions === 'all' ? remainingRows(add) : positions.length
    const bytes = rows === undefined ? add.size : rows * options.rowBytes
    items.push({ partitionValues, copies: [], changes: [part], bytes })
  }
  return { files: joined(items, options.targetFileBytes), marks, emptied }
}

/** Changed rows of a file that stay in its partition, and so beside the others, which are copied. */
function partsBeside(add: AddAction, parts: Iterable<ChangedPart>): ChangedPart[] {
  const key = partitionKey(add.partitionValues)
  return [...parts].filter(part => {
    return part.add.path === add.path && partitionKey(part.partitionValues) === key
  })
}

function fateOfRows({ add, positions }: FoundRows, vectors: boolean): 'mark' | 'empty' | 'copy' {
  if (positions === 'all') return 'empty'
  if (vectors) return fateOf(add, positions.length)
  const rows = remainingRows(add)
  return rows !== undefined && positions.length >= rows ? 'empty' : 'copy'
}

/** Of one partition as much together as fits, in the order of the table. */
function joined(items: readonly Item[], targetFileBytes: number): PlannedFile[] {
  const open = new Map<string, Item>()
  const full: PlannedFile[] = []
  for (const item of items) {
    const key = partitionKey(item.partitionValues)
    const before = open.get(key)
    if (before === undefined) open.set(key, item)
    else if (before.bytes + item.bytes > targetFileBytes) {
      full.push(before)
      open.set(key, item)
    } else {
      open.set(key, {
        partitionValues: item.partitionValues,
        copies: [...before.copies, ...item.copies],
        changes: [...before.changes, ...item.changes],
        bytes: before.bytes + item.bytes
      })
    }
  }
  return [...full, ...open.values()]
}
