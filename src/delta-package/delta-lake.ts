/**
 * Tables below one root, opened once each: what `claims-pipeline/delta` hands to its users. All who open a
 * table through one lake share one object, so that their writes take turns instead of conflicting.
 */
import { DeltaError } from '../core/index.ts'
import {
  type ColumnsSpec,
  columnList,
  type DeltaOptions,
  type DeltaPorts,
  DeltaTable,
  missingColumns,
  type RowOf,
  type StoredRow,
  type TableSpec
} from '../delta/index.ts'

/** How `DeltaLake.openOrCreate` treats a table that is there already. */
export interface OpenOrCreateOptions {
  /** Adds the nullable columns that the table lacks. By default their absence is an error. */
  readonly addColumns?: boolean
}

/** The tables of one root. Made by `openDelta`. */
export class DeltaLake {
  readonly #ports: DeltaPorts
  readonly #options: DeltaOptions
  readonly #release: () => Promise<void>
  readonly #tables = new Map<string, Promise<DeltaTable>>()
  #closing: Promise<void> | undefined

  /** `release` is called once, after the tables are closed. */
  constructor(ports: DeltaPorts, options: DeltaOptions, release: () => Promise<void>) {
    this.#ports = ports
    this.#options = options
    this.#release = release
  }

  /** Where the tables are: a directory, or the root of the store. */
  get root(): string {
    return this.#ports.store.root
  }

  /** The ports in use, for `DeltaTable.open` and tools of your own. */
  get ports(): DeltaPorts {
    return this.#ports
  }

  /**
   * Opens a table by its path below the root; `.` is the root itself. Name the type of its rows for the
   * compiler: `open<Media>('media')`. Rejects with `DELTA_TABLE_NOT_FOUND`, or with `DELTA_UNSUPPORTED`
   * when the table needs a feature that this engine does not read.
   */
  async open<R extends object = StoredRow>(path: string): Promise<DeltaTable<R>> {
    const open = (name: string) => DeltaTable.open(name, this.#ports, this.#options)
    return (await this.#shared(path, open)) as unknown as DeltaTable<R>
  }

  /** Like `open`; undefined when there is proven to be no table. */
  async openIfExists<R extends object = StoredRow>(
    path: string
  ): Promise<DeltaTable<R> | undefined> {
    try {
      return await this.open<R>(path)
    } catch (error) {
      if (error instanceof DeltaError && error.code === 'DELTA_TABLE_NOT_FOUND') return undefined
      throw error
    }
  }

  /**
   * Opens a table, or creates it when its absence is proven; of several that create it at once one wins and
   * the others use its table. The types of the rows follow from the columns. Rejects with
   * `DELTA_SCHEMA_MISMATCH` when the table that is there lacks a column or has it with another type; its
   * partition columns and properties are left as they are.
   */
  async openOrCreate<const C extends ColumnsSpec>(
    path: string,
    spec: TableSpec<C>,
    options: OpenOrCreateOptions = {}
  ): Promise<DeltaTable<RowOf<C>>> {
    const table = await this.#shared(path, name =>
      DeltaTable.openOrCreate(name, spec, this.#ports, this.#options)
    )
    const columns = columnList(spec.columns)
    if (options.addColumns === true) await table.addColumns(columns)
    const missing = missingColumns((await table.snapshot()).fields, columns, table.location)
    if (missing.length > 0) {
      throw new DeltaError(
        'DELTA_SCHEMA_MISMATCH',
        `${table.location} exists and lacks the columns ${missing.join(', ')}: open it with \`{ addColumns: true }\` to add them`
      )
    }
    return table as unknown as DeltaTable<RowOf<C>>
  }

  /** Paths of the tables below the root, or below a folder of it, in order. Lists every object there. */
  async list(folder = ''): Promise<string[]> {
    const below = tablePath(folder, this.root)
    const paths = new Set<string>()
    for await (const { path } of this.#ports.store.list(below === '' ? '' : `${below}/`)) {
      const log = /^(?:(.+)\/)?_delta_log\/\d{20}\./.exec(path)
      if (log !== null) paths.add(log[1] ?? '.')
    }
    return [...paths].sort()
  }

  /**
   * Waits for work under way (checkpoints, key indexes), then closes the tables and what `openDelta` made
   * for them. Ports that were passed in stay open.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  /** `close`, at the end of the block of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const tables = await Promise.allSettled(this.#tables.values())
    const closed = await Promise.allSettled(
      tables.map(table => (table.status === 'fulfilled' ? table.value.close() : undefined))
    )
    await this.#release()
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }

  /** A failed opening is forgotten, so that the next call tries again; so is a closed table. */
  async #shared(path: string, open: (path: string) => Promise<DeltaTable>): Promise<DeltaTable> {
    if (this.#closing !== undefined) {
      throw new DeltaError('DELTA_CLOSED', `${this.root} was closed: call openDelta again`)
    }
    const name = tablePath(path, this.root)
    const known = this.#tables.get(name)
    if (known !== undefined) {
      const table = await known.catch(() => undefined)
      if (table?.closed === false) return table
      if (this.#tables.get(name) === known) this.#tables.delete(name)
      return await this.#shared(path, open)
    }
    const opening = open(name)
    this.#tables.set(name, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#tables.get(name) === opening) this.#tables.delete(name)
      throw error
    }
  }
}

/** The path as the store wants it: `./media/` is `media`, `.` is the root. */
function tablePath(path: string, root: string): string {
  const segments = path.split('/').filter(segment => segment !== '.')
  if (segments.at(-1) === '') segments.pop()
  if (!segments.includes('') && !segments.includes('..')) return segments.join('/')
  throw new DeltaError(
    'STORAGE_INVALID_PATH',
    `The path ${JSON.stringify(path)} is not below the root ${root}: give it relative to the root`
  )
}
