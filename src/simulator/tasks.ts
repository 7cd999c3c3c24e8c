/** Custom tasks with template and external link (E6), and video sessions (E8). */
import type { JsonObject } from '../core/index.ts'
import { toId } from './ids.ts'
import { carriers, taskNames } from './names.ts'
import { type Claim, epochMs, gap, isoStyle, makePerson } from './people.ts'
import { Rng } from './rng.ts'

const HOUR = 3_600_000

export interface TaskFacts {
  readonly number: number
  /** The claim that the API names; now and then not the one of the event. */
  readonly claim: Claim
  readonly completed: boolean
}

/** E6 without wrapper. The same answer at any time. */
export function taskAnswer(seed: number, facts: TaskFacts): JsonObject {
  const { number, claim } = facts
  const rng = new Rng(seed, 0xe6, number)
  const assignedMs = epochMs + (number % 10_000) * 60_000
  const template = templateOf(seed, claim, rng)
  const answer: JsonObject = {
    assignmentId: toId('task', number),
    taskId: template['taskId'] ?? null,
    taskName: rng.chance(0.9) ? (template['name'] ?? null) : `${rng.pick(taskNames)} (follow-up)`,
    formId: template['formId'] ?? null,
    projectId: claim.projectId,
    assigneeId: gap(rng, 0.3, rng.between(100_000, 999_999)),
    assignorId: rng.between(100_000, 999_999),
    dateAssigned: isoStyle(rng, assignedMs),
    dateCompleted: facts.completed ? isoStyle(rng, assignedMs + rng.between(1, 90) * HOUR) : null,
    cancelledDate: null,
    cancelledByResourceId: null,
    status: facts.completed ? 'COMPLETED' : rng.pick(['ASSIGNED', 'IN_PROGRESS', 'ON_HOLD']),
    pdfProjectMediaId: facts.completed ? gap(rng, 0.4, rng.between(40_000_000, 49_999_999)) : null,
    dateExported: null,
    formResponseId: facts.completed ? rng.hex(24) : null,
    stpEnabled: rng.chance(0.2),
    stpStartedDate: null,
    mfn: gap(rng, 0.6, claim.masterFileName),
    xactimateExportable: gap(rng, 0.2, rng.chance(0.5)),
    fraudLanguageAcceptedDate: gap(rng, 0.8, isoStyle(rng, assignedMs + HOUR)),
    resubmitTaskAssignmentId: gap(rng, 0.97, rng.between(5_000_000, 5_100_000)),
    url: `https://www.claimxperience.com/task/${rng.hex(12)}`,
    customTask: rng.chance(0.97) ? template : null,
    externalLinkData: rng.chance(0.4) ? externalLink(rng, facts) : null
  }
  answer[rng.chance(0.9) ? 'assignor' : 'assignorEmail'] = claim.adjusters[0]?.email ?? null
  if (facts.completed && rng.chance(0.5)) answer['response'] = formResponse(rng)
  if (rng.chance(0.02)) delete answer['assignmentId']
  if (rng.chance(0.1)) answer['slaBreached'] = rng.chance(0.1)
  return answer
}

/** Templates belong to the carrier; the same id always has the same content. */
function templateOf(seed: number, claim: Claim, rng: Rng): JsonObject {
  const carrier = carriers.indexOf(claim.carrier)
  const which = rng.int(taskNames.length)
  const own = new Rng(seed, 0x7e, carrier, which)
  const name = taskNames[which] ?? ''
  return {
    taskId: 15_000 + carrier * 100 + which,
    compId: 700 + carrier,
    name,
    description: gap(own, 0.2, `${name} – please complete within 3 days.`),
    formId: own.hex(24),
    formName: `${name} form`,
    enabled: own.chance(0.95),
    default: own.chance(0.3),
    isManualDelivery: own.chance(0.2),
    isExternalLinkDelivery: own.chance(0.7),
    providePortalAccess: own.chance(0.5),
    notifyAssignedSendRecipient: own.chance(0.9),
    notifyAssignedSendRecipientSms: own.chance(0.4),
    notifyAssignedSubject: gap(own, 0.3, `New task: ${name}`),
    notifyTaskCompleted: own.chance(0.7),
    notifyCompletedSubject: gap(own, 0.3, `Completed: ${name}`),
    allowReSubmit: own.chance(0.5),
    autoGeneratePdf: own.chance(0.8),
    modifiedBy: gap(own, 0.2, makePerson(own, claim.carrier[2]).email),
    modifiedById: own.between(100_000, 999_999),
    modifiedDate: isoStyle(own, epochMs - own.between(10, 400) * 24 * HOUR)
  }
}

function externalLink(rng: Rng, facts: TaskFacts): JsonObject {
  const { claim } = facts
  const toInsured = claim.insuredListed && rng.chance(0.6)
  const person = toInsured ? claim.insured : makePerson(rng, `guest${facts.number}.example`)
  const email = rng.chance(0.1) ? null : person.email
  const phone = rng.chance(0.2) ? null : person.phone
  return {
    linkId: toId('link', facts.number),
    linkCode: rng.hex(10),
    url: `https://www.claimxperience.com/link/${rng.hex(20)}`,
    notificationAccessMethod: rng.pick(['EMAIL', 'SMS', 'EMAIL_AND_SMS']),
    countryId: gap(rng, 0.2, 1),
    stateId: gap(rng, 0.3, rng.between(1, 50)),
    email: email !== null && rng.chance(0.2) ? email.toUpperCase() : email,
    firstName: person.first,
    lastName: person.last,
    phone,
    phoneCountryCode: phone === null ? null : 1
  }
}

function formResponse(rng: Rng): JsonObject {
  return {
    groups: [
      {
        name: 'General',
        groupId: rng.hex(24),
        questionAndAnswers: [
          {
            questionText: 'Is the home habitable?',
            component: 'radio',
            formControl: { id: rng.hex(8) },
            responseAnswerExport: { type: 'option', text: 'Yes', optionAnswer: { name: 'Yes' } }
          }
        ]
      }
    ]
  }
}

/** One item of E8. */
export function videoAnswer(seed: number, number: number, claim: Claim): JsonObject {
  const rng = new Rng(seed, 0xe8, number)
  const created = epochMs + (number % 10_000) * 90_000
  const seconds = rng.int(3_600_000) / 1000
  const rep = makePerson(rng, claim.carrier[2])
  const answer: JsonObject = {
    claimId: claim.projectId,
    mfn: gap(rng, 0.5, claim.masterFileName),
    claimNumber: claim.claimNumber,
    policyNumber: claim.policyNumber,
    emailUserName: rep.email,
    claimRepFirstName: rep.first,
    claimRepLastName: rep.last,
    numberOfVideos: rng.int(4),
    numberOfPhotos: rng.int(40),
    numberOfViewers: rng.between(1, 4),
    sessionCount: rng.between(1, 3),
    totalTimeSeconds: rng.chance(0.3) ? seconds.toFixed(3) : seconds,
    totalTime: new Date(seconds * 1000).toISOString().slice(11, 19),
    createdDate: isoStyle(rng, created),
    liveCallFirstSession: gap(rng, 0.2, isoStyle(rng, created + HOUR)),
    liveCallLastSession: gap(rng, 0.2, isoStyle(rng, created + 2 * HOUR)),
    companyId: 700 + carriers.indexOf(claim.carrier),
    companyName: claim.carrier[0],
    guid: rng.hex(32)
  }
  answer[rng.chance(0.9) ? 'videoCollaborationId' : 'id'] = toId('video', number)
  if (rng.chance(0.7)) answer['claimRepFullName'] = `${rep.first} ${rep.last}`
  return answer
}
