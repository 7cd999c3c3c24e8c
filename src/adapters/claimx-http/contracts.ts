/**
 * Types that known fields of the answers must have (reference/claimx-api.md section 3). A wrong type is
 * a contract break: counted by field, tolerated, because the domain maps values defensively. Unknown
 * fields are additions and fine. Absent and null are always allowed.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/index.ts'

type Kind = 'int' | 'text' | 'bool' | 'decimal' | 'id' | Shape | readonly [Shape]
interface Shape {
  readonly [field: string]: Kind
}

function fields(kind: Kind, names: string): Shape {
  return Object.fromEntries(names.split(' ').map(name => [name, kind]))
}

const customer: Shape = {
  ...fields('text', 'firstName lastName customBusinessName businessLineType'),
  emails: [{ emailAddress: 'text', primary: 'bool' }],
  phones: [{ phoneNumber: 'text', phoneCountryCode: 'int' }]
}

const project: Shape = {
  ...fields('int', 'projectId yearBuilt squareFootage'),
  ...fields('text', 'projectNumber mfn masterFilename secondaryNumber createdDate status'),
  ...fields('text', 'dateOfLoss typeOfLoss causeOfLoss lossDescription dateReceived'),
  ...fields('text', 'dateContacted plannedInspectionDate dateInspected appointmentDate'),
  ...fields('text', 'customAttribute1 customAttribute2 customAttribute3'),
  customExternalUniqueId: 'text',
  customerInformation: customer,
  address: fields('text', 'street1 street2 city stateProvince zipPostcode county country')
}

const customTask: Shape = {
  ...fields('int', 'taskId compId modifiedById'),
  ...fields('text', 'name description formId formName notifyAssignedSubject'),
  ...fields('text', 'notifyCompletedSubject modifiedBy modifiedDate'),
  ...fields('bool', 'enabled default isManualDelivery isExternalLinkDelivery'),
  ...fields('bool', 'providePortalAccess notifyAssignedSendRecipient'),
  ...fields('bool', 'notifyAssignedSendRecipientSms notifyTaskCompleted allowReSubmit'),
  autoGeneratePdf: 'bool'
}

const externalLinkData: Shape = {
  ...fields('int', 'linkId countryId stateId phoneCountryCode'),
  ...fields('text', 'linkCode url notificationAccessMethod email firstName lastName phone')
}

export const contracts = {
  E1: {
    project,
    teamMembers: [{ userName: 'text', primaryContact: 'bool', mfn: 'text' }],
    companyName: 'text'
  },
  E3: {
    mediaID: 'int',
    taskAssignmentId: 'id',
    ...fields('text', 'mediaType mediaName mediaDescription mediaComment gpsSource takenDate'),
    ...fields('text', 'fullDownloadLink expiresAt'),
    ...fields('decimal', 'latitude longitude')
  },
  E6: {
    ...fields('int', 'assignmentId taskId projectId assigneeId assignorId cancelledByResourceId'),
    ...fields('int', 'pdfProjectMediaId resubmitTaskAssignmentId'),
    ...fields('text', 'taskName formId assignor dateAssigned dateCompleted cancelledDate status'),
    ...fields(
      'text',
      'dateExported formResponseId stpStartedDate mfn fraudLanguageAcceptedDate url'
    ),
    ...fields('bool', 'stpEnabled xactimateExportable'),
    customTask,
    externalLinkData
  },
  E8: {
    ...fields('int', 'videoCollaborationId claimId numberOfVideos numberOfPhotos'),
    ...fields('int', 'numberOfViewers sessionCount companyId'),
    ...fields('text', 'mfn claimNumber policyNumber emailUserName claimRepFirstName'),
    ...fields('text', 'claimRepLastName claimRepFullName totalTime createdDate'),
    ...fields('text', 'liveCallFirstSession liveCallLastSession companyName guid'),
    totalTimeSeconds: 'decimal'
  }
} as const satisfies Record<string, Shape>

/** Calls `broken` with the path of each known field whose value has the wrong type. */
export function checkContract(
  shape: Shape,
  value: JsonObject,
  broken: (field: string) => void,
  prefix = ''
): void {
  for (const field in shape) {
    const inner = value[field]
    const kind = shape[field]
    if (inner === undefined || inner === null || kind === undefined) continue
    checkField(kind, inner, `${prefix}${field}`, broken)
  }
}

function checkField(
  kind: Kind,
  value: JsonValue,
  path: string,
  broken: (field: string) => void
): void {
  if (typeof kind === 'string') {
    if (!fits(kind, value)) broken(path)
    return
  }
  const [item] = Array.isArray(kind) ? (kind as readonly [Shape]) : []
  if (item === undefined) {
    if (isJsonObject(value)) checkContract(kind as Shape, value, broken, `${path}.`)
    else broken(path)
    return
  }
  if (!Array.isArray(value)) {
    broken(path)
    return
  }
  for (const entry of value) {
    if (isJsonObject(entry)) checkContract(item, entry, broken, `${path}[].`)
    else broken(`${path}[]`)
  }
}

function fits(kind: 'int' | 'text' | 'bool' | 'decimal' | 'id', value: JsonValue): boolean {
  const integer = typeof value === 'bigint' || Number.isInteger(value)
  if (kind === 'int') return integer
  if (kind === 'text') return typeof value === 'string'
  if (kind === 'bool') return typeof value === 'boolean'
  if (kind === 'id') return integer || typeof value === 'string'
  return (
    integer ||
    typeof value === 'number' ||
    (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)))
  )
}
