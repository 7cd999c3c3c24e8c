/**
 * `ClaimXCachedDownloadMessage` and `ClaimXUploadResultMessage` (reference/claimx-events.md 4.3, 4.4),
 * and the steps from one message of the file path to the next.
 */
import { formatInstant, type Micros, stringifyJson } from '../../../core/index.ts'
import { decodeObject, FieldReader, invalid } from '../json-record.ts'
import { expiresAtOf } from '../url-expiry.ts'
import { failureText } from './failure.ts'
import type { CachedDownload, DownloadTask, UploadResult, UploadStatus } from './types.ts'

const CACHED = 'cached download'
const RESULT = 'upload result'

/** What the downloader says about a file that it has cached. */
export interface CachedFileFacts {
  readonly localCachePath: string
  readonly bytes: number
  readonly sha256: string | null
  readonly contentType: string | null
}

export function cachedDownloadOf(
  task: DownloadTask,
  file: CachedFileFacts,
  downloadedAt: Micros
): CachedDownload {
  return {
    mediaId: task.mediaId,
    projectId: task.projectId,
    downloadUrl: task.downloadUrl,
    destinationPath: task.blobPath,
    localCachePath: file.localCachePath,
    bytesDownloaded: file.bytes,
    contentType: file.contentType,
    fileType: task.fileType,
    fileName: task.fileName,
    sourceEventId: task.sourceEventId,
    downloadedAt,
    sha256: file.sha256,
    retryCount: task.retryCount,
    refreshCount: task.refreshCount
  }
}

/** The download task that brings a missing cache file back. */
export function downloadTaskOfCached(message: CachedDownload): DownloadTask {
  return {
    mediaId: message.mediaId,
    projectId: message.projectId,
    downloadUrl: message.downloadUrl,
    blobPath: message.destinationPath,
    fileType: message.fileType,
    fileName: message.fileName,
    sourceEventId: message.sourceEventId,
    retryCount: message.retryCount,
    expiresAt: expiresAtOf(message.downloadUrl) ?? null,
    refreshCount: message.refreshCount,
    metadata: null
  }
}

/** Result of an upload; `bytes` is what the store holds now. */
export function uploadResultOf(
  message: CachedDownload,
  outcome: {
    readonly status: UploadStatus
    readonly bytes: number
    readonly errorMessage?: string | null
  },
  createdAt: Micros
): UploadResult {
  return {
    mediaId: message.mediaId,
    projectId: message.projectId,
    downloadUrl: message.downloadUrl,
    blobPath: message.destinationPath,
    fileType: message.fileType,
    fileName: message.fileName,
    sourceEventId: message.sourceEventId,
    status: outcome.status,
    bytesUploaded: outcome.bytes,
    errorMessage: outcome.errorMessage ?? null,
    createdAt,
    sha256: message.sha256,
    contentType: message.contentType
  }
}

export function encodeCachedDownload(message: CachedDownload): string {
  return stringifyJson({
    media_id: message.mediaId,
    project_id: message.projectId,
    download_url: message.downloadUrl,
    destination_path: message.destinationPath,
    local_cache_path: message.localCachePath,
    bytes_downloaded: message.bytesDownloaded,
    content_type: message.contentType,
    file_type: message.fileType,
    file_name: message.fileName,
    source_event_id: message.sourceEventId,
    downloaded_at: formatInstant(message.downloadedAt),
    sha256: message.sha256,
    retry_count: message.retryCount,
    refresh_count: message.refreshCount
  })
}

/** Throws `MessageError` MESSAGE_INVALID, as all decoders here. */
export function decodeCachedDownload(value: Uint8Array | null): CachedDownload {
  const wire = new FieldReader(decodeObject(value, CACHED), CACHED)
  return {
    mediaId: wire.required('media_id'),
    projectId: wire.required('project_id'),
    downloadUrl: wire.required('download_url'),
    destinationPath: wire.required('destination_path'),
    localCachePath: wire.required('local_cache_path'),
    bytesDownloaded: wire.counter('bytes_downloaded'),
    contentType: wire.text('content_type'),
    fileType: wire.text('file_type') ?? '',
    fileName: wire.text('file_name') ?? '',
    sourceEventId: wire.text('source_event_id', 'event_id', 'trace_id') ?? '',
    downloadedAt: wire.requiredInstant('downloaded_at'),
    sha256: wire.text('sha256'),
    retryCount: wire.counter('retry_count'),
    refreshCount: wire.counter('refresh_count')
  }
}

export function encodeUploadResult(message: UploadResult): string {
  return stringifyJson({
    media_id: message.mediaId,
    project_id: message.projectId,
    download_url: message.downloadUrl,
    blob_path: message.blobPath,
    file_type: message.fileType,
    file_name: message.fileName,
    source_event_id: message.sourceEventId,
    status: message.status,
    bytes_uploaded: message.bytesUploaded,
    error_message: message.errorMessage === null ? null : failureText(message.errorMessage),
    created_at: formatInstant(message.createdAt),
    sha256: message.sha256,
    content_type: message.contentType
  })
}

export function decodeUploadResult(value: Uint8Array | null): UploadResult {
  const wire = new FieldReader(decodeObject(value, RESULT), RESULT)
  const error = wire.text('error_message')
  return {
    mediaId: wire.required('media_id'),
    projectId: wire.required('project_id'),
    downloadUrl: wire.required('download_url'),
    blobPath: wire.required('blob_path'),
    fileType: wire.text('file_type') ?? '',
    fileName: wire.text('file_name') ?? '',
    sourceEventId: wire.text('source_event_id', 'event_id', 'trace_id') ?? '',
    status: statusOf(wire.required('status')),
    bytesUploaded: wire.counter('bytes_uploaded'),
    errorMessage: error === null ? null : failureText(error),
    createdAt: wire.requiredInstant('created_at'),
    sha256: wire.text('sha256'),
    contentType: wire.text('content_type')
  }
}

function statusOf(text: string): UploadStatus {
  if (text === 'completed' || text === 'failed' || text === 'failed_permanent') return text
  throw invalid(`${RESULT}: status is none of completed, failed, failed_permanent`)
}
