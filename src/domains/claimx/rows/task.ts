/**
 * E6 to rows of tasks, templates, external links and contacts (reference/claimx-events.md section 3.6,
 * claimx-tables.md sections 5, 7, 8, 9).
 */
import type { JsonObject, Row } from '../../../core/index.ts'
import { int32, long } from '../coerce.ts'
import { numericId } from '../text.ts'
import { ApiFields } from './api-fields.ts'
import { contactRow } from './contact.ts'
import { type MappedRows, mapped, type Provenance, rowsOf, stamps } from './mapping.ts'

/** Project of the assignment; the answer's wins, since it may differ from the event's. */
export function taskProjectId(answer: JsonObject, eventProjectId: string): string {
  const id = answer['projectId']
  return numericId(id === null || id === undefined ? null : String(id).trim()) ?? eventProjectId
}

/** `assignmentId` and `eventProjectId` stand in when the answer lacks them. */
export function taskRows(
  assignmentId: string,
  eventProjectId: string,
  answer: JsonObject,
  from: Provenance
): MappedRows {
  return mapped(notes => {
    const task = new ApiFields(answer, 'task', notes)
    const projectId = taskProjectId(answer, eventProjectId)
    const id = task.long('assignmentId') ?? long(assignmentId) ?? null
    const template = task.part('customTask')
    const link = task.part('externalLinkData')
    // Form answers are for plugins and have no table.
    task.skip('projectId', 'response')
    const taskColumns = { task_id: id, project_id: projectId, ...assignmentColumns(task) }
    const templates = rowsOf([template && templateRow(projectId, template, from)])
    const links = link === undefined ? {} : linkRows(id, projectId, link, from)
    return {
      claimx_task_templates: templates,
      claimx_tasks: [{ ...taskColumns, ...stamps(from), extra: task.extra() }],
      ...links
    }
  })
}

function assignmentColumns(task: ApiFields): Row {
  return {
    template_id: task.long('taskId'),
    task_name: task.str('taskName'),
    form_id: task.str('formId'),
    assignee_id: task.long('assigneeId'),
    assignor_id: task.long('assignorId'),
    assignor_email: task.str('assignor', 'assignorEmail'),
    date_assigned: task.tsStr('dateAssigned'),
    date_completed: task.tsStr('dateCompleted'),
    cancelled_date: task.tsStr('cancelledDate'),
    cancelled_by_resource_id: task.long('cancelledByResourceId'),
    status: task.str('status'),
    pdf_project_media_id: task.long('pdfProjectMediaId'),
    date_exported: task.tsStr('dateExported'),
    form_response_id: task.str('formResponseId'),
    stp_enabled: task.bool('stpEnabled'),
    stp_started_date: task.tsStr('stpStartedDate'),
    mfn: task.str('mfn'),
    xactimate_exportable: task.bool('xactimateExportable'),
    fraud_language_accepted_date: task.tsStr('fraudLanguageAcceptedDate'),
    resubmit_task_assignment_id: task.long('resubmitTaskAssignmentId'),
    task_url: task.str('url')
  }
}

function templateRow(projectId: string, template: ApiFields, from: Provenance): Row | undefined {
  const row = {
    template_id: template.long('taskId'),
    project_id: projectId,
    comp_id: template.long('compId'),
    name: template.str('name'),
    description: template.str('description'),
    form_id: template.str('formId'),
    form_name: template.str('formName'),
    enabled: template.bool('enabled'),
    is_default: template.bool('default'),
    is_manual_delivery: template.bool('isManualDelivery'),
    is_external_link_delivery: template.bool('isExternalLinkDelivery'),
    provide_portal_access: template.bool('providePortalAccess'),
    notify_assigned_send_recipient: template.bool('notifyAssignedSendRecipient'),
    notify_assigned_send_recipient_sms: template.bool('notifyAssignedSendRecipientSms'),
    notify_assigned_subject: template.str('notifyAssignedSubject'),
    notify_task_completed: template.bool('notifyTaskCompleted'),
    notify_completed_subject: template.str('notifyCompletedSubject'),
    allow_resubmit: template.bool('allowReSubmit'),
    auto_generate_pdf: template.bool('autoGeneratePdf'),
    modified_by: template.str('modifiedBy'),
    modified_by_id: template.long('modifiedById'),
    modified_date: template.tsStr('modifiedDate'),
    ...stamps(from)
  }
  const extra = template.extra()
  return row.template_id === null ? undefined : { ...row, extra }
}

function linkRows(
  assignmentId: number | bigint | null,
  projectId: string,
  link: ApiFields,
  from: Provenance
) {
  const row = {
    link_id: link.long('linkId'),
    assignment_id: assignmentId,
    project_id: projectId,
    link_code: link.str('linkCode'),
    url: link.str('url'),
    notification_access_method: link.str('notificationAccessMethod'),
    country_id: link.long('countryId'),
    state_id: link.long('stateId'),
    accessed_count: 0,
    ...stamps(from)
  }
  const email = link.str('email')
  const person = {
    firstName: link.str('firstName'),
    lastName: link.str('lastName'),
    phone: link.str('phone'),
    phoneCountryCode: link.long('phoneCountryCode')
  }
  const taskAssignmentId = int32(assignmentId) ?? null
  const extra = link.extra()
  return {
    claimx_external_links: rowsOf([row.link_id === null ? undefined : { ...row, extra }]),
    claimx_contacts: rowsOf([
      email === null
        ? undefined
        : contactRow(
            {
              projectId,
              email,
              type: 'POLICYHOLDER',
              ...person,
              isPrimary: false,
              taskAssignmentId
            },
            from
          )
    ])
  }
}
