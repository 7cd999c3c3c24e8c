/**
 * `claimx_attachment_metadata`, `claimx_video_collab`, `claimx_attachments` (reference/claimx-tables.md
 * sections 6, 10, 11).
 */
import type { TableDef } from '../../../core/index.ts'
import { coalesced, column, entityColumns, newestAnswer, required } from './columns.ts'

export const attachmentMetadata: TableDef = {
  name: 'claimx_attachment_metadata',
  doc: 'What ClaimX says about media. Written by the enrichment worker.',
  mergeKey: ['media_id'],
  guard: newestAnswer,
  columns: [
    required('media_id', 'string', 'key', '`mediaID`'),
    ...coalesced('string', {
      project_id: 'the project that was asked for',
      task_assignment_id: '`taskAssignmentId` or `taskAssignmentID`',
      file_type: '`mediaType`; not to be trusted as an extension',
      file_name: '`mediaName`',
      media_description: '`mediaDescription`',
      media_comment: '`mediaComment`'
    }),
    ...coalesced('double', { latitude: '`latitude`', longitude: '`longitude`' }),
    ...coalesced('string', {
      gps_source: '`gpsSource`',
      taken_date: '`takenDate`, as given',
      full_download_link: '`fullDownloadLink` without its query: the signature is a secret'
    }),
    column('expires_at', 'string', 'with:full_download_link', '`expiresAt`, else from the link'),
    ...entityColumns({ nullable: true })
  ]
}

export const videoCollab: TableDef = {
  name: 'claimx_video_collab',
  doc: 'Video sessions. Written by the enrichment worker.',
  mergeKey: ['collaboration_id'],
  guard: newestAnswer,
  columns: [
    required('collaboration_id', 'long', 'key', '`videoCollaborationId` or `id`'),
    ...coalesced('long', { claim_id: '`claimId`, the project id' }),
    ...coalesced('string', {
      mfn: '`mfn`',
      claim_number: '`claimNumber`',
      policy_number: '`policyNumber`',
      email_user_name: '`emailUserName`',
      claim_rep_first_name: '`claimRepFirstName`',
      claim_rep_last_name: '`claimRepLastName`',
      claim_rep_full_name: '`claimRepFullName`, else first and last name'
    }),
    ...coalesced('long', {
      number_of_videos: '`numberOfVideos`',
      number_of_photos: '`numberOfPhotos`',
      number_of_viewers: '`numberOfViewers`',
      session_count: '`sessionCount`'
    }),
    ...coalesced('string', {
      total_time_seconds: '`totalTimeSeconds` as exact decimal text',
      total_time: '`totalTime`',
      created_date: '`createdDate`',
      live_call_first_session: '`liveCallFirstSession`',
      live_call_last_session: '`liveCallLastSession`'
    }),
    ...coalesced('long', { company_id: '`companyId`' }),
    ...coalesced('string', { company_name: '`companyName`', guid: '`guid`' }),
    ...entityColumns({ nullable: true })
  ]
}

export const attachments: TableDef = {
  name: 'claimx_attachments',
  doc: 'Inventory of stored files: completed uploads only. Written by the result processor.',
  mergeKey: ['media_id'],
  // The later of two downloads of one media describes the file that lies at the path.
  guard: { columns: ['downloaded_at'], strict: false },
  columns: [
    required('media_id', 'string', 'key', 'the media'),
    ...coalesced('string', {
      project_id: 'the project',
      blob_path: 'where the file is, below the base of the domain',
      file_type: '`mediaType`',
      file_name: '`mediaName`',
      source_event_id: 'event that led to the download'
    }),
    ...coalesced('long', { bytes_downloaded: 'size of the stored file' }),
    ...coalesced('string', { content_sha256: 'SHA-256 of the file, lower-case hexadecimal' }),
    ...coalesced('timestamp', { downloaded_at: 'when the upload was confirmed' }),
    column('created_at', 'timestamp', 'first', 'first write'),
    column('updated_at', 'timestamp', 'audit', 'last change of the row'),
    ...coalesced('string', {
      media_type: 'MIME type by content',
      media_name: 'display name'
    }),
    column('created_date', 'date', 'first', 'UTC date of the first write'),
    ...coalesced('string', { download_url: 'original URL without its query' })
  ]
}
