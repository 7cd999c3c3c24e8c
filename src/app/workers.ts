/** Binds each worker name to its stage, with the settings that concern it. */

import type { Config } from '../config/index.ts'
import { ConfigError } from '../core/index.ts'
import type {
  ClaimxApi,
  Clock,
  FileCache,
  FileFetcher,
  Ids,
  ObjectStore,
  TableStore,
  Telemetry
} from '../ports/index.ts'
import { RetryRouter, type StageSpec } from '../runtime/index.ts'
import type { WorkerName } from '../topology.ts'
import {
  downloadWorker,
  enrichmentWorker,
  eventIngester,
  resultProcessor,
  retryScheduler,
  type StageOptions,
  uploadWorker
} from '../workers/index.ts'

export interface WorkerParts {
  readonly config: Config
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
  readonly tables: TableStore
  readonly files: ObjectStore
  readonly cache: FileCache
  readonly api: ClaimxApi | undefined
  readonly fetcher: FileFetcher
  readonly maxRecordBytes: number
}

/** Bytes of input records that one batch holds at most; batches in flight multiply it. */
const BATCH_BYTES = 16 * 1024 ** 2

/** A new stage: each instance of a worker has its own. */
export function buildStage(worker: WorkerName, parts: WorkerParts): StageSpec<unknown> {
  const { config, clock } = parts
  const router = new RetryRouter(
    config.retry.delaysSeconds.map(seconds => seconds * 1000),
    clock
  )
  const ports = { ...parts, router }
  const options = (batchRecords: number, lingerMs: number): StageOptions => ({
    batchRecords,
    batchBytes: BATCH_BYTES,
    maxRecordBytes: parts.maxRecordBytes,
    lingerMs
  })
  const { batch, files } = config
  switch (worker) {
    case 'ingester':
      return erased(eventIngester(options(batch.ingest, batch.lingerMs), ports))
    case 'enricher':
      return erased(
        enrichmentWorker(options(batch.enrich, batch.lingerMs), { ...ports, api: apiOf(parts) })
      )
    case 'downloader':
      return erased(
        downloadWorker(
          {
            ...options(batch.download, 0),
            concurrency: files.downloadConcurrency
          },
          { ...ports, api: apiOf(parts) }
        )
      )
    case 'uploader':
      return erased(
        uploadWorker({ ...options(batch.upload, 0), concurrency: files.uploadConcurrency }, ports)
      )
    case 'result-processor':
      return erased(resultProcessor(options(batch.results, batch.lingerMs), ports))
    case 'retry-scheduler':
      return erased(retryScheduler(options(batch.enrich, 0), ports))
  }
}

function apiOf({ api }: WorkerParts): ClaimxApi {
  if (api !== undefined) return api
  throw new ConfigError(
    'CONFIG_INVALID',
    'CLAIMX_API_TOKEN is not set; the enricher and the downloader need the ClaimX API'
  )
}

/** The runner treats messages as opaque: what `decode` gives, `process` and `failed` get back. */
function erased<M>(spec: StageSpec<M>): StageSpec<unknown> {
  return spec as unknown as StageSpec<unknown>
}
