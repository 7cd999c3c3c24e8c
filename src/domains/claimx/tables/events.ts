/** `claimx_events` and `claimx_event_log` (reference/claimx-tables.md sections 2 and 3). */
import type { TableDef } from '../../../core/index.ts'
import { column, required } from './columns.ts'

export const events: TableDef = {
  name: 'claimx_events',
  doc: 'Every event that was received, once. Written by the event ingester.',
  mergeKey: ['event_id'],
  insertOnly: true,
  partitionBy: ['event_date'],
  columns: [
    required('event_id', 'string', 'key', 'given by the source, or derived from the event'),
    required('event_type', 'string', 'first', 'open set of names'),
    column('project_id', 'string', 'first', 'ClaimX project'),
    column('media_id', 'string', 'first', 'of file events'),
    column('task_assignment_id', 'string', 'first', 'of task events'),
    column('video_collaboration_id', 'string', 'first', 'of video events'),
    column('master_file_name', 'string', 'first', 'of master file name events'),
    required('ingested_at', 'timestamp', 'first', 'receipt by the webhook, else first processing'),
    required('created_at', 'timestamp', 'first', 'when the row was written'),
    column('event_date', 'date', 'first', 'UTC date of `ingested_at`'),
    column('raw_json', 'string', 'first', 'the original payload as JSON, for replays')
  ]
}

export const eventLog: TableDef = {
  name: 'claimx_event_log',
  doc: 'How the latest attempt at each event ended. Written by the enrichment worker.',
  mergeKey: ['event_id'],
  guard: { columns: ['retry_count', 'processed_at'], strict: true },
  columns: [
    required('event_id', 'string', 'key', 'the event'),
    column('event_type', 'string', 'replace', 'as in `claimx_events`'),
    column('project_id', 'string', 'replace', 'as in `claimx_events`'),
    required('status', 'string', 'replace', '`success`, `failed`, `failed_permanent`, `skipped`'),
    column('error_message', 'string', 'replace', 'at most 500 characters; null on success'),
    column('error_category', 'string', 'replace', 'error class; null on success'),
    column('api_calls', 'integer', 'replace', 'HTTP requests charged to the event'),
    column('duration_ms', 'integer', 'replace', 'from the start of its batch'),
    column('retry_count', 'integer', 'replace', 'the attempt that the row describes, from 0'),
    required('processed_at', 'timestamp', 'replace', 'when the attempt ended'),
    required('processed_date', 'date', 'replace', 'UTC date of `processed_at`')
  ]
}
