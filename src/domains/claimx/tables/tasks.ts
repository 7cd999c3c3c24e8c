/**
 * `claimx_tasks`, `claimx_task_templates`, `claimx_external_links` (reference/claimx-tables.md sections
 * 7, 8, 9).
 */
import type { TableDef } from '../../../core/index.ts'
import { coalesced, column, entityColumns, newestAnswer, required } from './columns.ts'

export const tasks: TableDef = {
  name: 'claimx_tasks',
  doc: 'Custom tasks that were assigned. Written by the enrichment worker.',
  mergeKey: ['task_id'],
  guard: newestAnswer,
  columns: [
    required('task_id', 'long', 'key', '`assignmentId`; not the API’s `taskId`'),
    ...coalesced('long', { template_id: '`taskId`' }),
    ...coalesced('string', {
      project_id: '`projectId`, else the event’s',
      task_name: '`taskName`',
      form_id: '`formId`'
    }),
    ...coalesced('long', { assignee_id: '`assigneeId`', assignor_id: '`assignorId`' }),
    ...coalesced('string', {
      assignor_email: '`assignor` or `assignorEmail`',
      date_assigned: '`dateAssigned`',
      date_completed: '`dateCompleted`',
      cancelled_date: '`cancelledDate`'
    }),
    ...coalesced('long', { cancelled_by_resource_id: '`cancelledByResourceId`' }),
    ...coalesced('string', { status: '`status`' }),
    ...coalesced('long', { pdf_project_media_id: '`pdfProjectMediaId`' }),
    ...coalesced('string', {
      date_exported: '`dateExported`',
      form_response_id: '`formResponseId`'
    }),
    ...coalesced('boolean', { stp_enabled: '`stpEnabled`' }),
    ...coalesced('string', { stp_started_date: '`stpStartedDate`', mfn: '`mfn`' }),
    ...coalesced('boolean', { xactimate_exportable: '`xactimateExportable`' }),
    ...coalesced('string', { fraud_language_accepted_date: '`fraudLanguageAcceptedDate`' }),
    ...coalesced('long', { resubmit_task_assignment_id: '`resubmitTaskAssignmentId`' }),
    ...coalesced('string', { task_url: '`url`' }),
    ...entityColumns({ nullable: false })
  ]
}

export const taskTemplates: TableDef = {
  name: 'claimx_task_templates',
  doc: 'Templates of custom tasks, per project. Only a newer `modified_date` changes a row.',
  mergeKey: ['template_id', 'project_id'],
  guard: { columns: ['modified_date'], strict: true, parse: 'instant' },
  columns: [
    required('template_id', 'long', 'key', '`customTask.taskId`'),
    required('project_id', 'string', 'key', 'project of the assignment'),
    ...coalesced('long', { comp_id: '`compId`' }),
    ...coalesced('string', {
      name: '`name`',
      description: '`description`',
      form_id: '`formId`',
      form_name: '`formName`'
    }),
    ...coalesced('boolean', {
      enabled: '`enabled`',
      is_default: '`default`',
      is_manual_delivery: '`isManualDelivery`',
      is_external_link_delivery: '`isExternalLinkDelivery`',
      provide_portal_access: '`providePortalAccess`',
      notify_assigned_send_recipient: '`notifyAssignedSendRecipient`',
      notify_assigned_send_recipient_sms: '`notifyAssignedSendRecipientSms`'
    }),
    ...coalesced('string', { notify_assigned_subject: '`notifyAssignedSubject`' }),
    ...coalesced('boolean', { notify_task_completed: '`notifyTaskCompleted`' }),
    ...coalesced('string', { notify_completed_subject: '`notifyCompletedSubject`' }),
    ...coalesced('boolean', {
      allow_resubmit: '`allowReSubmit`',
      auto_generate_pdf: '`autoGeneratePdf`'
    }),
    ...coalesced('string', { modified_by: '`modifiedBy`' }),
    ...coalesced('long', { modified_by_id: '`modifiedById`' }),
    ...coalesced('string', { modified_date: '`modifiedDate`; compared as a point in time' }),
    ...entityColumns({ nullable: false })
  ]
}

export const externalLinks: TableDef = {
  name: 'claimx_external_links',
  doc: 'Links by which people outside answer a task. Written by the enrichment worker.',
  mergeKey: ['link_id'],
  guard: newestAnswer,
  columns: [
    required('link_id', 'long', 'key', '`externalLinkData.linkId`'),
    ...coalesced('long', { assignment_id: 'the task: `claimx_tasks.task_id`' }),
    ...coalesced('string', {
      project_id: 'project of the task',
      link_code: '`linkCode`',
      url: '`url`',
      notification_access_method: '`notificationAccessMethod`'
    }),
    ...coalesced('long', { country_id: '`countryId`', state_id: '`stateId`' }),
    column('created_date', 'string', 'first', 'no source yet'),
    column('accessed_count', 'long', 'first', 'owned by another system; 0 on insert'),
    column('last_accessed', 'string', 'first', 'owned by another system; null on insert'),
    ...entityColumns({ nullable: true })
  ]
}
