/** Rows of `claimx_event_log`: how each event ended (reference/claimx-tables.md section 3). */
import { dateOf, type Micros, type Row } from '../../core/index.ts'
import { failureText } from './messages/failure.ts'
import type { EnrichmentTask, FailureFacts } from './messages/types.ts'

export type EventStatus = 'success' | 'failed' | 'failed_permanent' | 'skipped'

export interface EventOutcome {
  readonly status: EventStatus
  readonly processedAt: Micros
  /** HTTP requests charged to this event. */
  readonly apiCalls: number
  readonly durationMs: number
  /** Absent for success and skipped. */
  readonly failure?: FailureFacts | undefined
}

export function eventLogRow(
  task: Pick<EnrichmentTask, 'eventId' | 'eventType' | 'projectId' | 'retryCount'>,
  outcome: EventOutcome
): Row {
  return {
    event_id: task.eventId,
    event_type: task.eventType,
    project_id: task.projectId,
    status: outcome.status,
    error_message: outcome.failure === undefined ? null : failureText(outcome.failure.message),
    error_category: outcome.failure?.category ?? null,
    api_calls: outcome.apiCalls,
    duration_ms: Math.round(outcome.durationMs),
    retry_count: task.retryCount,
    processed_at: outcome.processedAt,
    processed_date: dateOf(outcome.processedAt)
  }
}
