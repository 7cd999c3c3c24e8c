/** How large the files of a table are and should be, as far as its log says. */
import type { AddAction } from './actions.ts'
import { statsOf } from './data-skipping.ts'
import type { Snapshot } from './log-state.ts'

const MEBIBYTE = 1_048_576
const LARGEST = 64 * MEBIBYTE
/** Files that tell well enough what a row takes. */
const ENOUGH_FILES = 500
/** Bytes that a row is taken for when no file of the table tells. */
const ROW_BYTES = 200

/**
 * Files are not joined beyond this size: a sixteenth of the table, between 2 and 64 MiB, since it bounds
 * what one changed row costs where files are copied.
 */
export function targetFileBytes(snapshot: Snapshot): number {
  let bytes = 0
  for (const add of snapshot.files.values()) {
    bytes += add.size
    if (bytes >= 16 * LARGEST) break
  }
  return Math.min(LARGEST, Math.max(2 * MEBIBYTE, bytes / 16))
}

export function averageRowBytes(snapshot: Snapshot): number {
  let bytes = 0
  let rows = 0
  let files = 0
  for (const add of snapshot.files.values()) {
    const { numRecords } = statsOf(add)
    if (numRecords === undefined) continue
    bytes += add.size
    rows += Number(numRecords)
    if (++files === ENOUGH_FILES) break
  }
  return rows === 0 ? ROW_BYTES : bytes / rows
}

/** Rows of a file that are not deleted; undefined when its statistics do not say. */
export function remainingRows(add: AddAction): number | undefined {
  const { numRecords } = statsOf(add)
  return numRecords === undefined
    ? undefined
    : Number(numRecords) - (add.deletionVector?.cardinality ?? 0)
}
