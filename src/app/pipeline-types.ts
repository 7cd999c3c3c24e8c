/** What the composition root hands to commands: adapters that are built, and workers that can run. */
import type { DeltaTables } from '../adapters/delta-tables/index.ts'
import type { MetricsRegistry } from '../adapters/telemetry/index.ts'
import type { Config } from '../config/index.ts'
import type {
  ClaimxApi,
  Clock,
  FileCache,
  MessageLog,
  ObjectStore,
  Telemetry
} from '../ports/index.ts'
import type { WorkerProgress } from '../runtime/index.ts'
import type { WorkerName } from '../topology.ts'

export interface Pipeline {
  readonly config: Config
  readonly clock: Clock
  readonly log: MessageLog
  readonly tables: DeltaTables
  readonly files: ObjectStore
  readonly cache: FileCache
  /** Undefined when no API token is configured; the workers that need it then refuse to start. */
  readonly api: ClaimxApi | undefined
  readonly metrics: MetricsRegistry
  readonly telemetry: Telemetry
  /** Joins the consumer groups and works until stopped. Unknown topics reject `finished`. */
  start(workers: readonly WorkerName[], options?: { count?: number }): RunningWorkers
  /** Stop the workers first. */
  close(): Promise<void>
}

export interface RunningWorkers {
  /** One entry an instance. */
  progress(): WorkerProgress[]
  /** Stops polling, lets batches in flight finish until the deadline, abandons the rest (D7). */
  stop(options: { deadlineMs: number }): Promise<void>
  /** Resolves when all have stopped; rejects when one cannot go on. */
  readonly finished: Promise<void>
}
