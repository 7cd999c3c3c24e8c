/** E3 items to rows of `claimx_attachment_metadata` and download tasks (claimx-tables.md 6). */
import { formatInstant, type JsonObject, parseInstant } from '../../../core/index.ts'
import { blobPath } from '../blob-path.ts'
import { idStr, str } from '../coerce.ts'
import { pick } from '../json-record.ts'
import type { DownloadTask } from '../messages/types.ts'
import { numericId } from '../text.ts'
import { expiresAtOf, withoutQuery } from '../url-expiry.ts'
import { ApiFields } from './api-fields.ts'
import { type MappedRows, mapped, type Provenance, stamps } from './mapping.ts'

/** The API's spelling first; the others occur in test doubles only. */
const idNames = ['mediaID', 'mediaId', 'media_id', 'id']
const linkNames = ['fullDownloadLink', 'download_url', 'full_download_link']

/** Id of a media item as canonical text, for matching; null when it has none. */
export function mediaIdOf(item: JsonObject): string | null {
  const id = idStr(pick(item, idNames)) ?? null
  return numericId(id) ?? id
}

/** The time-limited URL of a media item; null when there is none to download. */
export function downloadLinkOf(item: JsonObject): string | null {
  return str(pick(item, linkNames))
}

/** The link is a bearer secret and nothing reads it back, so its query is not stored. */
export function mediaRows(projectId: string, item: JsonObject, from: Provenance): MappedRows {
  return mapped(notes => {
    const media = new ApiFields(item, 'media', notes)
    media.skip(...idNames, ...linkNames)
    const link = downloadLinkOf(item)
    const expiresAt = media.str('expiresAt')
    const computed = link === null ? undefined : expiresAtOf(link)
    const columns = {
      media_id: mediaIdOf(item),
      project_id: projectId,
      task_assignment_id: media.idStr('taskAssignmentId', 'taskAssignmentID'),
      file_type: media.str('mediaType'),
      file_name: media.str('mediaName'),
      media_description: media.str('mediaDescription'),
      media_comment: media.str('mediaComment'),
      latitude: media.dbl('latitude'),
      longitude: media.dbl('longitude'),
      gps_source: media.str('gpsSource'),
      taken_date: media.str('takenDate'),
      full_download_link: link === null ? null : withoutQuery(link),
      expires_at:
        link === null
          ? null
          : (expiresAt ?? (computed === undefined ? null : formatInstant(computed))),
      ...stamps(from)
    }
    return { claimx_attachment_metadata: [{ ...columns, extra: media.extra() }] }
  })
}

/** The download of a media item; undefined without a link. Null names become empty text. */
export function downloadTaskOf(
  projectId: string,
  item: JsonObject,
  sourceEventId: string
): DownloadTask | undefined {
  const mediaId = mediaIdOf(item)
  const downloadUrl = downloadLinkOf(item)
  if (mediaId === null || downloadUrl === null) return undefined
  const fileName = str(item['mediaName']) ?? ''
  return {
    mediaId,
    projectId,
    downloadUrl,
    blobPath: blobPath(projectId, mediaId, fileName),
    fileType: str(item['mediaType']) ?? '',
    fileName,
    sourceEventId,
    retryCount: 0,
    expiresAt: parseInstant(str(item['expiresAt']) ?? '') ?? expiresAtOf(downloadUrl) ?? null,
    refreshCount: 0,
    metadata: null
  }
}
