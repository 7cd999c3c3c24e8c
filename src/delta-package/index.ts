/**
 * Door of `claims-pipeline/delta`: the Delta engine as a library. See docs/delta/README.md. What is exported
 * here is the public interface; docs/delta/api.md is made from its comments.
 */

export type { CellValue, ColumnPolicy, ColumnType, MergeGuard, Row } from '../core/index.ts'
export { DeltaError, type ErrorClass, type ErrorOptions } from '../core/index.ts'
export type {
  AppendOptions,
  AppendResult,
  ColumnName,
  ColumnStatistics,
  DataFile,
  DeltaOptions,
  DeltaPorts,
  EngineColumn,
  ExportFormat,
  FetchRequest,
  FilterTerm,
  HistoryEntry,
  KeyHashes,
  Match,
  MatchRequest,
  MergeOptions,
  MergePolicies,
  MergeResult,
  MergeSpec,
  NewRow,
  OptimizeOptions,
  OptimizeResult,
  ParquetEngine,
  PartialRow,
  ReadAtOptions,
  RestoreOptions,
  RestoreResult,
  RowHashes,
  RowOf,
  ScanRequest,
  Snapshot,
  StoredRow,
  TransactionOptions,
  VacuumOptions,
  VacuumResult,
  VerifyReport,
  WriteRequest,
  WrittenFile
} from '../delta/index.ts'
export {
  type ColumnShorthand,
  type ColumnSpec,
  type ColumnsSpec,
  type DataType,
  DeltaTable,
  decimalOf,
  hasPosition,
  isNested,
  physicalName,
  positionsOf,
  type SchemaField,
  type StructType,
  type TableSpec
} from '../delta/index.ts'
export type { ObjectInfo, ObjectStore, PutResult } from '../ports/index.ts'

export {
  type DuckDbOptions,
  duckDbEngine,
  localFiles,
  memoryObjectStore,
  systemClock,
  systemIds
} from './adapters.ts'
export { DeltaLake, type OpenOrCreateOptions } from './delta-lake.ts'
export { type DeltaErrorCode, isDeltaError, type StorageErrorCode } from './errors.ts'
export { type OpenDeltaOptions, openDelta } from './open-delta.ts'
export { dateOfMicros, isoOfMicros, toMicros } from './times.ts'
