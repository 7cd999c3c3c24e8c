export {
  type DeltaTables,
  type DeltaTablesOptions,
  type DeltaTablesPorts,
  openDeltaTables
} from './delta-tables.ts'
export type { TableDescription } from './describe-table.ts'
