/** How an enrichment task ends: its log row, and the records for retry or dead letter. */
import { microsFromMillis, type PipelineError, type Row } from '../../core/index.ts'
import {
  type DownloadTask,
  type EnrichmentTask,
  encodeDownloadTask,
  encodeEnrichmentTask,
  encodeFailedEnrichment,
  eventLogRow,
  failedEnrichmentOf,
  failureOf,
  withEnrichmentFailure
} from '../../domains/claimx/index.ts'
import type { Clock, ProducerRecord } from '../../ports/index.ts'
import {
  deadLetterHeaders,
  type Outcome,
  type RetryRouter,
  retryRecord
} from '../../runtime/index.ts'
import { topics } from '../../topology.ts'

export interface TaskEnd {
  readonly outcome: Outcome
  readonly logRow: Row
}

export interface Cost {
  readonly apiCalls: number
  readonly durationMs: number
}

export class EnrichmentEnds {
  readonly #router: RetryRouter
  readonly #clock: Clock

  constructor(router: RetryRouter, clock: Clock) {
    this.#router = router
    this.#clock = clock
  }

  success(task: EnrichmentTask, downloads: readonly DownloadTask[], cost: Cost): TaskEnd {
    const records = downloads.map(downloadRecord)
    return { outcome: { kind: 'done', records }, logRow: this.#log(task, 'success', cost) }
  }

  skipped(task: EnrichmentTask, cost: Cost): TaskEnd {
    return { outcome: { kind: 'skipped', records: [] }, logRow: this.#log(task, 'skipped', cost) }
  }

  failure(task: EnrichmentTask, error: PipelineError, cost: Cost): TaskEnd {
    const route = this.#router.route(error, task.retryCount)
    const facts = failureOf(error)
    if (route.kind === 'retry') {
      const next = withEnrichmentFailure(task, facts, microsFromMillis(route.dueAt))
      const record = retryRecord(route, {
        base: 'claimx.enrichment',
        target: topics.claimx.enrichment,
        domain: 'claimx',
        workerType: 'enrichment_worker',
        key: task.eventId,
        value: encodeEnrichmentTask(next),
        eventId: task.eventId,
        errorClass: error.errorClass
      })
      const logRow = this.#log(task, 'failed', cost, facts)
      return { outcome: { kind: 'retried', records: [record], error }, logRow }
    }
    const logRow = this.#log(task, 'failed_permanent', cost, facts)
    return { outcome: { kind: 'dead', records: [this.#deadLetter(task, error)], error }, logRow }
  }

  #deadLetter(task: EnrichmentTask, error: PipelineError): ProducerRecord {
    const failedAt = microsFromMillis(this.#clock.now())
    return {
      topic: topics.claimx.enrichmentDlq,
      key: task.eventId,
      value: encodeFailedEnrichment(failedEnrichmentOf(task, failureOf(error), failedAt)),
      headers: deadLetterHeaders(task.eventId, task.retryCount, error.errorClass)
    }
  }

  #log(
    task: EnrichmentTask,
    status: 'success' | 'failed' | 'failed_permanent' | 'skipped',
    cost: Cost,
    failure?: { message: string; category: string }
  ): Row {
    const processedAt = microsFromMillis(this.#clock.now())
    return eventLogRow(task, { status, processedAt, ...cost, failure })
  }
}

function downloadRecord(task: DownloadTask): ProducerRecord {
  return {
    topic: topics.claimx.downloads,
    key: task.mediaId,
    value: encodeDownloadTask(task),
    headers: { event_id: task.sourceEventId }
  }
}
