/**
 * What the API's answers must become in the tables, from claimx-tables.md sections 4 to 10. Written
 * from the reference, not from the pipeline, so that a mistake there is not repeated here.
 */
import { createHash } from 'node:crypto'
import type { JsonObject, JsonValue } from '../core/index.ts'
import { bool, dbl, decStr, list, long, object, str, tsStr } from './coercion.ts'
import type { MediaFile } from './types.ts'

/** Expected value of a column, or a test that says what is wrong with the actual one. */
export type Cell = string | number | bigint | boolean | null | CellTest
export type CellTest = (actual: unknown) => string | undefined
export type ExpectedRow = Readonly<Record<string, Cell>>

export function projectRow(projectId: number, answer: JsonObject): ExpectedRow {
  const project = object(answer['project'])
  const customer = object(project['customerInformation'])
  const address = object(project['address'])
  const [phone] = list(customer['phones'])
  return {
    project_number: str(project['projectNumber']),
    master_file_name: str(project['mfn'] ?? project['masterFilename']),
    secondary_number: str(project['secondaryNumber']),
    status: str(project['status']),
    created_date: tsStr(project['createdDate']),
    date_of_loss: tsStr(project['dateOfLoss']),
    type_of_loss: str(project['typeOfLoss']),
    cause_of_loss: str(project['causeOfLoss']),
    loss_description: str(project['lossDescription']),
    customer_first_name: str(customer['firstName']),
    customer_last_name: str(customer['lastName']),
    custom_business_name: str(customer['customBusinessName']),
    business_line_type: str(customer['businessLineType']),
    year_built: long(project['yearBuilt']),
    square_footage: long(project['squareFootage']),
    street1: str(address['street1']),
    street2: str(address['street2']),
    city: str(address['city']),
    state_province: str(address['stateProvince']),
    zip_postcode: str(address['zipPostcode']),
    county: str(address['county']),
    country: str(address['country']),
    primary_email: primaryEmail(customer),
    primary_phone: str(phone?.['phoneNumber']),
    primary_phone_country_code: long(phone?.['phoneCountryCode']),
    date_received: tsStr(project['dateReceived']),
    date_contacted: tsStr(project['dateContacted']),
    planned_inspection_date: tsStr(project['plannedInspectionDate']),
    date_inspected: tsStr(project['dateInspected']),
    appointment_date: tsStr(project['appointmentDate']),
    custom_attribute1: str(project['customAttribute1']),
    custom_attribute2: str(project['customAttribute2']),
    custom_attribute3: str(project['customAttribute3']),
    custom_external_unique_id: str(project['customExternalUniqueId']),
    company_name: str(answer['companyName']),
    coverages: null,
    extra: keeps(project, 'priorityScore'),
    project_id: String(projectId)
  }
}

/** Flagged entry, else the first; a flagged one without address counts for nothing. */
function primaryEmail(customer: JsonObject): string | null {
  const emails = list(customer['emails'])
  const flagged = emails.find(entry => entry['primary'] === true)
  return str(flagged?.['emailAddress']) ?? str(emails[0]?.['emailAddress'])
}

export interface ExpectedContact {
  readonly contactId: string
  readonly projectId: string
  readonly type: 'POLICYHOLDER' | 'CLAIM_REP'
  readonly email: string
  firstName: string | null
  lastName: string | null
  phone: string | null
  phoneCountryCode: number | null
  primary: boolean
  masterFileName: string | null
  /** Any of these tasks may be named; none: null. */
  readonly tasks: number[]
}

export function contactsOfProject(projectId: number, answer: JsonObject): ExpectedContact[] {
  const customer = object(object(answer['project'])['customerInformation'])
  const [phone] = list(customer['phones'])
  const contacts: ExpectedContact[] = []
  const email = primaryEmail(customer)
  if (email !== null) {
    contacts.push({
      ...newContact(projectId, 'POLICYHOLDER', email),
      firstName: str(customer['firstName']),
      lastName: str(customer['lastName']),
      phone: str(phone?.['phoneNumber']),
      phoneCountryCode: long(phone?.['phoneCountryCode']),
      primary: true
    })
  }
  for (const member of list(answer['teamMembers'])) {
    const userName = str(member['userName'])
    if (userName === null) continue
    contacts.push({
      ...newContact(projectId, 'CLAIM_REP', userName),
      primary: bool(member['primaryContact']) ?? false,
      masterFileName: str(member['mfn'])
    })
  }
  return contacts
}

export function contactOfLink(
  projectId: number,
  assignmentId: number,
  link: JsonObject
): ExpectedContact | undefined {
  const email = str(link['email'])
  if (email === null) return undefined
  return {
    ...newContact(projectId, 'POLICYHOLDER', email),
    firstName: str(link['firstName']),
    lastName: str(link['lastName']),
    phone: str(link['phone']),
    phoneCountryCode: long(link['phoneCountryCode']),
    tasks: [assignmentId]
  }
}

function newContact(
  projectId: number,
  type: ExpectedContact['type'],
  email: string
): ExpectedContact {
  const parts = [String(projectId), type, email.toLowerCase()].join('|')
  return {
    contactId: createHash('sha256').update(parts).digest('hex'),
    projectId: String(projectId),
    type,
    email,
    firstName: null,
    lastName: null,
    phone: null,
    phoneCountryCode: null,
    primary: false,
    masterFileName: null,
    tasks: []
  }
}

/** The same person known from two answers: nothing that one knows is lost. */
export function joinContacts(into: ExpectedContact, other: ExpectedContact): void {
  into.firstName ??= other.firstName
  into.lastName ??= other.lastName
  into.phone ??= other.phone
  into.phoneCountryCode ??= other.phoneCountryCode
  into.masterFileName ??= other.masterFileName
  into.primary ||= other.primary
  into.tasks.push(...other.tasks)
}

export function contactRow(contact: ExpectedContact): ExpectedRow {
  return {
    contact_id: contact.contactId,
    project_id: contact.projectId,
    contact_email: actual =>
      String(actual).toLowerCase() === contact.email.toLowerCase() ? undefined : contact.email,
    contact_type: contact.type,
    first_name: contact.firstName,
    last_name: contact.lastName,
    phone_number: contact.phone,
    phone_country_code: contact.phoneCountryCode,
    is_primary_contact: contact.primary,
    master_file_name: contact.masterFileName,
    task_assignment_id: actual => {
      if (contact.tasks.length === 0) return actual === null ? undefined : 'null'
      const named = actual !== null && contact.tasks.includes(Number(actual))
      return named ? undefined : `one of ${contact.tasks.slice(0, 5).join(', ')}`
    },
    video_collaboration_id: null
  }
}

export function taskRow(assignmentId: number, answer: JsonObject): ExpectedRow {
  return {
    task_id: assignmentId,
    template_id: long(answer['taskId']),
    project_id: str(answer['projectId']),
    task_name: str(answer['taskName']),
    form_id: str(answer['formId']),
    assignee_id: long(answer['assigneeId']),
    assignor_id: long(answer['assignorId']),
    assignor_email: str(answer['assignor'] ?? answer['assignorEmail']),
    date_assigned: tsStr(answer['dateAssigned']),
    date_completed: tsStr(answer['dateCompleted']),
    cancelled_date: tsStr(answer['cancelledDate']),
    cancelled_by_resource_id: long(answer['cancelledByResourceId']),
    status: str(answer['status']),
    pdf_project_media_id: long(answer['pdfProjectMediaId']),
    date_exported: tsStr(answer['dateExported']),
    form_response_id: str(answer['formResponseId']),
    stp_enabled: bool(answer['stpEnabled']),
    stp_started_date: tsStr(answer['stpStartedDate']),
    mfn: str(answer['mfn']),
    xactimate_exportable: bool(answer['xactimateExportable']),
    fraud_language_accepted_date: tsStr(answer['fraudLanguageAcceptedDate']),
    resubmit_task_assignment_id: long(answer['resubmitTaskAssignmentId']),
    task_url: str(answer['url']),
    extra: keeps(answer, 'slaBreached')
  }
}

export function templateRow(projectId: string, template: JsonObject): ExpectedRow {
  return {
    template_id: long(template['taskId']),
    project_id: projectId,
    comp_id: long(template['compId']),
    name: str(template['name']),
    description: str(template['description']),
    form_id: str(template['formId']),
    form_name: str(template['formName']),
    enabled: bool(template['enabled']),
    is_default: bool(template['default']),
    is_manual_delivery: bool(template['isManualDelivery']),
    is_external_link_delivery: bool(template['isExternalLinkDelivery']),
    provide_portal_access: bool(template['providePortalAccess']),
    notify_assigned_send_recipient: bool(template['notifyAssignedSendRecipient']),
    notify_assigned_send_recipient_sms: bool(template['notifyAssignedSendRecipientSms']),
    notify_assigned_subject: str(template['notifyAssignedSubject']),
    notify_task_completed: bool(template['notifyTaskCompleted']),
    notify_completed_subject: str(template['notifyCompletedSubject']),
    allow_resubmit: bool(template['allowReSubmit']),
    auto_generate_pdf: bool(template['autoGeneratePdf']),
    modified_by: str(template['modifiedBy']),
    modified_by_id: long(template['modifiedById']),
    modified_date: tsStr(template['modifiedDate'])
  }
}

export function linkRow(projectId: string, assignmentId: number, link: JsonObject): ExpectedRow {
  return {
    link_id: long(link['linkId']),
    assignment_id: assignmentId,
    project_id: projectId,
    link_code: str(link['linkCode']),
    url: str(link['url']),
    notification_access_method: str(link['notificationAccessMethod']),
    country_id: long(link['countryId']),
    state_id: long(link['stateId']),
    created_date: null,
    accessed_count: 0,
    last_accessed: null
  }
}

export function videoRow(answer: JsonObject): ExpectedRow {
  const first = str(answer['claimRepFirstName'])
  const last = str(answer['claimRepLastName'])
  return {
    collaboration_id: long(answer['videoCollaborationId'] ?? answer['id']),
    claim_id: long(answer['claimId']),
    mfn: str(answer['mfn']),
    claim_number: str(answer['claimNumber']),
    policy_number: str(answer['policyNumber']),
    email_user_name: str(answer['emailUserName']),
    claim_rep_first_name: first,
    claim_rep_last_name: last,
    claim_rep_full_name: str(answer['claimRepFullName']) ?? `${first} ${last}`,
    number_of_videos: long(answer['numberOfVideos']),
    number_of_photos: long(answer['numberOfPhotos']),
    number_of_viewers: long(answer['numberOfViewers']),
    session_count: long(answer['sessionCount']),
    total_time_seconds: decStr(answer['totalTimeSeconds']),
    total_time: str(answer['totalTime']),
    created_date: tsStr(answer['createdDate']),
    live_call_first_session: tsStr(answer['liveCallFirstSession']),
    live_call_last_session: tsStr(answer['liveCallLastSession']),
    company_id: long(answer['companyId']),
    company_name: str(answer['companyName']),
    guid: str(answer['guid'])
  }
}

export type LinkOf = Pick<MediaFile, 'hasLink' | 'uuid' | 'direct' | 'expiryTold'>

export function mediaRow(projectId: number, answer: JsonObject, link: LinkOf): ExpectedRow {
  return {
    media_id: str(answer['mediaID']),
    project_id: String(projectId),
    task_assignment_id: str(answer['taskAssignmentId'] ?? answer['taskAssignmentID']),
    file_type: str(answer['mediaType']),
    file_name: str(answer['mediaName']),
    media_description: str(answer['mediaDescription']),
    media_comment: str(answer['mediaComment']),
    latitude: dbl(answer['latitude']),
    longitude: dbl(answer['longitude']),
    gps_source: str(answer['gpsSource']),
    taken_date: str(answer['takenDate']),
    full_download_link: actual => linkProblem(actual, link),
    expires_at: actual => expiryProblem(actual, link),
    extra: keeps(answer, 'aiTags')
  }
}

/**
 * With every link goes its end: told by the API, or read from the signature of S3. The parameters of
 * the file service mean something on ClaimX's own host only, which the simulator is not.
 */
function expiryProblem(actual: unknown, link: LinkOf): string | undefined {
  if (!link.hasLink) return actual === null ? undefined : 'null'
  return actual === null && (link.expiryTold || link.direct) ? 'a time' : undefined
}

/** Hosts, ports and signatures differ from answer to answer; the file they name does not. */
export function linkProblem(actual: unknown, link: LinkOf): string | undefined {
  if (!link.hasLink) return actual === null ? undefined : 'null'
  const named = typeof actual === 'string' && actual.includes(link.uuid)
  return named ? undefined : `a link to ${link.uuid}`
}

/** An unknown field of the answer must be found again in the `extra` column. */
function keeps(answer: JsonObject, field: string): CellTest {
  const value: JsonValue | undefined = answer[field]
  return actual => {
    if (value === undefined) return undefined
    const kept = typeof actual === 'string' && actual.includes(`"${field}":`)
    return kept ? undefined : `JSON with ${field}`
  }
}
