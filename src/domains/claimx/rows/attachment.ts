/** Rows of `claimx_attachments`, the inventory of stored files (claimx-tables.md section 11). */
import { dateOf, type Micros, type Row } from '../../../core/index.ts'
import type { UploadResult } from '../messages/types.ts'
import { withoutQuery } from '../url-expiry.ts'

/** Only for results with status `completed`. */
export function attachmentRow(result: UploadResult, now: Micros): Row {
  return {
    media_id: result.mediaId,
    project_id: result.projectId,
    blob_path: result.blobPath,
    file_type: result.fileType || null,
    file_name: result.fileName || null,
    source_event_id: result.sourceEventId || null,
    bytes_downloaded: result.bytesUploaded,
    content_sha256: result.sha256,
    downloaded_at: result.createdAt,
    created_at: now,
    updated_at: now,
    media_type: result.contentType,
    media_name: result.fileName || null,
    created_date: dateOf(now),
    download_url: withoutQuery(result.downloadUrl)
  }
}
