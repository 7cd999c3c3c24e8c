/** The Parquet engine of the Delta engine, on DuckDB: one instance, several connections. */
import type { DuckDBConnection } from '@duckdb/node-api'
import type { CellValue, JsonObject } from '../../core/index.ts'
import { DeltaError, isPipelineError } from '../../core/index.ts'
import type {
  Assignment,
  ChangedGroup,
  ChangedRows,
  ClusteredFile,
  ClusterRequest,
  DataFile,
  DataType,
  EngineColumn,
  EvaluateRequest,
  ExportFormat,
  FetchRequest,
  FilterParts,
  FindRequest,
  KeyHashes,
  Match,
  MatchRequest,
  ParquetEngine,
  PartitionsRequest,
  RankRequest,
  ScanRequest,
  Translated,
  WriteRequest,
  WrittenFile
} from '../../delta/index.ts'
import { checkAssignments, countViolations, groupChanges } from './changed-rows.ts'
import { readCheckpointFiles } from './checkpoint-reader.ts'
import { writeCheckpointFile } from './checkpoint-writer.ts'
import { clusterFiles, clusterRanks } from './cluster.ts'
import { Connections } from './connections.ts'
import { dropDeletedRows } from './deleted-rows.ts'
import { evaluate } from './evaluate.ts'
import { type FetchedRow, fetchParts, fetchRows } from './fetch.ts'
import { filterParts } from './filter-terms.ts'
import { filterPartitions, findRows } from './find-rows.ts'
import { sortedKeyHashes } from './key-hashes.ts'
import { matchRows } from './match.ts'
import { parametersOf } from './parameters.ts'
import { relationOf } from './relation.ts'
import { exportRows, scanBatches, scanRows } from './scan.ts'
import { literal } from './sql.ts'
import { translated } from './table-sql/index.ts'
import { writeParquet } from './write.ts'

/** Options of the engine; none is needed. */
export interface DuckDbOptions {
  /** For all tables together; `256MB` by default. */
  readonly memoryLimit?: string
  /**
   * Threads that share one query; 1 by default. Batches are small and several are under way at once, so
   * more threads a query cost more than they bring; for scans of large tables they are worth it.
   */
  readonly threads?: number
  /** Queries at the same time; 3 by default. */
  readonly connections?: number
  /** Where DuckDB spills what does not fit in memory. */
  readonly temporaryDirectory?: string
}

/** An engine on a DuckDB of its own, in memory. Close it at the end. */
export async function openDuckDb(options: DuckDbOptions = {}): Promise<ParquetEngine> {
  const { temporaryDirectory } = options
  const connections = await Connections.open({
    memoryLimit: options.memoryLimit ?? '256MB',
    threads: options.threads ?? 1,
    connections: options.connections ?? 3,
    ...(temporaryDirectory === undefined ? {} : { temporaryDirectory })
  })
  return new DuckDbEngine(connections, options.threads ?? 1)
}

class DuckDbEngine implements ParquetEngine {
  readonly #connections: Connections
  readonly #threads: number

  constructor(connections: Connections, threads: number) {
    this.#connections = connections
    this.#threads = threads
  }

  async match(request: MatchRequest): Promise<Match[]> {
    return await this.#run(connection => matchRows(connection, request))
  }

  async fetch(request: FetchRequest): Promise<FetchedRow[]> {
    const parts = fetchParts(request).map(async ({ request: part, of }) => {
      const rows = await this.#run(connection => fetchRows(connection, part))
      return rows.map(({ place, values }) => ({ place: of[place] ?? 0, values }))
    })
    const settled = await Promise.allSettled(parts)
    return settled.flatMap(part => {
      if (part.status === 'rejected') throw part.reason
      return part.value
    })
  }

  async *sortedKeyHashes(
    files: readonly DataFile[],
    keys: readonly EngineColumn[],
    salt: string
  ): AsyncGenerator<KeyHashes> {
    yield* this.#stream(connection => sortedKeyHashes(connection, files, keys, salt))
  }

  async write(request: WriteRequest): Promise<WrittenFile> {
    return await this.#run(connection => writeParquet(connection, request, this.#threads))
  }

  async cluster(request: ClusterRequest): Promise<ClusteredFile[]> {
    return await this.#guarded(() =>
      this.#connections.useOneThread(connection => clusterFiles(connection, request))
    )
  }

  async clusterRanks(request: RankRequest): Promise<number[]> {
    return await this.#run(connection => clusterRanks(connection, request))
  }

  async scan(request: ScanRequest): Promise<Record<string, CellValue>[]> {
    return await this.#run(connection => scanRows(connection, request))
  }

  async *scanBatches(request: ScanRequest): AsyncGenerator<Record<string, CellValue>[]> {
    yield* this.#stream(connection => scanBatches(connection, request))
  }

  async export(request: ScanRequest, target: string, format: ExportFormat): Promise<number> {
    return await this.#run(connection => exportRows(connection, request, target, format))
  }

  async filterParts(where: string): Promise<FilterParts> {
    return await this.#run(connection => filterParts(connection, where))
  }

  async findRows(request: FindRequest): Promise<Uint32Array[]> {
    return await this.#run(connection => findRows(connection, request))
  }

  async checkAssignments(
    schema: readonly EngineColumn[],
    set: readonly Assignment[]
  ): Promise<void> {
    await this.#run(connection => checkAssignments(connection, schema, set))
  }

  async groupChanges(changes: ChangedRows, columns: readonly string[]): Promise<ChangedGroup[]> {
    return await this.#run(connection => groupChanges(connection, changes, columns))
  }

  async countViolations(changes: ChangedRows, checks: readonly string[]): Promise<number[]> {
    return await this.#run(connection => countViolations(connection, changes, checks))
  }

  async translate(
    expression: string,
    schema: readonly EngineColumn[],
    type: DataType
  ): Promise<Translated> {
    return await this.#run(connection => translated(connection, expression, schema, type))
  }

  async evaluate(request: EvaluateRequest): Promise<CellValue[][]> {
    return await this.#run(connection => evaluate(connection, request))
  }

  async filterPartitions(request: PartitionsRequest): Promise<boolean[]> {
    return await this.#run(connection => filterPartitions(connection, request))
  }

  async rowCounts(localPaths: readonly string[]): Promise<number[]> {
    return await this.#run(async connection => {
      const list = localPaths.map(literal).join(', ')
      const reader = await connection.runAndReadAll(
        `SELECT file_name, num_rows FROM parquet_file_metadata([${list}])`
      )
      const counts = new Map(reader.getRows().map(([name, rows]) => [String(name), Number(rows)]))
      return localPaths.map(path => counts.get(path) ?? 0)
    })
  }

  async duplicateKeys(files: readonly DataFile[], keys: readonly EngineColumn[]): Promise<number> {
    return await this.#run(async connection => {
      const names = keys.map((_, index) => `k${index}`)
      const relation = await relationOf(connection, files, keys, names)
      const { values, types } = parametersOf(relation.parameters)
      const reader = await connection.runAndReadAll(
        `SELECT count(*) FROM (SELECT 1 FROM (${relation.sql}) GROUP BY ${names.join(', ')} HAVING count(*) > 1)`,
        values,
        types
      )
      await dropDeletedRows(connection, files)
      return Number(reader.getColumns()[0]?.[0] ?? 0)
    })
  }

  async readCheckpoint(localPaths: readonly string[]): Promise<JsonObject[]> {
    return await this.#run(connection => readCheckpointFiles(connection, localPaths))
  }

  async writeCheckpoint(target: string, actions: readonly string[]): Promise<number> {
    return await this.#run(connection => writeCheckpointFile(connection, target, actions))
  }

  async close(): Promise<void> {
    await this.#connections.close()
  }

  async *#stream<T>(work: (connection: DuckDBConnection) => AsyncIterable<T>): AsyncGenerator<T> {
    const connection = await this.#connections.take()
    try {
      yield* work(connection)
    } catch (error) {
      throw engineError(error)
    } finally {
      this.#connections.give(connection)
    }
  }

  async #run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return await this.#guarded(() => this.#connections.use(work))
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw engineError(error)
    }
  }
}

const diskFault =
  /^IO Error.*(No space left|Disk quota|Read-only file|Permission denied|Too many open|Input\/output error)/is

/** DuckDB tells its errors apart by the first words of the message. */
function engineError(error: unknown): unknown {
  if (isPipelineError(error) || !(error instanceof Error)) return error
  const { message } = error
  // The disk itself: full, read only, out of descriptors, or a directory that cannot be made.
  if ('syscall' in error || diskFault.test(message)) {
    return new DeltaError('STORAGE_UNAVAILABLE', `Tables cannot be written: ${message}`, {
      cause: error
    })
  }
  if (
    /^IO Error/.test(message) &&
    /No such file|Cannot open|not found|No files found/i.test(message)
  ) {
    return new DeltaError('DELTA_DATA_CORRUPT', `A data file is missing: ${message}`, {
      cause: error
    })
  }
  if (
    /No magic bytes|not a Parquet|too small to be a Parquet|Invalid Input Error: Failed to read file/i.test(
      message
    )
  ) {
    return new DeltaError('DELTA_DATA_CORRUPT', `A data file cannot be read: ${message}`, {
      cause: error
    })
  }
  if (/^(IO Error|Out of Memory Error)/.test(message)) {
    return new DeltaError('STORAGE_UNAVAILABLE', `DuckDB: ${message}`, { cause: error })
  }
  return error
}
