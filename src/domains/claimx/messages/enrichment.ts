/** `ClaimXEnrichmentTask` and `FailedEnrichmentMessage` (reference/claimx-events.md 4.1, 4.5). */
import { formatInstant, type JsonObject, type Micros, stringifyJson } from '../../../core/index.ts'
import type { ClaimxEvent } from '../events.ts'
import { decodeObject, FieldReader } from '../json-record.ts'
import { failureText } from './failure.ts'
import { decodeMetadata, encodeMetadata } from './metadata.ts'
import type { EnrichmentTask, FailedEnrichment, FailureFacts } from './types.ts'

const TASK = 'enrichment task'
const FAILED = 'failed enrichment'

/** The task that an event becomes. `now` is its creation time. */
export function enrichmentTaskOf(event: ClaimxEvent, now: Micros): EnrichmentTask {
  return {
    eventId: event.eventId,
    eventType: event.eventType,
    projectId: event.projectId,
    retryCount: 0,
    createdAt: now,
    mediaId: event.mediaId,
    taskAssignmentId: event.taskAssignmentId,
    videoCollaborationId: event.videoCollaborationId,
    masterFileName: event.masterFileName,
    eventTime: event.ingestedAt ?? null,
    metadata: null
  }
}

export function encodeEnrichmentTask(task: EnrichmentTask): string {
  return stringifyJson(taskToWire(task))
}

/** Throws `MessageError` MESSAGE_INVALID, as all decoders here. */
export function decodeEnrichmentTask(value: Uint8Array | null): EnrichmentTask {
  return taskFromWire(decodeObject(value, TASK), TASK)
}

/** Dead letter of a task that failed for good. */
export function failedEnrichmentOf(
  task: EnrichmentTask,
  failure: FailureFacts,
  failedAt: Micros
): FailedEnrichment {
  return {
    eventId: task.eventId,
    eventType: task.eventType,
    projectId: task.projectId,
    originalTask: task,
    finalError: failure.message,
    errorCategory: failure.category,
    retryCount: task.retryCount,
    failedAt
  }
}

export function encodeFailedEnrichment(message: FailedEnrichment): string {
  return stringifyJson({
    event_id: message.eventId,
    event_type: message.eventType,
    project_id: message.projectId,
    original_task: taskToWire(message.originalTask),
    final_error: failureText(message.finalError),
    error_category: message.errorCategory,
    retry_count: message.retryCount,
    failed_at: formatInstant(message.failedAt)
  })
}

export function decodeFailedEnrichment(value: Uint8Array | null): FailedEnrichment {
  const wire = new FieldReader(decodeObject(value, FAILED), FAILED)
  const originalTask = taskFromWire(wire.requiredChild('original_task'), `${FAILED}: original_task`)
  return {
    eventId: wire.required('event_id', 'trace_id'),
    eventType: wire.required('event_type'),
    projectId: wire.required('project_id'),
    originalTask,
    finalError: failureText(wire.required('final_error')),
    errorCategory: wire.required('error_category'),
    retryCount: wire.counter('retry_count'),
    failedAt: wire.requiredInstant('failed_at')
  }
}

function taskToWire(task: EnrichmentTask): JsonObject {
  return {
    event_id: task.eventId,
    event_type: task.eventType,
    project_id: task.projectId,
    retry_count: task.retryCount,
    created_at: formatInstant(task.createdAt),
    media_id: task.mediaId,
    task_assignment_id: task.taskAssignmentId,
    video_collaboration_id: task.videoCollaborationId,
    master_file_name: task.masterFileName,
    event_time: task.eventTime === null ? null : formatInstant(task.eventTime),
    metadata: encodeMetadata(task.metadata)
  }
}

function taskFromWire(object: JsonObject, what: string): EnrichmentTask {
  const wire = new FieldReader(object, what)
  return {
    eventId: wire.required('event_id', 'trace_id'),
    eventType: wire.required('event_type'),
    projectId: wire.required('project_id'),
    retryCount: wire.counter('retry_count'),
    createdAt: wire.requiredInstant('created_at'),
    mediaId: wire.text('media_id'),
    taskAssignmentId: wire.text('task_assignment_id'),
    videoCollaborationId: wire.text('video_collaboration_id'),
    masterFileName: wire.text('master_file_name'),
    eventTime: wire.instant('event_time'),
    metadata: decodeMetadata(wire.child('metadata'), what)
  }
}
