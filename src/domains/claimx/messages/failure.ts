/** What a failure leaves in tasks, dead letters and the event log. */
import { errorClassOf, errorText, type Micros, redactText } from '../../../core/index.ts'
import { withoutQuery } from '../url-expiry.ts'
import type { DownloadTask, EnrichmentTask, FailureFacts, TaskMetadata } from './types.ts'

/** Redacted error text of at most 500 characters (reference/claimx-events.md section 4). */
export function failureText(text: string): string {
  return errorText(redactText(text).trim().toWellFormed())
}

/** Text and class of any thrown value; the text is redacted and never blank. */
export function failureOf(error: unknown): FailureFacts {
  const text = error instanceof Error ? error.message : String(error)
  return { message: failureText(text) || 'unknown error', category: errorClassOf(error) }
}

/** The task as it goes to a retry topic: one attempt more, with why and until when. */
export function withEnrichmentFailure(
  task: EnrichmentTask,
  failure: FailureFacts,
  retryAt: Micros
): EnrichmentTask {
  const metadata = { ...task.metadata, ...failedMetadata(failure, retryAt) }
  return { ...task, retryCount: task.retryCount + 1, metadata }
}

/** As for enrichment; it also remembers the URL that failed, without its query. */
export function withDownloadFailure(
  task: DownloadTask,
  failure: FailureFacts,
  retryAt: Micros
): DownloadTask {
  const originalUrl = withoutQuery(task.downloadUrl)
  const metadata = { ...task.metadata, ...failedMetadata(failure, retryAt), originalUrl }
  return { ...task, retryCount: task.retryCount + 1, metadata }
}

function failedMetadata(failure: FailureFacts, retryAt: Micros): TaskMetadata {
  return { lastError: failureText(failure.message), errorCategory: failure.category, retryAt }
}
