import type { AddAction, CdcAction } from './actions.ts'
import type { Marked } from './deletion-vectors/index.ts'

/** What the commit of an attempt says of files. */
export interface PreparedFiles<
  W extends { readonly add: AddAction | undefined } = { readonly add: AddAction | undefined }
> {
  /** Data files written, with the vector of rows that are obsolete already. */
  readonly written: readonly W[]
  /** Files that stay, with new vectors. */
  readonly marked: readonly Marked[]
  readonly emptied: readonly AddAction[]
  /** Files of changes; none where readers can tell the changes from the others. */
  readonly changes: readonly CdcAction[]
}

export const NO_FILES: PreparedFiles<never> = { written: [], marked: [], emptied: [], changes: [] }

/** One file encodes while another waits for the disk; more would only hold more memory. */
export const WRITES_AT_ONCE = 2
