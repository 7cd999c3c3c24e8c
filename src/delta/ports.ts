/** Collaborators of the Delta engine. Clock and ids are structural, so that the engine stands alone. */
import type { ObjectStore } from '../ports/object-store.ts'
import type { ParquetEngine } from './parquet-engine.ts'

/** What a table works with. */
export interface DeltaPorts {
  /** Where tables are. */
  readonly store: ObjectStore
  /** Reads and writes data files. */
  readonly engine: ParquetEngine
  /** Time. */
  readonly clock: {
    /** Milliseconds since the epoch. */
    now(): number
    sleep(ms: number, signal?: AbortSignal): Promise<void>
  }
  /** Randomness. */
  readonly ids: {
    uuid(): string
    /** Uniform in [0, 1). */
    random(): number
  }
  /** Told of trouble that does not fail the operation, such as a checkpoint that was not written. */
  readonly onWarning?: (message: string, error: unknown) => void
}
