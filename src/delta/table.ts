/**
 * A Delta table: open or create it, change it, read it. Safe for many writers, in one process and in
 * several; writers of one `DeltaTable` object take turns, so that they do not conflict with each other.
 */
import type { CellValue } from '../core/index.ts'
import { DeltaError } from '../core/index.ts'
import { type AppendOptions, type AppendResult, appendTo } from './append.ts'
import { type ChangesOptions, changeBatches, exportChanges } from './change-data/index.ts'
import { DataFiles } from './data-files.ts'
import type { TableSpec } from './definition.ts'
import { versionAt } from './log/commit-times.ts'
import { compactLog } from './log/compaction.ts'
import { historyOf } from './log/history.ts'
import { loadState } from './log-reader.ts'
import type { Snapshot } from './log-state.ts'
import { type AutomaticMaintenance, Maintenance } from './maintenance/automatic.ts'
import {
  type MaintenanceOptions,
  type MaintenanceResult,
  maintainTable
} from './maintenance/maintenance.ts'
import { type MergeOptions, type MergeResult, mergeInto } from './merge/merge.ts'
import { type MergeSpec, mergeRulesOf } from './merge/rules.ts'
import { addColumns, dropColumn, renameColumn, setProperties } from './operations/alter.ts'
import { addConstraint, dropConstraint } from './operations/constraints.ts'
import { createTable } from './operations/create.ts'
import { type DeleteOptions, type DeleteResult, deleteRows } from './operations/delete.ts'
import { changeDomain } from './operations/domains.ts'
import { type OptimizeOptions, optimizeTable } from './operations/optimize.ts'
import type { OptimizeResult } from './operations/optimize-result.ts'
import { type RestoreOptions, type RestoreResult, restoreTable } from './operations/restore.ts'
import type { Turn } from './operations/rewrite.ts'
import { setClustering } from './operations/set-clustering.ts'
import { type UpdateOptions, type UpdateResult, updateRows } from './operations/update.ts'
import { type VacuumOptions, type VacuumResult, vacuumTable } from './operations/vacuum.ts'
import type { ExportFormat } from './parquet-engine.ts'
import type { DeltaPorts } from './ports.ts'
import { Queue } from './queue.ts'
import { countRows, findKeys, openScan, withScan } from './read.ts'
import {
  type ColumnName,
  type ColumnsSpec,
  columnList,
  type NewRow,
  type PartialRow,
  type StoredRow
} from './row-types.ts'
import { TableLog } from './table-log.ts'
import type { DeltaOptions, HistoryEntry, ReadAtOptions, VersionOrTime } from './table-options.ts'
import type { InputRow, InputValue } from './values/cells.ts'
import { type VerifyReport, verifyTable } from './verify.ts'

/** `R` is the type of its rows, for the compiler: see `RowOf`. */
export class DeltaTable<R extends object = StoredRow> {
  readonly #log: TableLog
  readonly #turns = new Queue()
  /** Rewrites of files run beside the rest, one at a time. */
  readonly #rewrites = new Queue()
  readonly #maintenance: Maintenance | undefined
  #closed = false

  private constructor(log: TableLog, maintenance?: AutomaticMaintenance) {
    this.#log = log
    if (maintenance === undefined) return
    const run = (options: MaintenanceOptions) => this.maintain(options)
    this.#maintenance = new Maintenance(log.ports, log.where, maintenance, run)
  }

  /** Rejects with `DELTA_TABLE_NOT_FOUND` when there is proven to be no table. */
  static async open<R extends object = StoredRow>(
    path: string,
    ports: DeltaPorts,
    options: DeltaOptions
  ): Promise<DeltaTable<R>> {
    const table = await DeltaTable.openIfExists<R>(path, ports, options)
    if (table !== undefined) return table
    throw new DeltaError(
      'DELTA_TABLE_NOT_FOUND',
      `There is no Delta table at ${ports.store.root}/${path}`
    )
  }

  /** Like `open`; undefined when there is proven to be no table. */
  static async openIfExists<R extends object = StoredRow>(
    path: string,
    ports: DeltaPorts,
    options: DeltaOptions
  ): Promise<DeltaTable<R> | undefined> {
    const data = new DataFiles(ports, options)
    const state = await loadState(ports, data, path)
    if (state === undefined) return undefined
    state.snapshot()
    return new DeltaTable(new TableLog(ports, data, path, state, options), options.maintenance)
  }

  /**
   * Opens the table, or creates it when its absence is proven. Of several that create it at once one
   * wins and the others use its table. The definition is not compared: see `addColumns`.
   */
  static async openOrCreate<R extends object = StoredRow>(
    path: string,
    spec: TableSpec,
    ports: DeltaPorts,
    options: DeltaOptions
  ): Promise<DeltaTable<R>> {
    const existing = await DeltaTable.openIfExists<R>(path, ports, options)
    if (existing !== undefined) return existing
    await createTable(path, spec, ports)
    return await DeltaTable.open(path, ports, options)
  }

  /** Where the table is, for messages. */
  get location(): string {
    return this.#log.where
  }

  /** The newest version of an application's transactions; undefined when there is none. */
  async transactionVersion(appId: string): Promise<number | undefined> {
    return (await this.#log.refresh()).transactions.get(appId)
  }

  /** The newest version, or the one asked for. Rejects with `DELTA_VERSION_NOT_FOUND`. */
  async snapshot(at: number | VersionOrTime = {}): Promise<Snapshot> {
    if (typeof at === 'number') return await this.#log.at(at)
    const { version, timestamp } = at
    if (version !== undefined) return await this.#log.at(version)
    if (timestamp !== undefined) return await this.#log.at(await this.versionAt(timestamp))
    return await this.#log.refresh()
  }

  /**
   * The version that was current at a time, in milliseconds since the epoch: the newest that was committed
   * at or before it. In-commit timestamps count where the table has them, else the times of the commit
   * files. Rejects with `DELTA_VERSION_NOT_FOUND`, saying what range there is, when the time is before the
   * oldest commit that can still be read or after the newest.
   */
  async versionAt(timestamp: number): Promise<number> {
    const newest = await this.#log.refresh()
    return await versionAt(this.#log.ports, this.#log.path, newest, timestamp)
  }

  /**
   * Adds the nullable columns that are missing, fields of structs too; rejects other differences (`DELTA_SCHEMA_MISMATCH`), and names
   * that a table without column mapping cannot have (`DELTA_SCHEMA_INVALID`).
   */
  async addColumns(columns: ColumnsSpec): Promise<void> {
    await this.#exclusively(() => addColumns(this.#log, columnList(columns)))
  }

  /**
   * Renames a column, or, by its path, a field of a struct (`['address', 'zip']`; inside of arrays and maps
   * by `element`, `key`, `value`). No file is touched. Needs `delta.columnMapping.mode`
   * (`DELTA_UNSUPPORTED`); rejects with `DELTA_SCHEMA_INVALID` when the name is taken, or the column is named
   * by constraints, other expressions or the clustering.
   */
  async renameColumn(column: ColumnName<R> | readonly string[], to: string): Promise<void> {
    const path = typeof column === 'string' ? [column] : column
    await this.#exclusively(() => renameColumn(this.#log, path, to))
  }

  /**
   * Takes a column or a field out of the table, as `renameColumn` names it. Its values stay in the files that
   * have them, and in former versions. Partition columns cannot be dropped.
   */
  async dropColumn(column: ColumnName<R> | readonly string[]): Promise<void> {
    const path = typeof column === 'string' ? [column] : column
    await this.#exclusively(() => dropColumn(this.#log, path))
  }

  /**
   * Sets table properties, or removes those whose value is null; the protocol is raised where they need it,
   * never lowered. Rejects with `DELTA_PROPERTY_INVALID`, or `DELTA_UNSUPPORTED` for features that this
   * engine does not write.
   */
  async setProperties(changes: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#exclusively(() => setProperties(this.#log, changes))
  }

  /**
   * Keeps a text in the log under a name of the program, such as `com.example.sync`; `snapshot().domains` has it.
   * Resolves to the new version. Rejects with `DELTA_CONFLICT` when another writer changed the same domain
   * meanwhile, with `DELTA_UNSUPPORTED` for names that begin with `delta.`.
   */
  async setDomain(domain: string, configuration: string): Promise<number> {
    return await this.#exclusively(() => changeDomain(this.#log, domain, configuration))
  }

  /** Removes what `setDomain` has set; resolves to the version that is newest then. */
  async removeDomain(domain: string): Promise<number> {
    return await this.#exclusively(() => changeDomain(this.#log, domain, undefined))
  }

  /**
   * Asks of every row that it makes a SQL expression (in Spark's dialect) true. Rejects with
   * `DELTA_CONSTRAINT_VIOLATED` when stored rows do not, with `DELTA_UNSUPPORTED` expressions that this
   * engine does not evaluate.
   */
  async addConstraint(name: string, expression: string): Promise<void> {
    await this.#exclusively(() => addConstraint(this.#log, name, expression))
  }

  /** Drops a check constraint. Rejects with `DELTA_PROPERTY_INVALID` when there is none of the name. */
  async dropConstraint(name: string): Promise<void> {
    await this.#exclusively(() => dropConstraint(this.#log, name))
  }

  /**
   * Has `optimize` bring rows near each other by these columns, instead of those before; null: by none.
   * What is stored stays as it is until then. Rejects with `DELTA_CLUSTERING_INVALID`.
   */
  async setClustering(columns: readonly string[] | null): Promise<void> {
    await this.#exclusively(() => setClustering(this.#log, columns))
  }

  /** Adds the rows in one commit. */
  async append(rows: readonly NewRow<R>[], options: AppendOptions = {}): Promise<AppendResult> {
    return await this.#exclusively(
      () => appendTo(this.#log, rows as readonly InputRow[], options),
      options.signal
    )
  }

  /** Merges the rows by key in one commit; commits nothing when nothing changes. */
  async merge(
    rows: readonly PartialRow<R>[],
    rules: MergeSpec<R>,
    options: MergeOptions = {}
  ): Promise<MergeResult> {
    const merge = () =>
      mergeInto(this.#log, rows as readonly InputRow[], mergeRulesOf(rules as MergeSpec), options)
    return await this.#exclusively(merge, options.signal)
  }

  /** Deletes the rows for which `where` is true, or all; commits nothing when there are none. */
  async delete(options: DeleteOptions = {}): Promise<DeleteResult> {
    return await this.#exclusively(() => deleteRows(this.#log, options), options.signal)
  }

  /** Sets columns of the rows for which `where` is true, or of all; commits nothing when there are none. */
  async update(options: UpdateOptions<R>): Promise<UpdateResult> {
    const update = options as UpdateOptions
    return await this.#exclusively(() => updateRows(this.#log, update), options.signal)
  }

  /** Which of the values occur in the column, as indexes. Reads only this column. */
  async findKeys(column: ColumnName<R>, values: readonly InputValue[]): Promise<Set<number>> {
    const snapshot = await this.#log.refresh()
    const rows = values.map(value => ({ [column]: value }))
    return await findKeys(this.#log, snapshot, [column], rows)
  }

  /**
   * The rows, in no particular order. Rejects with `DELTA_QUERY_INVALID` when the filter is not one SQL
   * expression over the columns, with `DELTA_VERSION_NOT_FOUND` when the version is not there.
   */
  async read<C extends ColumnName<R> = ColumnName<R>>(
    options: ReadAtOptions<C> = {}
  ): Promise<Pick<R, C>[]> {
    const snapshot = await this.snapshot(options)
    const rows = await withScan(this.#log, snapshot, options, scan =>
      this.#log.ports.engine.scan(scan)
    )
    return rows as Pick<R, C>[]
  }

  /** The rows a batch at a time, for tables of any size. */
  async *readBatches<C extends ColumnName<R> = ColumnName<R>>(
    options: ReadAtOptions<C> = {}
  ): AsyncGenerator<Pick<R, C>[]> {
    const snapshot = await this.snapshot(options)
    const { request, release } = await openScan(this.#log, snapshot, options)
    try {
      yield* this.#log.ports.engine.scanBatches(request) as AsyncIterable<Pick<R, C>[]>
    } finally {
      release()
    }
  }

  /** Writes the rows to a local file; resolves to their number. */
  async export(target: string, format: ExportFormat, options: ReadAtOptions = {}): Promise<number> {
    const snapshot = await this.snapshot(options)
    return await withScan(this.#log, snapshot, options, scan =>
      this.#log.ports.engine.export(scan, target, format)
    )
  }

  /**
   * The rows that the versions of a range added, changed and deleted, in the order of the versions: the
   * columns of the table, then `_change_type` (`insert`, `update_preimage`, `update_postimage`, `delete`),
   * `_commit_version` and `_commit_timestamp` (microseconds since the epoch). The schema is that of the
   * last version. Rejects with `DELTA_CHANGES_NOT_RECORDED` when `delta.enableChangeDataFeed` was off in
   * one of them, `DELTA_SCHEMA_MISMATCH` when a column was renamed or dropped or changed its type since, and
   * `DELTA_VERSION_NOT_FOUND` when versions are not there or no longer.
   */
  async changes(options: ChangesOptions): Promise<Record<string, CellValue>[]> {
    return (await Array.fromAsync(this.changeBatches(options))).flat()
  }

  /** The same rows a batch at a time, for ranges of any size. */
  async *changeBatches(options: ChangesOptions): AsyncGenerator<Record<string, CellValue>[]> {
    yield* changeBatches(this.#log, options)
  }

  /** Writes the same rows to a local file; resolves to their number. */
  async exportChanges(
    target: string,
    format: ExportFormat,
    options: ChangesOptions
  ): Promise<number> {
    return await exportChanges(this.#log, target, format, options)
  }

  /** Rows of the newest version, from the log's statistics and, where they lack, the files' footers. */
  async countRows(): Promise<number> {
    return await countRows(this.#log, await this.#log.refresh())
  }

  /** Joins small files and drops deleted rows; what the table holds stays the same. Merges go on meanwhile. */
  async optimize(options: OptimizeOptions = {}): Promise<OptimizeResult> {
    const turn: Turn = work => this.#exclusively(work, options.signal)
    return await this.#rewrites.run(() => optimizeTable(this.#log, turn, options), options.signal)
  }

  /**
   * Joins the small files that are many, copies files that are mostly deleted, and, when the last one is
   * long ago, vacuums: a bounded part of the work at a time, and none of what another process is at. With
   * `DeltaOptions.maintenance` this happens by itself.
   */
  async maintain(options: MaintenanceOptions = {}): Promise<MaintenanceResult> {
    const turn: Turn = work => this.#exclusively(work, options.signal)
    return await this.#rewrites.run(() => maintainTable(this.#log, turn, options), options.signal)
  }

  /** Brings back the rows, schema and properties of a former version, in one commit that copies nothing. */
  async restore(options: RestoreOptions): Promise<RestoreResult> {
    return await this.#exclusively(() => restoreTable(this.#log, options), options.signal)
  }

  /** Deletes files that no version within the retention refers to. */
  async vacuum(options: VacuumOptions = {}): Promise<VacuumResult> {
    return await vacuumTable(this.#log, options)
  }

  /** The newest commits first, as far as their files are still there. */
  async history(limit = 20): Promise<HistoryEntry[]> {
    const { version } = await this.#log.refresh()
    return await historyOf(this.#log.ports, this.#log.path, version, limit)
  }

  /** Checks files, sizes, row counts and, where given, that the keys occur once. */
  async verify(keys?: readonly string[]): Promise<VerifyReport> {
    return await verifyTable(this.#log, await this.#log.refresh(), keys)
  }

  /**
   * Writes one file for the commits of the versions `from` to `to`, both included, for readers that would
   * read them one by one; the commits stay. Rejects with `DELTA_VERSION_NOT_FOUND` when one is not there.
   */
  async compactLog(from: number, to: number): Promise<void> {
    await compactLog(this.#log.ports, this.#log.path, from, to)
  }

  /** Writes a checkpoint now; resolves to its version. */
  async checkpoint(): Promise<number> {
    return await this.#log.checkpoint()
  }

  /** Resolves when what runs beside the commits is done: checkpoints, key indexes. */
  async settled(): Promise<void> {
    await this.#maintenance?.settled()
    await this.#log.settled()
  }

  /** True once `close` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** Waits for work under way and removes local copies. The ports stay open. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#maintenance?.close()
    await this.#rewrites.idle()
    await this.#turns.idle()
    await this.#log.close()
  }

  /** `close`, at the end of the block of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #exclusively<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = await this.#turns.run(work, signal)
    this.#maintenance?.committed()
    return result
  }
}
