/** Names of the ten tables (design.md section 6) and rows grouped by table. */
import type { Row } from '../../core/index.ts'

export const tableNames = [
  'claimx_events',
  'claimx_event_log',
  'claimx_projects',
  'claimx_contacts',
  'claimx_attachment_metadata',
  'claimx_tasks',
  'claimx_task_templates',
  'claimx_external_links',
  'claimx_video_collab',
  'claimx_attachments'
] as const

export type TableName = (typeof tableNames)[number]

export type EntityRows = Partial<Record<TableName, Row[]>>

/**
 * Parents before children, the log last (reference/claimx-tables.md section 12.11), with one difference:
 * contacts before projects. A project's row tells the pre-flight of a repeated batch that the project is
 * complete; were it durable without its contacts when the process dies, nobody would ask for them again.
 * Tables of one step do not depend on each other.
 */
export const writeSteps: readonly (readonly TableName[])[] = [
  ['claimx_events'],
  ['claimx_contacts'],
  ['claimx_projects'],
  ['claimx_task_templates', 'claimx_attachment_metadata', 'claimx_video_collab'],
  ['claimx_tasks'],
  ['claimx_external_links', 'claimx_attachments'],
  ['claimx_event_log']
]

/** The steps one after the other. */
export const writeOrder: readonly TableName[] = writeSteps.flat()
