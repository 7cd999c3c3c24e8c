/** The ten tables (reference/claimx-tables.md): the one source of their schema, keys and rules. */
import type { TableDef } from '../../../core/index.ts'
import type { TableName } from '../table-names.ts'
import { eventLog, events } from './events.ts'
import { attachmentMetadata, attachments, videoCollab } from './media.ts'
import { contacts, projects } from './projects.ts'
import { externalLinks, tasks, taskTemplates } from './tasks.ts'

export const claimxTables: Readonly<Record<TableName, TableDef>> = {
  claimx_events: events,
  claimx_event_log: eventLog,
  claimx_projects: projects,
  claimx_contacts: contacts,
  claimx_attachment_metadata: attachmentMetadata,
  claimx_tasks: tasks,
  claimx_task_templates: taskTemplates,
  claimx_external_links: externalLinks,
  claimx_video_collab: videoCollab,
  claimx_attachments: attachments
}
