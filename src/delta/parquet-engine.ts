/**
 * What the Delta engine asks of a Parquet engine: match keys, write files with their statistics, read
 * and check. All paths are of local files; `adapters/duckdb` implements it. Values cross the border as
 * `CellValue`s (core/table.ts).
 */
import type { CellValue, JsonObject, Row } from '../core/index.ts'
import type { DataType } from './schema.ts'
import type { Compression } from './table-properties.ts'

/** A column of a table, as files have it. */
export interface EngineColumn {
  /** The name that people see: in rows, filters and results. */
  readonly name: string
  /** The name in data files and in `partitionValues` (PROTOCOL.md "Column Mapping"). */
  readonly physicalName: string
  /** Parquet field id that data files are written with, where the table maps its columns. */
  readonly fieldId?: number
  /** Columns of data files are found by the field id and not by the name (mapping mode `id`). */
  readonly foundById?: true
  /** Fields of structs inside carry their own mapping in their metadata. */
  readonly type: DataType
  /** The value is constant in a file and stands in `DataFile.partitionValues`. */
  readonly partition: boolean
  /**
   * What a row has where its file holds null or lacks the column: `DataFile.baseRowId` and its position
   * together, or `DataFile.commitVersion`; null where the file has neither. Of type `long`.
   */
  readonly generated?: 'rowId' | 'commitVersion'
}

/** A file of a table, and which of its rows count. */
export interface DataFile {
  /** Of a local file. */
  readonly localPath: string
  /** Bytes, as the log says. */
  readonly size: number
  /** In the log's serialisation (partition-values.ts). */
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Positions of deleted rows, ascending; such rows are in no answer and in no copy. */
  readonly deleted?: Uint32Array
  /**
   * For scans and copies: positions of the only rows that are read, ascending. Such a file is given
   * without `deleted`, and is copied whole.
   */
  readonly only?: Uint32Array
  /** Id of the first row, for columns that are generated. */
  readonly baseRowId?: number | bigint
  /** For columns that are generated. */
  readonly commitVersion?: number
}

/** Zero-based positions of rows in one file. */
export type Positions = readonly number[] | Uint32Array

/** Which stored rows have these keys? */
export interface MatchRequest {
  /** To search. */
  readonly files: readonly DataFile[]
  /** The columns that make up the key. */
  readonly keys: readonly EngineColumn[]
  /** Rows that hold the key columns, none of them null. */
  readonly rows: readonly Row[]
  /** Columns to return of each match. */
  readonly columns: readonly EngineColumn[]
}

/** A stored row with a key that was looked for. */
export interface Match {
  /** Index into `MatchRequest.rows`. */
  readonly row: number
  /** Index into `MatchRequest.files`. */
  readonly file: number
  /** Zero-based position of the row in its file. */
  readonly position: number
  /** Of the columns asked for. */
  readonly values: Record<string, CellValue>
}

/** Keys of rows as hashes (key-index/key-hash.ts says which), with their places. */
export interface KeyHashes {
  /** Four words a row, the last one the most significant. */
  readonly hashes: Uint32Array
  /** Two numbers a row: the position in its file, the index of the file. */
  readonly places: Uint32Array
}

/** Rows by their places. */
export interface FetchRequest {
  /** That hold them. */
  readonly files: readonly DataFile[]
  /** To return of each row. */
  readonly columns: readonly EngineColumn[]
  /** Index into `files`, and zero-based position there. */
  readonly places: readonly { readonly file: number; readonly position: number }[]
}

/** What a column is set to: an expression over the former values of the row, or a value. */
export interface Assignment {
  /** Its name in the table. */
  readonly column: string
  /** SQL of the engine, or a value of the type of the column. */
  readonly to: { readonly sql: string } | { readonly value: CellValue }
}

/** Rows of files with some of their columns set anew. */
export interface ChangedRows {
  /** The rows that are neither deleted nor left out by `only`. */
  readonly files: readonly DataFile[]
  /** All columns of the table. */
  readonly schema: readonly EngineColumn[]
  /** Other columns keep their values. */
  readonly set: readonly Assignment[]
  /** Columns that are computed of the new values, by column name, in SQL that gives their types. */
  readonly computed?: ReadonlyMap<string, string>
}

/** Changed rows with the same values of some columns. */
export interface ChangedGroup {
  /** By column name. */
  readonly values: Readonly<Record<string, CellValue>>
  /** In each of the files; ascending. */
  readonly positions: readonly Uint32Array[]
}

/** An expression that a table holds, in SQL of the engine. */
export interface Translated {
  /** One expression. */
  readonly sql: string
  /** The columns that it names. */
  readonly columns: readonly string[]
}

/** Expressions over rows from JavaScript. */
export interface EvaluateRequest {
  /** Those that the expressions may name. */
  readonly columns: readonly EngineColumn[]
  /** By column name; absent values are null. */
  readonly rows: readonly Row[]
  /** In SQL of the engine, with the type of their values. */
  readonly expressions: readonly { readonly sql: string; readonly type: DataType }[]
}

/** A new file, of copied rows and given ones. */
export interface WriteRequest {
  /** Local path of the file. */
  readonly target: string
  /**
   * The columns of the file, in order. One that is constant in the files to copy has the value there that
   * their `partitionValues` say, and in the rows the one they hold.
   */
  readonly columns: readonly EngineColumn[]
  /** Files to copy, without the rows at the given positions. */
  readonly copies: readonly { readonly file: DataFile; readonly without: Positions }[]
  /** Come after the copied ones. */
  readonly rows: readonly Row[]
  /** Rows that are written with new values. */
  readonly changes?: ChangedRows
  /** Of the pages. */
  readonly compression: Compression
  /**
   * Without `rows` and `only`: those of the copies stand in the order of the copies, and within each in their own,
   * so that the place of each can be told.
   */
  readonly inOrder?: boolean
}

/** Files whose rows are to stand near each other by what they hold. */
export interface ClusterRequest {
  /** Files to copy whole. */
  readonly files: readonly DataFile[]
  /** Columns of the new files, in order. */
  readonly columns: readonly EngineColumn[]
  /** Those of the columns by whose values rows come to stand near each other; sorted when it is one. */
  readonly by: readonly EngineColumn[]
  /** Codec of the new files. */
  readonly compression: Compression
  /** Of the new files, on the local disk; made when it is not there. */
  readonly directory: string
  /** Name of a new file without its extension, with `{i}` for its number. */
  readonly namePattern: string
  /** A new file is begun when one has reached this size. */
  readonly targetFileBytes: number
}

/** One of the new files. */
export interface ClusteredFile extends WrittenFile {
  /** Below the directory. */
  readonly name: string
}

/** Which rows are looked for among those that were clustered. */
export interface RankRequest extends Pick<ClusterRequest, 'files' | 'by'> {
  /** Rows that are not deleted. */
  readonly places: readonly { readonly file: number; readonly position: number }[]
}

/** What is known of a column of a new file. */
export interface ColumnStatistics {
  /** Of a struct not known, and of arrays and maps neither. */
  readonly nullCount?: number
  /** Bounds as SQL text of the type, absent when unknown or when there is a NaN. */
  readonly min?: string
  /** Like `min`. */
  readonly max?: string
  /** Those of the fields of a struct, by physical name; null where the struct is null. */
  readonly fields?: ReadonlyMap<string, ColumnStatistics>
}

/** What a new file holds. */
export interface WrittenFile {
  /** Bytes. */
  readonly size: number
  /** Rows. */
  readonly numRecords: number
  /** By name. */
  readonly columns: ReadonlyMap<string, ColumnStatistics>
}

/** Which rows and columns of which files. */
export interface ScanRequest {
  /** To read. */
  readonly files: readonly DataFile[]
  /** All columns of the table, for `where`. */
  readonly schema: readonly EngineColumn[]
  /** Names of those to return, in order. */
  readonly columns: readonly string[]
  /** SQL boolean expression. */
  readonly where?: string
  /** The most rows. */
  readonly limit?: number
}

/** Formats of files that rows are written to. */
export type ExportFormat = 'parquet' | 'ndjson' | 'csv'

/** One conjunct of a filter that file statistics can answer; anything else is left out. */
export interface FilterTerm {
  /** As the filter spells it. */
  readonly column: string
  /** Between the column, on the left, and the values. */
  readonly operator: '=' | '<' | '<=' | '>' | '>=' | 'in'
  /** One, or any number for `in`. */
  readonly values: readonly CellValue[]
  /** Set when the filter says so with a cast; then only columns of this type may be compared. */
  readonly valueType?: 'date' | 'timestamp'
}

/** A filter taken apart. */
export interface FilterParts {
  /** What file statistics can answer. */
  readonly terms: readonly FilterTerm[]
  /** The terms together say all that the filter says. */
  readonly complete: boolean
  /** Names of the columns that it may refer to, as written; undefined when that cannot be told. */
  readonly columns: readonly string[] | undefined
}

/** Which rows of files a filter is true for. */
export interface FindRequest {
  /** To search. */
  readonly files: readonly DataFile[]
  /** Columns of the table that the filter may name. */
  readonly schema: readonly EngineColumn[]
  /** SQL boolean expression. */
  readonly where: string
}

/** Which partitions a filter is true for. */
export interface PartitionsRequest {
  /** In the log's serialisation, by physical name. */
  readonly partitions: readonly Readonly<Record<string, string | null>>[]
  /** The partition columns; the filter may name no others. */
  readonly columns: readonly EngineColumn[]
  /** SQL boolean expression. */
  readonly where: string
}

/** Reads, joins and writes Parquet files on the local disk; implemented on DuckDB. */
export interface ParquetEngine {
  /** Stored rows with the keys of the given rows. */
  match(request: MatchRequest): Promise<Match[]>
  /**
   * Writes one file, durable when it resolves; creates its directory. Without copies the file has the
   * rows in the order given, so that the position of each is its index.
   */
  write(request: WriteRequest): Promise<WrittenFile>
  /**
   * Copies files into new ones in which rows that are near in some columns share files and row groups.
   * The files in the order of their rows, durable when it resolves. The order depends on nothing but the
   * files and the columns.
   */
  cluster(request: ClusterRequest): Promise<ClusteredFile[]>
  /** Where rows stand among all rows that `cluster` writes of the same files, counted through its files. */
  clusterRanks(request: RankRequest): Promise<number[]>
  /** Rows at the places that exist, deleted ones too, each with the index of its place. */
  fetch(request: FetchRequest): Promise<{ place: number; values: Record<string, CellValue> }[]>
  /**
   * Hashes of the keys of all rows, deleted ones too but not those with a null in the key, ascending by
   * the last word, a batch at a time.
   */
  sortedKeyHashes(
    files: readonly DataFile[],
    keys: readonly EngineColumn[],
    salt: string
  ): AsyncIterable<KeyHashes>
  /** The rows, in no particular order. */
  scan(request: ScanRequest): Promise<Record<string, CellValue>[]>
  /** The same rows, a batch at a time. */
  scanBatches(request: ScanRequest): AsyncIterable<Record<string, CellValue>[]>
  /**
   * Writes the rows to a local file; resolves to their number. Lines of JSON hold cells as rows do, but times
   * as ISO 8601 text, and as text the numbers that JSON lacks (README.md "Nested values" has the forms).
   */
  export(request: ScanRequest, target: string, format: ExportFormat): Promise<number>
  /** Rejects with `DELTA_QUERY_INVALID` when the filter is not one expression without subqueries. */
  filterParts(where: string): Promise<FilterParts>
  /** In each file the rows, neither deleted nor passed over, for which the filter is true; ascending. */
  findRows(request: FindRequest): Promise<Uint32Array[]>
  /** For which of the partitions the filter is true. */
  filterPartitions(request: PartitionsRequest): Promise<boolean[]>
  /**
   * Rejects with `DELTA_QUERY_INVALID` when an expression is not one over the columns, or of a type that the
   * column does not take without a cast.
   */
  checkAssignments(schema: readonly EngineColumn[], set: readonly Assignment[]): Promise<void>
  /** The changed rows by the new values of the columns. */
  groupChanges(changes: ChangedRows, columns: readonly string[]): Promise<ChangedGroup[]>
  /** For each check, a SQL boolean expression, how many of the changed rows do not make it true. */
  countViolations(changes: ChangedRows, checks: readonly string[]): Promise<number[]>
  /**
   * SQL of this engine for an expression that a table holds, which is Spark's SQL, giving values of the type.
   * Rejects with `DELTA_UNSUPPORTED` one that is not sure to mean the same here.
   */
  translate(
    expression: string,
    schema: readonly EngineColumn[],
    type: DataType
  ): Promise<Translated>
  /** The values of each expression, one a row. */
  evaluate(request: EvaluateRequest): Promise<CellValue[][]>
  /** Number of rows in each file, from its footer. Rejects when a file is not Parquet. */
  rowCounts(localPaths: readonly string[]): Promise<number[]>
  /** How many key values occur more than once. */
  duplicateKeys(files: readonly DataFile[], keys: readonly EngineColumn[]): Promise<number>
  /** Rows of checkpoint files as JSON objects, with the named fields only. */
  readCheckpoint(localPaths: readonly string[]): Promise<JsonObject[]>
  /** Writes a checkpoint of the given actions (one JSON text each); resolves to its size in bytes. */
  writeCheckpoint(target: string, actions: readonly string[]): Promise<number>
  /** Waits for work under way. */
  close(): Promise<void>
}
