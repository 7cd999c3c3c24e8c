/** Row tracking (PROTOCOL.md "Row Tracking"). */
export { hasIds, withRowIds } from './assign.ts'
export {
  assignsRowIds,
  COMMIT_VERSION_NAME,
  keepsRowIds,
  ROW_ID_NAME,
  rowIdColumn,
  trackingColumns
} from './columns.ts'
export { filesWithoutIds, withRowTracking } from './enable.ts'
