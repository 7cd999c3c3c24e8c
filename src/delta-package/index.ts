/**
 * Door of `claims-pipeline/delta`: the Delta engine as a library. See docs/delta/README.md. What is exported
 * here is the public interface; docs/delta/api.md is made from its comments.
 */

export type {
  CellValue,
  ColumnPolicy,
  ColumnType,
  JsonObject,
  JsonValue,
  MergeGuard,
  Row
} from '../core/index.ts'
export {
  DeltaError,
  type ErrorClass,
  type ErrorCode,
  type ErrorOptions,
  PipelineError
} from '../core/index.ts'
export type {
  AddAction,
  AppendOptions,
  AppendResult,
  ArraySpec,
  ArrayType,
  Assignment,
  BinaryText,
  CellOf,
  CellTypes,
  ChangedGroup,
  ChangedRows,
  ChangeOptions,
  ChangesOptions,
  ChangesRange,
  ChangeType,
  ClusteredFile,
  ClusterRequest,
  ColumnCell,
  ColumnName,
  ColumnStatistics,
  Compression,
  DataFile,
  DecimalText,
  DeleteOptions,
  DeleteResult,
  DeletionVectorDescriptor,
  DeltaOptions,
  DeltaPorts,
  DomainMetadataAction,
  EngineColumn,
  EvaluateRequest,
  ExportFormat,
  FetchRequest,
  FilterParts,
  FilterTerm,
  FindRequest,
  Given,
  HistoryEntry,
  InputRow,
  InputValue,
  KeyHashes,
  MapSpec,
  MapType,
  Match,
  MatchRequest,
  MergeOptions,
  MergePolicies,
  MergeResult,
  MergeRules,
  MergeSpec,
  MetadataAction,
  NestedText,
  NewRow,
  NewValue,
  Nullable,
  OptimizeOptions,
  OptimizeResult,
  ParquetEngine,
  PartialRow,
  PartitionsRequest,
  Positions,
  PrimitiveType,
  ProtocolAction,
  RankRequest,
  ReadAtOptions,
  ReadOptions,
  RestoreOptions,
  RestoreResult,
  RowOf,
  ScanRequest,
  Snapshot,
  StoredRow,
  StructSpec,
  TransactionOptions,
  Translated,
  TypeSpec,
  UpdateOptions,
  UpdateResult,
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
  hashKeys,
  hasPosition,
  isNested,
  physicalName,
  positionsOf,
  type SchemaField,
  type StructType,
  type TableSpec
} from '../delta/index.ts'
export type { Clock, Ids, ObjectInfo, ObjectStore, PutResult } from '../ports/index.ts'

export {
  type DuckDbOptions,
  duckDbEngine,
  localFiles,
  type MemoryObjectStoreOptions,
  memoryObjectStore,
  systemClock,
  systemIds
} from './adapters.ts'
export { checkObjectStore } from './check-object-store.ts'
export { DeltaLake, type OpenOrCreateOptions } from './delta-lake.ts'
export { type DeltaErrorCode, isDeltaError, type StorageErrorCode } from './errors.ts'
export { type OpenDeltaOptions, openDelta } from './open-delta.ts'
export { dateOfMicros, isoOfMicros, toMicros } from './times.ts'
