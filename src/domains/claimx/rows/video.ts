/** E8 items to rows of `claimx_video_collab` (reference/claimx-tables.md section 10). */
import type { JsonObject, Row } from '../../../core/index.ts'
import { long } from '../coerce.ts'
import { pick } from '../json-record.ts'
import { ApiFields, type MappingNotes } from './api-fields.ts'
import { type MappedRows, mapped, type Provenance, rowsOf, stamps } from './mapping.ts'

const idNames = ['videoCollaborationId', 'id']

/** Id of a collaboration as text, for matching; null when it has none. */
export function collaborationIdOf(item: JsonObject): string | null {
  return long(pick(item, idNames))?.toString() ?? null
}

/** One row for every item that has an id. */
export function videoRows(items: readonly JsonObject[], from: Provenance): MappedRows {
  return mapped(notes => ({
    claimx_video_collab: rowsOf(items.map(item => videoRow(item, from, notes)))
  }))
}

function videoRow(item: JsonObject, from: Provenance, notes: MappingNotes): Row | undefined {
  const video = new ApiFields(item, 'video', notes)
  const firstName = video.str('claimRepFirstName')
  const lastName = video.str('claimRepLastName')
  const joined = [firstName, lastName].filter(name => name !== null).join(' ') || null
  const columns = {
    collaboration_id: video.long(...idNames),
    claim_id: video.long('claimId'),
    mfn: video.str('mfn'),
    claim_number: video.str('claimNumber'),
    policy_number: video.str('policyNumber'),
    email_user_name: video.str('emailUserName'),
    claim_rep_first_name: firstName,
    claim_rep_last_name: lastName,
    claim_rep_full_name: video.str('claimRepFullName') ?? joined,
    number_of_videos: video.long('numberOfVideos'),
    number_of_photos: video.long('numberOfPhotos'),
    number_of_viewers: video.long('numberOfViewers'),
    session_count: video.long('sessionCount'),
    total_time_seconds: video.decStr('totalTimeSeconds'),
    total_time: video.str('totalTime'),
    created_date: video.tsStr('createdDate'),
    live_call_first_session: video.tsStr('liveCallFirstSession'),
    live_call_last_session: video.tsStr('liveCallLastSession'),
    company_id: video.long('companyId'),
    company_name: video.str('companyName'),
    guid: video.str('guid'),
    ...stamps(from)
  }
  return columns.collaboration_id === null ? undefined : { ...columns, extra: video.extra() }
}
