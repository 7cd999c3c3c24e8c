/**
 * Messages between the workers (reference/claimx-events.md section 4). Names are camelCase here and
 * snake_case on the wire; times are microseconds here and ISO text on the wire.
 */
import type { Micros } from '../../../core/index.ts'

/** What earlier attempts left in a task. Unknown wire fields are dropped. */
export interface TaskMetadata {
  readonly lastError?: string
  /** A wire value of `ErrorClass`, or whatever another producer wrote. */
  readonly errorCategory?: string
  readonly retryAt?: Micros
  readonly urlRefreshedAt?: Micros
  /** Never with its query: that is the secret. */
  readonly originalUrl?: string
  readonly replayedFromDlq?: boolean
  readonly dlqPartition?: number
  /** Decimal text. */
  readonly dlqOffset?: string
}

/** Section 4.1, `ClaimXEnrichmentTask`. */
export interface EnrichmentTask {
  readonly eventId: string
  readonly eventType: string
  readonly projectId: string
  readonly retryCount: number
  readonly createdAt: Micros
  readonly mediaId: string | null
  readonly taskAssignmentId: string | null
  readonly videoCollaborationId: string | null
  readonly masterFileName: string | null
  /** The event's `ingested_at`; null when the source did not say. */
  readonly eventTime: Micros | null
  readonly metadata: TaskMetadata | null
}

/** Section 4.2, `ClaimXDownloadTask`. */
export interface DownloadTask {
  readonly mediaId: string
  readonly projectId: string
  readonly downloadUrl: string
  readonly blobPath: string
  readonly fileType: string
  readonly fileName: string
  readonly sourceEventId: string
  readonly retryCount: number
  readonly expiresAt: Micros | null
  readonly refreshCount: number
  readonly metadata: TaskMetadata | null
}

/** Section 4.3, `ClaimXCachedDownloadMessage`; the last three fields are ours. */
export interface CachedDownload {
  readonly mediaId: string
  readonly projectId: string
  readonly downloadUrl: string
  readonly destinationPath: string
  readonly localCachePath: string
  readonly bytesDownloaded: number
  readonly contentType: string | null
  readonly fileType: string
  readonly fileName: string
  readonly sourceEventId: string
  readonly downloadedAt: Micros
  /** Lower-case hexadecimal; null from producers that do not hash. */
  readonly sha256: string | null
  /** Carried over so that a missing cache file can become a new download task. */
  readonly retryCount: number
  readonly refreshCount: number
}

export type UploadStatus = 'completed' | 'failed' | 'failed_permanent'

/** Section 4.4, `ClaimXUploadResultMessage`; the last two fields are ours. */
export interface UploadResult {
  readonly mediaId: string
  readonly projectId: string
  readonly downloadUrl: string
  readonly blobPath: string
  readonly fileType: string
  readonly fileName: string
  readonly sourceEventId: string
  readonly status: UploadStatus
  readonly bytesUploaded: number
  readonly errorMessage: string | null
  readonly createdAt: Micros
  readonly sha256: string | null
  readonly contentType: string | null
}

/** Section 4.5, `FailedEnrichmentMessage`. */
export interface FailedEnrichment {
  readonly eventId: string
  readonly eventType: string
  readonly projectId: string
  readonly originalTask: EnrichmentTask
  readonly finalError: string
  readonly errorCategory: string
  readonly retryCount: number
  readonly failedAt: Micros
}

/** Section 4.6, `FailedDownloadMessage`. */
export interface FailedDownload {
  readonly mediaId: string
  readonly projectId: string
  readonly downloadUrl: string
  readonly blobPath: string
  readonly originalTask: DownloadTask
  readonly finalError: string
  readonly errorCategory: string
  readonly retryCount: number
  readonly urlRefreshAttempted: boolean
  readonly failedAt: Micros
}

/** What a failure leaves behind in messages and tables: redacted, at most 500 characters. */
export interface FailureFacts {
  readonly message: string
  readonly category: string
}
