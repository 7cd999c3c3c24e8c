/** A few connections of one DuckDB instance, lent one at a time. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

export interface ConnectionOptions {
  /** DuckDB's `memory_limit`, for all connections together. */
  readonly memoryLimit: string
  readonly threads: number
  /** Queries at the same time. Each occupies a thread of Node's pool while it runs. */
  readonly connections: number
  readonly temporaryDirectory?: string
}

export class Connections {
  readonly #instance: DuckDBInstance
  readonly #free: DuckDBConnection[]
  readonly #all: readonly DuckDBConnection[]
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = []
  readonly #threads: number
  #lent = 0
  #alone = 0
  #idle: (() => void) | undefined

  private constructor(instance: DuckDBInstance, all: readonly DuckDBConnection[], threads: number) {
    this.#instance = instance
    this.#threads = threads
    this.#all = all
    this.#free = [...all]
  }

  static async open(options: ConnectionOptions): Promise<Connections> {
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: options.memoryLimit,
      threads: String(options.threads),
      preserve_insertion_order: 'false',
      // Files read with a given schema have no estimate of their rows, so the optimizer would build its
      // hash tables of the files and not of the few rows of a batch. Joins are written the right way round.
      disabled_optimizers: 'join_order,build_side_probe_side',
      // Pages of local files are in the system's cache already.
      enable_external_file_cache: 'false',
      allocator_flush_threshold: '16MB',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      ...(options.temporaryDirectory === undefined
        ? {}
        : { temp_directory: options.temporaryDirectory })
    })
    const all: DuckDBConnection[] = []
    for (let i = 0; i < options.connections; i++) {
      const connection = await instance.connect()
      await connection.run("SET TimeZone = 'UTC'")
      all.push(connection)
    }
    return new Connections(instance, all, options.threads)
  }

  async use<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.take()
    try {
      return await work(connection)
    } finally {
      this.give(connection)
    }
  }

  /** Queries of the whole instance have one thread meanwhile. */
  async useOneThread<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    if (this.#threads === 1) return await this.use(work)
    return await this.use(async connection => {
      if (this.#alone++ === 0) await connection.run('SET GLOBAL threads = 1')
      try {
        return await work(connection)
      } finally {
        if (--this.#alone === 0) await connection.run(`SET GLOBAL threads = ${this.#threads}`)
      }
    })
  }

  async take(): Promise<DuckDBConnection> {
    this.#lent++
    return (
      this.#free.pop() ??
      (await new Promise<DuckDBConnection>(resolve => this.#waiting.push(resolve)))
    )
  }

  give(connection: DuckDBConnection): void {
    this.#lent--
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(connection)
    else next(connection)
    if (this.#lent === 0) this.#idle?.()
  }

  /** Waits for the queries under way. */
  async close(): Promise<void> {
    if (this.#lent > 0) {
      await new Promise<void>(resolve => {
        this.#idle = resolve
      })
    }
    for (const connection of this.#all) connection.closeSync()
    this.#instance.closeSync()
  }
}
