/** Door of the Delta engine: see README.md. */
export type {
  AddAction,
  DeletionVectorDescriptor,
  DomainMetadataAction,
  MetadataAction,
  ProtocolAction
} from './actions.ts'
export type { AppendOptions, AppendResult } from './append.ts'
export type { ChangeOptions } from './by-condition/change.ts'
export type { ChangesOptions, ChangesRange, ChangeType } from './change-data/index.ts'
export { columnId } from './column-mapping.ts'
export type {
  ArraySpec,
  ColumnSpec,
  MapSpec,
  PrimitiveType,
  StructSpec,
  TypeSpec
} from './column-spec.ts'
export { missingColumns, type TableSpec } from './definition.ts'
export { differenceOf, hasPosition, positionsOf, unionOf } from './deletion-vectors/index.ts'
export { hashKeys } from './key-index/index.ts'
export type { Snapshot } from './log-state.ts'
export type { AutomaticMaintenance } from './maintenance/automatic.ts'
export type { MaintenanceOptions, MaintenanceResult } from './maintenance/maintenance.ts'
export type { MergeOptions, MergeResult } from './merge/merge.ts'
export type { MergePolicies, MergeSpec } from './merge/rules.ts'
export type { DeleteOptions, DeleteResult } from './operations/delete.ts'
export type { OptimizeOptions } from './operations/optimize.ts'
export type { OptimizeResult } from './operations/optimize-result.ts'
export type { RestoreOptions, RestoreResult } from './operations/restore.ts'
export type { NewValue, UpdateOptions, UpdateResult } from './operations/update.ts'
export type { VacuumOptions, VacuumResult } from './operations/vacuum.ts'
export type {
  Assignment,
  ChangedGroup,
  ChangedRows,
  ClusteredFile,
  ClusterRequest,
  ColumnStatistics,
  DataFile,
  EngineColumn,
  EvaluateRequest,
  ExportFormat,
  FetchRequest,
  FilterParts,
  FilterTerm,
  FindRequest,
  KeyHashes,
  Match,
  MatchRequest,
  ParquetEngine,
  PartitionsRequest,
  Positions,
  RankRequest,
  ScanRequest,
  Translated,
  WriteRequest,
  WrittenFile
} from './parquet-engine.ts'
export type { DeltaPorts } from './ports.ts'
export type { ReadOptions } from './read.ts'
export { type MergedRow, type MergeRules, mergeRows } from './row-policies.ts'
export type {
  BinaryText,
  CellOf,
  CellTypes,
  ColumnCell,
  ColumnName,
  ColumnShorthand,
  ColumnsSpec,
  DecimalText,
  Given,
  NestedText,
  NewRow,
  Nullable,
  PartialRow,
  RowOf,
  StoredRow
} from './row-types.ts'
export { columnList } from './row-types.ts'
export {
  type ArrayType,
  type DataType,
  decimalOf,
  describeType,
  isNested,
  type MapType,
  physicalName,
  type SchemaField,
  type StructType
} from './schema.ts'
export { DeltaTable } from './table.ts'
export type { DeltaOptions, HistoryEntry, ReadAtOptions, VersionOrTime } from './table-options.ts'
export type { Compression } from './table-properties.ts'
export type { TransactionOptions } from './transactions.ts'
export type { InputRow, InputValue, NestedInput } from './values/cells.ts'
export { compareCells } from './values/order.ts'
export type { VerifyReport } from './verify.ts'
