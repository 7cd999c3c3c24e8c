/** How a download task ends when it fails; shared by the download and the upload worker. */
import { microsFromMillis, type PipelineError } from '../core/index.ts'
import {
  type DownloadTask,
  encodeDownloadTask,
  encodeFailedDownload,
  failedDownloadOf,
  failureOf,
  withDownloadFailure,
  withoutQuery
} from '../domains/claimx/index.ts'
import type { Clock, ProducerRecord } from '../ports/index.ts'
import { deadLetterHeaders, type Outcome, type RetryRouter, retryRecord } from '../runtime/index.ts'
import { topics } from '../topology.ts'

export class DownloadEnds {
  readonly #router: RetryRouter
  readonly #clock: Clock
  readonly #workerType: string

  constructor(router: RetryRouter, clock: Clock, workerType: string) {
    this.#router = router
    this.#clock = clock
    this.#workerType = workerType
  }

  /** `refreshed`: a new link was asked for in this attempt, whatever came of it. */
  failure(task: DownloadTask, error: PipelineError, refreshed = false): Outcome {
    const route = this.#router.route(error, task.retryCount)
    if (route.kind === 'dead') {
      const letter = this.#deadLetter(task, error, refreshed || task.refreshCount > 0)
      return { kind: 'dead', records: [letter], error }
    }
    const next = withDownloadFailure(task, failureOf(error), microsFromMillis(route.dueAt))
    const record = retryRecord(route, {
      base: 'claimx.downloads',
      target: topics.claimx.downloads,
      domain: 'claimx',
      workerType: this.#workerType,
      key: task.mediaId,
      value: encodeDownloadTask(next),
      eventId: task.sourceEventId,
      errorClass: error.errorClass
    })
    return { kind: 'retried', records: [record], error }
  }

  /** Dead letters keep no signature: a redrive asks the API for a new link. */
  #deadLetter(task: DownloadTask, error: PipelineError, refreshed: boolean): ProducerRecord {
    const bare = { ...task, downloadUrl: withoutQuery(task.downloadUrl) }
    const failedAt = microsFromMillis(this.#clock.now())
    return {
      topic: topics.claimx.downloadsDlq,
      key: task.mediaId,
      value: encodeFailedDownload(failedDownloadOf(bare, failureOf(error), failedAt, refreshed)),
      headers: {
        ...deadLetterHeaders(task.sourceEventId, task.retryCount, error.errorClass),
        url_refresh_attempted: refreshed ? 'True' : 'False'
      }
    }
  }
}
