export {
  type DeltaTables,
  type DeltaTablesOptions,
  type DeltaTablesPorts,
  openDeltaTables,
  type TableDescription
} from './delta-tables.ts'
