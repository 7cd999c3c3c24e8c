/**
 * Download worker: a task becomes a checked file in the cache and a message for the uploader. A link
 * that has expired, or expires on the way, is renewed through the API at once.
 */
import {
  errorText,
  isPipelineError,
  microsFromMillis,
  type PipelineError,
  TransferError
} from '../../core/index.ts'
import {
  cachedDownloadOf,
  type DownloadTask,
  decodeDownloadTask,
  encodeCachedDownload
} from '../../domains/claimx/index.ts'
import type {
  ClaimxApi,
  FetchedFile,
  FileCache,
  FileFetcher,
  ProducerRecord
} from '../../ports/index.ts'
import {
  type BatchResult,
  type Delivery,
  DependencyGate,
  defaultGateOptions,
  type Outcome,
  type RetryRouter,
  Semaphore,
  type StageSpec
} from '../../runtime/index.ts'
import { stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import { DownloadEnds } from '../download-ends.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'
import { Links, MAX_REFRESHES } from './link.ts'

const stage = stages.downloader

export interface DownloadOptions extends StageOptions {
  readonly concurrency: number
  /** Renew a link that has less than this left. */
  readonly linkMarginMs?: number
}

export interface DownloadPorts extends WorkerPorts {
  readonly api: ClaimxApi
  readonly fetcher: FileFetcher
  readonly cache: FileCache
  readonly router: RetryRouter
}

export function downloadWorker(
  options: DownloadOptions,
  ports: DownloadPorts
): StageSpec<DownloadTask> {
  const { concurrency, linkMarginMs, ...stageOptions } = options
  const permits = new Semaphore(concurrency)
  const ends = new DownloadEnds(ports.router, ports.clock, 'download_worker')
  const links = new Links(ports, linkMarginMs)
  const downloader = new Downloader(ports, links, ends)
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
    // One slow video must not hold up the files behind it.
    batchesInFlight: 4,
    tables: [],
    decode: record => decodeDownloadTask(record.value),
    process: (batch, signal) => downloader.batch(batch, permits, signal),
    failed: ({ message }, cause) => ({
      outcomes: [ends.failure(message, asTransferError(cause))],
      writes: []
    }),
    undecodable,
    waitingFor: () => downloader.waitingFor()
  }
}

/** One attempt at a task; its link may be renewed on the way. */
interface Attempt {
  task: DownloadTask
  refreshed: boolean
}

class Downloader {
  readonly #ports: DownloadPorts
  readonly #links: Links
  readonly #ends: DownloadEnds
  /** A disk that is full or gone is no fault of a file: downloads wait for it. */
  readonly #disk: DependencyGate

  constructor(ports: DownloadPorts, links: Links, ends: DownloadEnds) {
    this.#ports = ports
    this.#links = links
    this.#ends = ends
    this.#disk = new DependencyGate(ports, {
      ...defaultGateOptions,
      isOutage: error => error.code === 'STORAGE_UNAVAILABLE'
    })
  }

  waitingFor(): string {
    const blocked = this.#disk.blockedBy
    return blocked === undefined ? this.#ports.cache.blockedBy() : errorText(blocked)
  }

  /** Downloads of one media in one batch are one download. */
  async batch(
    batch: readonly Delivery<DownloadTask>[],
    permits: Semaphore,
    signal: AbortSignal
  ): Promise<BatchResult> {
    const first = new Set<string>()
    const outcomes = await Promise.all(
      batch.map(({ message }): Promise<Outcome> | Outcome => {
        if (first.has(message.mediaId)) return { kind: 'done', records: [] }
        first.add(message.mediaId)
        return permits.run(() => this.#one(message, signal), signal)
      })
    )
    return { outcomes, writes: [] }
  }

  async #one(task: DownloadTask, signal: AbortSignal): Promise<Outcome> {
    const { metrics } = this.#ports.telemetry
    const attempt: Attempt = { task, refreshed: false }
    try {
      await this.#disk.run(() => this.#ports.cache.whenWritable(signal), signal)
      if (this.#links.isStale(task)) await this.#refresh(attempt, signal)
      const file = await this.#fetch(attempt, signal)
      metrics.count('pipeline_files_downloaded_total')
      metrics.count('pipeline_bytes_downloaded_total', file.bytes)
      return { kind: 'done', records: [this.#cached(attempt.task, file)] }
    } catch (cause) {
      if (signal.aborted) throw cause
      const error = asTransferError(cause)
      metrics.count('pipeline_downloads_failed_total', 1, { error: error.code })
      await this.#disk.run(() => this.#ports.cache.drop(task.mediaId), signal)
      return this.#ends.failure(attempt.task, error, attempt.refreshed)
    }
  }

  async #refresh(attempt: Attempt, signal: AbortSignal): Promise<void> {
    attempt.refreshed = true
    attempt.task = await this.#links.refresh(attempt.task, signal)
  }

  /** Tries again at once with a new link when the server says that the old one has expired. */
  async #fetch(attempt: Attempt, signal: AbortSignal): Promise<FetchedFile> {
    for (;;) {
      const { projectId, mediaId, fileName, downloadUrl: url } = attempt.task
      try {
        return await this.#disk.run(async () => {
          const destination = await this.#ports.cache.pathFor(projectId, mediaId, fileName)
          return this.#ports.fetcher.fetch({ url, destination, fileName, signal })
        }, signal)
      } catch (error) {
        const expired = isPipelineError(error) && error.code === 'DOWNLOAD_EXPIRED'
        if (!expired || attempt.task.refreshCount >= MAX_REFRESHES) throw error
        await this.#refresh(attempt, signal)
      }
    }
  }

  #cached(task: DownloadTask, file: FetchedFile): ProducerRecord {
    const localCachePath = this.#ports.cache.relativePath(
      task.projectId,
      task.mediaId,
      task.fileName
    )
    const downloadedAt = microsFromMillis(this.#ports.clock.now())
    const message = cachedDownloadOf(task, { ...file, localCachePath }, downloadedAt)
    return {
      topic: topics.claimx.cached,
      key: task.mediaId,
      value: encodeCachedDownload(message),
      headers: { event_id: task.sourceEventId }
    }
  }
}

function asTransferError(cause: unknown): PipelineError {
  if (isPipelineError(cause)) return cause
  return new TransferError('INVARIANT', 'the download failed unexpectedly', {
    cause,
    errorClass: 'transient'
  })
}
