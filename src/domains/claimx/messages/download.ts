/** `ClaimXDownloadTask` and `FailedDownloadMessage` (reference/claimx-events.md 4.2, 4.6). */
import { formatInstant, type JsonObject, type Micros, stringifyJson } from '../../../core/index.ts'
import { decodeObject, FieldReader } from '../json-record.ts'
import { withoutQuery } from '../url-expiry.ts'
import { failureText } from './failure.ts'
import { decodeMetadata, encodeMetadata } from './metadata.ts'
import type { DownloadTask, FailedDownload, FailureFacts } from './types.ts'

const TASK = 'download task'
const FAILED = 'failed download'

export function encodeDownloadTask(task: DownloadTask): string {
  return stringifyJson(taskToWire(task))
}

/** Throws `MessageError` MESSAGE_INVALID, as all decoders here. */
export function decodeDownloadTask(value: Uint8Array | null): DownloadTask {
  return taskFromWire(decodeObject(value, TASK), TASK)
}

/** The task with a renewed link: one refresh more, the old link remembered without its query. */
export function withFreshUrl(
  task: DownloadTask,
  fresh: { readonly downloadUrl: string; readonly expiresAt: Micros | null },
  now: Micros
): DownloadTask {
  return {
    ...task,
    ...fresh,
    refreshCount: task.refreshCount + 1,
    metadata: {
      ...task.metadata,
      urlRefreshedAt: now,
      originalUrl: withoutQuery(task.downloadUrl)
    }
  }
}

/** Dead letter of a download that failed for good. */
export function failedDownloadOf(
  task: DownloadTask,
  failure: FailureFacts,
  failedAt: Micros,
  urlRefreshAttempted: boolean
): FailedDownload {
  return {
    mediaId: task.mediaId,
    projectId: task.projectId,
    downloadUrl: task.downloadUrl,
    blobPath: task.blobPath,
    originalTask: task,
    finalError: failure.message,
    errorCategory: failure.category,
    retryCount: task.retryCount,
    urlRefreshAttempted,
    failedAt
  }
}

/**
 * The URL beside the task loses its query, so that the secret is in one place only: the original task,
 * which a redrive needs whole.
 */
export function encodeFailedDownload(message: FailedDownload): string {
  return stringifyJson({
    media_id: message.mediaId,
    project_id: message.projectId,
    download_url: withoutQuery(message.downloadUrl),
    blob_path: message.blobPath,
    original_task: taskToWire(message.originalTask),
    final_error: failureText(message.finalError),
    error_category: message.errorCategory,
    retry_count: message.retryCount,
    url_refresh_attempted: message.urlRefreshAttempted,
    failed_at: formatInstant(message.failedAt)
  })
}

/** Stored messages may lack the blob path and the error: both are then taken from the task. */
export function decodeFailedDownload(value: Uint8Array | null): FailedDownload {
  const object = decodeObject(value, FAILED)
  const wire = new FieldReader(object, FAILED)
  const originalTask = taskFromWire(wire.requiredChild('original_task'), `${FAILED}: original_task`)
  const finalError = wire.text('final_error') ?? originalTask.metadata?.lastError ?? 'unknown error'
  return {
    mediaId: wire.required('media_id'),
    projectId: wire.required('project_id'),
    downloadUrl: wire.required('download_url'),
    blobPath: wire.text('blob_path') ?? originalTask.blobPath,
    originalTask,
    finalError: failureText(finalError),
    errorCategory: wire.required('error_category'),
    retryCount: wire.counter('retry_count'),
    urlRefreshAttempted: wire.flag('url_refresh_attempted'),
    failedAt: wire.requiredInstant('failed_at')
  }
}

function taskToWire(task: DownloadTask): JsonObject {
  return {
    media_id: task.mediaId,
    project_id: task.projectId,
    download_url: task.downloadUrl,
    blob_path: task.blobPath,
    file_type: task.fileType,
    file_name: task.fileName,
    source_event_id: task.sourceEventId,
    retry_count: task.retryCount,
    expires_at: task.expiresAt === null ? null : formatInstant(task.expiresAt),
    refresh_count: task.refreshCount,
    metadata: encodeMetadata(task.metadata)
  }
}

function taskFromWire(object: JsonObject, what: string): DownloadTask {
  const wire = new FieldReader(object, what)
  return {
    mediaId: wire.required('media_id'),
    projectId: wire.required('project_id'),
    downloadUrl: wire.required('download_url'),
    blobPath: wire.required('blob_path'),
    fileType: wire.text('file_type') ?? '',
    fileName: wire.text('file_name') ?? '',
    sourceEventId: wire.text('source_event_id', 'event_id', 'trace_id') ?? '',
    retryCount: wire.counter('retry_count'),
    expiresAt: wire.instant('expires_at'),
    refreshCount: wire.counter('refresh_count'),
    metadata: decodeMetadata(wire.child('metadata'), what)
  }
}
