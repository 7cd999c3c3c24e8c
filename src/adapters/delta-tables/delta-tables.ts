/**
 * The table store of the program on the Delta engine. A table lies at `<prefix>/<name>` below the root
 * of the object store; tools may name any other table by its path below the root.
 */
import type { CellValue, Row, TableDef } from '../../core/index.ts'
import {
  type AutomaticMaintenance,
  type ChangesOptions,
  type DeltaOptions,
  type DeltaPorts,
  DeltaTable,
  type ExportFormat,
  type MaintenanceResult,
  type OptimizeOptions,
  type OptimizeResult,
  type ParquetEngine,
  type RestoreOptions,
  type RestoreResult,
  type VacuumOptions,
  type VacuumResult,
  type VerifyReport
} from '../../delta/index.ts'
import type {
  Clock,
  Ids,
  MergeOutcome,
  ObjectStore,
  ReadTableOptions,
  TableStore,
  Telemetry
} from '../../ports/index.ts'
import { describedColumns, describeTable, type TableDescription } from './describe-table.ts'
import { OpenTables } from './open-tables.ts'
import { columnsOf, rulesOf, specOf } from './table-spec.ts'

export interface DeltaTablesOptions {
  /** Directory for copies of remote files and for files on their way to the store. */
  readonly scratchDirectory: string
  /** Directory for indexes of merge keys (a cache); without it there are none. */
  readonly indexDirectory?: string
  /** Keeps the tables that are written in shape; off by default. */
  readonly maintenance?: Omit<AutomaticMaintenance, 'onRun'>
  /** Folder of the tables below the root of the store; the root itself by default. */
  readonly prefix?: string
}

export interface DeltaTablesPorts {
  /** Closed by its owner, not here. */
  readonly store: ObjectStore
  /** Closed by its owner, not here. */
  readonly engine: ParquetEngine
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry?: Telemetry
}

/** What the command line needs beside the port. Tables are named by name or by path below the root. */
export interface DeltaTables extends TableStore {
  /** Names of the tables below the prefix. */
  list(): Promise<string[]>
  show(table: string): Promise<TableDescription>
  /** Those of the newest version, or of the one asked for. */
  columns(table: string, version?: number): Promise<TableDescription['columns']>
  /** The newest version at a time, in milliseconds. */
  versionAt(table: string, timestamp: number): Promise<number>
  /** The table itself, for what has no method here. It is closed with the others. */
  table(name: string): Promise<DeltaTable>
  /** `keys`: columns whose values together must occur once. */
  verify(table: string, keys?: readonly string[]): Promise<VerifyReport>
  optimize(table: string, options?: OptimizeOptions): Promise<OptimizeResult>
  vacuum(table: string, options?: VacuumOptions): Promise<VacuumResult>
  restore(table: string, options: RestoreOptions): Promise<RestoreResult>
  readTable(table: string, options?: ReadTableOptions): Promise<Record<string, CellValue>[]>
  /** The rows a batch at a time. */
  readStream(table: string, options?: ReadTableOptions): AsyncIterable<Record<string, CellValue>[]>
  /** Writes the rows to a local file; resolves to their number. */
  export(
    table: string,
    target: string,
    format: ExportFormat,
    options?: ReadTableOptions
  ): Promise<number>
  /** Rows that the versions of a range changed, a batch at a time, in the order of the versions. */
  changesStream(table: string, options: ChangesOptions): AsyncIterable<Record<string, CellValue>[]>
  /** Writes the same rows to a local file; resolves to their number. */
  exportChanges(
    table: string,
    target: string,
    format: ExportFormat,
    options: ChangesOptions
  ): Promise<number>
}

export function openDeltaTables(options: DeltaTablesOptions, ports: DeltaTablesPorts): DeltaTables {
  return new DeltaTableStore(options, ports)
}

class DeltaTableStore implements DeltaTables {
  readonly #options: DeltaTablesOptions
  readonly #ports: DeltaTablesPorts
  readonly #delta: DeltaPorts
  readonly #tables = new OpenTables()
  readonly #ensured = new Map<TableDef, Promise<DeltaTable>>()

  constructor(options: DeltaTablesOptions, ports: DeltaTablesPorts) {
    this.#options = options
    this.#ports = ports
    this.#delta = {
      store: ports.store,
      engine: ports.engine,
      clock: ports.clock,
      ids: ports.ids,
      onWarning: (message, error) => ports.telemetry?.log.error(message, {}, error)
    }
  }

  async ensure(table: TableDef): Promise<void> {
    await this.#ensure(table)
  }

  async merge(table: TableDef, rows: readonly Row[], signal?: AbortSignal): Promise<MergeOutcome> {
    const open = await this.#ensure(table)
    const started = this.#ports.clock.monotonic()
    const result = await open.merge(rows, rulesOf(table), signal === undefined ? {} : { signal })
    this.#measure(table, started, result)
    const { version, inserted, updated, unchanged, dropped, bytesWritten, conflicts } = result
    return { version, inserted, updated, unchanged, dropped, bytesWritten, conflicts }
  }

  async existingKeys(table: TableDef, keys: readonly string[]): Promise<Set<string>> {
    const open = await this.#ensure(table)
    const column = table.columns.find(({ name }) => name === table.mergeKey[0])
    const distinct = [...new Set(keys)].flatMap(text => {
      const value = keyCell(text, column?.type)
      return value === undefined ? [] : [{ text, value }]
    })
    const found = await open.findKeys(
      column?.name ?? '',
      distinct.map(key => key.value)
    )
    return new Set([...found].flatMap(index => distinct[index]?.text ?? []))
  }

  async read(
    table: TableDef,
    options: ReadTableOptions = {}
  ): Promise<Record<string, CellValue>[]> {
    return await (await this.#open(table.name)).read(options)
  }

  async list(): Promise<string[]> {
    const prefix = this.#options.prefix === undefined ? '' : `${this.#options.prefix}/`
    const names = new Set<string>()
    for await (const { path } of this.#ports.store.list(prefix)) {
      const match = /^(.+)\/_delta_log\/\d{20}\./.exec(path.slice(prefix.length))
      if (match?.[1] !== undefined) names.add(match[1])
    }
    return [...names]
  }

  async show(table: string): Promise<TableDescription> {
    return await describeTable(await this.#open(table), this.#ports.store, this.#path(table))
  }

  async table(name: string): Promise<DeltaTable> {
    return await this.#open(name)
  }

  async columns(table: string, version?: number): Promise<TableDescription['columns']> {
    return describedColumns(await (await this.#open(table)).snapshot(version))
  }

  async versionAt(table: string, timestamp: number): Promise<number> {
    return await (await this.#open(table)).versionAt(timestamp)
  }

  async verify(table: string, keys?: readonly string[]): Promise<VerifyReport> {
    return await (await this.#open(table)).verify(keys)
  }

  async optimize(table: string, options: OptimizeOptions = {}): Promise<OptimizeResult> {
    return await (await this.#open(table)).optimize(options)
  }

  async vacuum(table: string, options: VacuumOptions = {}): Promise<VacuumResult> {
    return await (await this.#open(table)).vacuum(options)
  }

  async restore(table: string, options: RestoreOptions): Promise<RestoreResult> {
    return await (await this.#open(table)).restore(options)
  }

  async readTable(
    table: string,
    options: ReadTableOptions = {}
  ): Promise<Record<string, CellValue>[]> {
    return await (await this.#open(table)).read(options)
  }

  async *readStream(
    table: string,
    options: ReadTableOptions = {}
  ): AsyncGenerator<Record<string, CellValue>[]> {
    yield* (await this.#open(table)).readBatches(options)
  }

  async export(
    table: string,
    target: string,
    format: ExportFormat,
    options: ReadTableOptions = {}
  ): Promise<number> {
    return await (await this.#open(table)).export(target, format, options)
  }

  async *changesStream(
    table: string,
    options: ChangesOptions
  ): AsyncGenerator<Record<string, CellValue>[]> {
    yield* (await this.#open(table)).changeBatches(options)
  }

  async exportChanges(
    table: string,
    target: string,
    format: ExportFormat,
    options: ChangesOptions
  ): Promise<number> {
    return await (await this.#open(table)).exportChanges(target, format, options)
  }

  async close(): Promise<void> {
    this.#ensured.clear()
    await this.#tables.close()
  }

  /** Once a definition: created, and with all its columns. */
  async #ensure(table: TableDef): Promise<DeltaTable> {
    const known = this.#ensured.get(table)
    if (known !== undefined) return await known
    const path = this.#path(table.name)
    const ready = (async () => {
      const open = await this.#tables.get(path, () =>
        DeltaTable.openOrCreate(path, specOf(table), this.#delta, this.#maintained(table))
      )
      await open.addColumns(columnsOf(table))
      return open
    })()
    this.#ensured.set(table, ready)
    try {
      return await ready
    } catch (error) {
      this.#ensured.delete(table)
      throw error
    }
  }

  async #open(name: string): Promise<DeltaTable> {
    const path = this.#path(name)
    return await this.#tables.get(path, () =>
      DeltaTable.open(path, this.#delta, this.#engineOptions())
    )
  }

  #engineOptions(): DeltaOptions {
    const { scratchDirectory, indexDirectory } = this.#options
    return {
      scratch: scratchDirectory,
      ...(indexDirectory === undefined ? {} : { indexDirectory })
    }
  }

  /** Tables that are written here; tools leave those that they open as they are. */
  #maintained(table: TableDef): DeltaOptions {
    const { maintenance } = this.#options
    if (maintenance === undefined) return this.#engineOptions()
    const onRun = (result: MaintenanceResult): void => this.#report(table.name, result)
    return { ...this.#engineOptions(), maintenance: { ...maintenance, onRun } }
  }

  #report(table: string, { optimized, vacuumed }: MaintenanceResult): void {
    const { log, metrics } = this.#ports.telemetry ?? {}
    const labels = { table }
    metrics?.count('delta_maintenance_bytes_total', optimized.bytesAdded, labels)
    metrics?.count('delta_maintenance_files_joined_total', optimized.filesRemoved, labels)
    metrics?.count('delta_vacuumed_files_total', vacuumed?.files.length ?? 0, labels)
    log?.info('table maintained', {
      table,
      files_removed: optimized.filesRemoved,
      files_added: optimized.filesAdded,
      bytes_written: optimized.bytesAdded,
      rows_purged: optimized.rowsPurged,
      given_up: optimized.lost,
      files_vacuumed: vacuumed?.files.length ?? 0,
      bytes_vacuumed: vacuumed?.bytes ?? 0
    })
  }

  #path(name: string): string {
    const { prefix } = this.#options
    return prefix === undefined ? name : `${prefix}/${name}`
  }

  #measure(
    table: TableDef,
    started: number,
    result: { inserted: number; updated: number; bytesWritten: number; conflicts: number }
  ): void {
    const metrics = this.#ports.telemetry?.metrics
    if (metrics === undefined) return
    const labels = { table: table.name }
    const seconds = (this.#ports.clock.monotonic() - started) / 1000
    metrics.observe('delta_merge_seconds', seconds, labels)
    metrics.count('delta_rows_inserted_total', result.inserted, labels)
    metrics.count('delta_rows_updated_total', result.updated, labels)
    metrics.count('delta_bytes_written_total', result.bytesWritten, labels)
    metrics.count('delta_conflicts_total', result.conflicts, labels)
  }
}

/** A key in the type of its column; undefined when no such value can be stored. */
function keyCell(text: string, type: string | undefined): CellValue | undefined {
  if (type === 'string') return text
  if (type === 'long' || type === 'integer') {
    if (!/^-?\d{1,19}$/.test(text)) return undefined
    const value = BigInt(text)
    return BigInt.asIntN(64, value) === value ? value : undefined
  }
  return undefined
}
