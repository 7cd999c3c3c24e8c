/**
 * Upload worker: a cached file becomes an object in the lake, then a result. A missing cache file is no
 * failure: either the object is there already, or the file is downloaded again.
 */
import {
  isPipelineError,
  microsFromMillis,
  type PipelineError,
  TransferError
} from '../../core/index.ts'
import {
  type CachedDownload,
  checkBlobPath,
  decodeCachedDownload,
  downloadTaskOfCached,
  encodeDownloadTask,
  encodeUploadResult,
  uploadResultOf,
  withoutQuery
} from '../../domains/claimx/index.ts'
import type { FileCache, ObjectStore, ProducerRecord } from '../../ports/index.ts'
import {
  type BatchResult,
  type Delivery,
  DependencyGate,
  type Outcome,
  type RetryRouter,
  Semaphore,
  type StageSpec
} from '../../runtime/index.ts'
import { stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import { DownloadEnds } from '../download-ends.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'

const stage = stages.uploader

export interface UploadOptions extends StageOptions {
  readonly concurrency: number
}

export interface UploadPorts extends WorkerPorts {
  readonly files: ObjectStore
  readonly cache: FileCache
  readonly router: RetryRouter
}

export function uploadWorker(
  options: UploadOptions,
  ports: UploadPorts
): StageSpec<CachedDownload> {
  const { concurrency, ...stageOptions } = options
  const uploader = new Uploader(ports, new Semaphore(concurrency))
  const undecodable = envelopesOf(
    stage,
    topics.claimx.downloadsDlq,
    options.maxRecordBytes,
    ports.clock
  )
  return {
    worker: stage.worker,
    domain: 'claimx',
    inputs: stage.inputs,
    group: stage.group,
    ...stageOptions,
    batchesInFlight: 4,
    tables: [],
    decode: record => decodeCachedDownload(record.value),
    process: (batch, signal) => uploader.batch(batch, signal),
    failed: ({ message }, cause) => ({
      outcomes: [uploader.failure(message, cause)],
      writes: []
    }),
    undecodable,
    waitingFor: () => uploader.waitingFor()
  }
}

class Uploader {
  readonly #ports: UploadPorts
  readonly #permits: Semaphore
  readonly #gate: DependencyGate
  readonly #ends: DownloadEnds

  constructor(ports: UploadPorts, permits: Semaphore) {
    this.#ports = ports
    this.#permits = permits
    this.#gate = new DependencyGate(ports)
    this.#ends = new DownloadEnds(ports.router, ports.clock, 'upload_worker')
  }

  waitingFor(): string {
    return this.#gate.blockedBy === undefined ? '' : 'the object store cannot be written'
  }

  failure(message: CachedDownload, cause: unknown): Outcome {
    return this.#ends.failure(downloadTaskOfCached(message), asTransferError(cause))
  }

  async batch(
    batch: readonly Delivery<CachedDownload>[],
    signal: AbortSignal
  ): Promise<BatchResult> {
    const outcomes = await Promise.all(
      batch.map(({ message }) => this.#permits.run(() => this.#one(message, signal), signal))
    )
    const finished = batch.flatMap(({ message }, index) =>
      outcomes[index]?.records[0]?.topic === topics.claimx.downloads ? [] : [message.mediaId]
    )
    return {
      outcomes,
      writes: [],
      // Only when the result is durable may the file go; a repetition then finds the object.
      afterProduce: async () => {
        await Promise.all([...new Set(finished)].map(id => this.#ports.cache.drop(id)))
      }
    }
  }

  async #one(message: CachedDownload, signal: AbortSignal): Promise<Outcome> {
    const { metrics } = this.#ports.telemetry
    try {
      checkBlobPath(message.destinationPath)
      const bytes = await this.#gate.run(() => this.#store(message, signal), signal)
      if (bytes === undefined) return this.#downloadAgain(message)
      metrics.count('onelake_operations_total', 1, { operation: 'upload', status: 'success' })
      metrics.count('onelake_bytes_transferred_total', bytes, { direction: 'upload' })
      return { kind: 'done', records: [this.#result(message, bytes)] }
    } catch (cause) {
      if (signal.aborted) throw cause
      metrics.count('onelake_operations_total', 1, { operation: 'upload', status: 'error' })
      return this.failure(message, cause)
    }
  }

  /** Size of the stored object; undefined: the file is neither in the cache nor in the lake. */
  async #store(message: CachedDownload, signal: AbortSignal): Promise<number | undefined> {
    const { cache, files } = this.#ports
    const size = await cache.sizeOf(message.localCachePath)
    if (size === undefined || size !== message.bytesDownloaded) return this.#stored(message)
    try {
      const local = cache.resolve(message.localCachePath)
      const written = await files.putFile(message.destinationPath, local, signal)
      if (written === size) return written
      throw new TransferError('STORAGE_UNAVAILABLE', `${written} of ${size} bytes were stored`)
    } catch (error) {
      // A repeated message may have stored the file and dropped it from the cache meanwhile.
      const gone = !signal.aborted && (await cache.sizeOf(message.localCachePath)) === undefined
      if (gone) return this.#stored(message)
      throw error
    }
  }

  async #stored({ destinationPath, bytesDownloaded }: CachedDownload): Promise<number | undefined> {
    const stored = await this.#ports.files.head(destinationPath)
    return stored?.size === bytesDownloaded ? stored.size : undefined
  }

  /** Counts as an attempt, so that a cache that loses every file ends in the dead letters. */
  #downloadAgain(message: CachedDownload): Outcome {
    const task = downloadTaskOfCached(message)
    const error = new TransferError('DOWNLOAD_FAILED', 'the cached file is missing')
    const route = this.#ports.router.route(error, task.retryCount)
    if (route.kind === 'dead') return this.#ends.failure(task, error)
    const value = encodeDownloadTask({ ...task, retryCount: route.retryCount })
    const headers = { event_id: task.sourceEventId }
    const record = { topic: topics.claimx.downloads, key: task.mediaId, value, headers }
    return { kind: 'retried', records: [record], error }
  }

  #result(message: CachedDownload, bytes: number): ProducerRecord {
    // From here on nobody downloads; the inventory must not hold the secret part of the link.
    const bare = { ...message, downloadUrl: withoutQuery(message.downloadUrl) }
    const createdAt = microsFromMillis(this.#ports.clock.now())
    return {
      topic: topics.claimx.results,
      key: message.mediaId,
      value: encodeUploadResult(uploadResultOf(bare, { status: 'completed', bytes }, createdAt)),
      headers: { event_id: message.sourceEventId }
    }
  }
}

function asTransferError(cause: unknown): PipelineError {
  if (isPipelineError(cause)) return cause
  return new TransferError('INVARIANT', 'the upload failed unexpectedly', {
    cause,
    errorClass: 'transient'
  })
}
