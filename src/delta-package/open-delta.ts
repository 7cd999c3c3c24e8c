/** `openDelta`: the Delta engine with ready adapters, or with those that the caller brings. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDb } from '../adapters/duckdb/index.ts'
import { openLocalFiles } from '../adapters/local-files/index.ts'
import { systemClock, systemIds } from '../adapters/system/index.ts'
import { DeltaError } from '../core/index.ts'
import type {
  AutomaticMaintenance,
  DeltaOptions,
  DeltaPorts,
  ParquetEngine
} from '../delta/index.ts'
import type { ObjectStore } from '../ports/index.ts'
import { DeltaLake } from './delta-lake.ts'

/** Where the tables are, and what they may use. One of `root` and `store` is needed. */
export interface OpenDeltaOptions {
  /** A local directory; it is made by the first write. */
  readonly root?: string
  /** A store of your own in the place of `root`. It stays open when the lake is closed. */
  readonly store?: ObjectStore
  /** An engine of your own in the place of DuckDB. It stays open when the lake is closed. */
  readonly engine?: ParquetEngine
  /** DuckDB's memory for all tables together, such as `1GB`; `256MB` by default. */
  readonly memoryLimit?: string
  /** Threads that share one query; 1 by default, which suits small batches. Large scans gain by more. */
  readonly threads?: number
  /** Queries at the same time; 3 by default. */
  readonly connections?: number
  /**
   * Directory for copies of remote files and for what does not fit in memory. By default one below the
   * system's temporary directory, removed by `close`.
   */
  readonly scratch?: string
  /** Bytes of copies of remote files that are kept; 1 GiB by default. */
  readonly cacheBytes?: number
  /**
   * Local directory where the indexes of merge keys are kept. By default they are below `scratch`, so that a
   * process makes its own; name one to keep them between runs, or `false` to do without.
   */
  readonly indexDirectory?: string | false
  /**
   * Has tables look after themselves while they are written: small files are joined, old ones deleted, at a
   * bounded cost. `{}` for the usual pace; not by default.
   */
  readonly maintenance?: AutomaticMaintenance
  /** Time, for tests; the system's by default. */
  readonly clock?: DeltaPorts['clock']
  /** Randomness, for tests; the system's by default. */
  readonly ids?: DeltaPorts['ids']
  /**
   * Told of trouble that fails no operation, such as a checkpoint that was not written. By default a warning
   * of the process (`process.emitWarning`).
   */
  readonly onWarning?: (message: string, error: unknown) => void
}

/**
 * Opens the tables below a root. Nothing is read or written yet. Close the lake at the end, or declare it with
 * `await using`. Rejects with `CONFIG_INVALID` when the options contradict each other or DuckDB refuses them.
 */
export async function openDelta(options: OpenDeltaOptions): Promise<DeltaLake> {
  const store = storeOf(options)
  const scratch = options.scratch ?? (await mkdtemp(join(tmpdir(), 'claims-pipeline-delta-')))
  const removeScratch = async (): Promise<void> => {
    if (options.scratch === undefined) await rm(scratch, { recursive: true, force: true })
  }
  const engine = await engineOf(options, scratch).catch(async (error: unknown) => {
    await removeScratch()
    throw error
  })
  const ports: DeltaPorts = {
    store,
    engine,
    clock: options.clock ?? systemClock(),
    ids: options.ids ?? systemIds(),
    onWarning: options.onWarning ?? warnProcess
  }
  return new DeltaLake(ports, deltaOptions(options, scratch), async () => {
    if (options.engine === undefined) await engine.close()
    if (options.store === undefined) await store.close()
    await removeScratch()
  })
}

function storeOf({ root, store }: OpenDeltaOptions): ObjectStore {
  if (root !== undefined && store !== undefined) {
    throw invalid('openDelta was given both `root` and `store`: leave one out')
  }
  if (store !== undefined) return store
  if (typeof root !== 'string' || root === '') {
    throw invalid('openDelta needs `root`, a local directory, or `store`, an object store')
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(root)) {
    throw invalid(
      `openDelta: the root ${root} is no local directory: pass a store for it as \`store\``
    )
  }
  return openLocalFiles({ root })
}

async function engineOf(options: OpenDeltaOptions, scratch: string): Promise<ParquetEngine> {
  if (options.engine !== undefined) return options.engine
  const { memoryLimit, threads, connections } = options
  for (const [name, value] of Object.entries({ threads, connections })) {
    if (value === undefined || (Number.isInteger(value) && value > 0)) continue
    throw invalid(`openDelta: \`${name}\` must be a whole number from 1, it is ${value}`)
  }
  try {
    return await openDuckDb({
      temporaryDirectory: join(scratch, 'duckdb'),
      ...(memoryLimit === undefined ? {} : { memoryLimit }),
      ...(threads === undefined ? {} : { threads }),
      ...(connections === undefined ? {} : { connections })
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new DeltaError('CONFIG_INVALID', `openDelta: DuckDB refuses its options: ${reason}`, {
      cause: error
    })
  }
}

function deltaOptions(options: OpenDeltaOptions, scratch: string): DeltaOptions {
  const { cacheBytes, indexDirectory = join(scratch, 'key-index'), maintenance } = options
  return {
    scratch: join(scratch, 'files'),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
    ...(indexDirectory === false ? {} : { indexDirectory }),
    ...(maintenance === undefined ? {} : { maintenance })
  }
}

function warnProcess(message: string, error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error)
  process.emitWarning(message, { type: 'DeltaWarning', detail })
}

function invalid(message: string): DeltaError {
  return new DeltaError('CONFIG_INVALID', message)
}
