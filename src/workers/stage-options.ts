/** What every worker takes: how it batches, and whom it calls. */
import type { Clock, Ids, Telemetry } from '../ports/index.ts'

export interface StageOptions {
  /** Most records in one batch; with a backlog batches grow to it. */
  readonly batchRecords: number
  readonly batchBytes: number
  /** What the log takes: key, value and headers of one record together. */
  readonly maxRecordBytes: number
  /** How long a batch that is not full waits for more records; 0: not at all. */
  readonly lingerMs: number
}

export interface WorkerPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}
