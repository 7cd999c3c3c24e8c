/** The change data feed (PROTOCOL.md "Change Data Files"): which rows each version added, changed and deleted. */
export { assertNoChangeColumns, type ChangeType, recordsChanges } from './columns.ts'
export type { ChangesOptions } from './plan.ts'
export type { ChangesRange } from './range.ts'
export { changeBatches, exportChanges } from './read.ts'
export {
  CHANGE_DIRECTORY,
  type ChangedRow,
  type Changes,
  type StoredChanges,
  writeChanges
} from './write.ts'
