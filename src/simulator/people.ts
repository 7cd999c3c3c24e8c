/** Claims: the insured, the address, the loss, the carrier; as E1 answers them. */
import type { JsonObject, JsonValue } from '../core/index.ts'
import { toId } from './ids.ts'
import { carriers, firstNames, lastNames, losses, places, streets } from './names.ts'
import { Rng } from './rng.ts'

/** Start of the simulated time, 2026-01-05 08:00 UTC. */
export const epochMs = Date.UTC(2026, 0, 5, 8)
const DAY = 86_400_000

export interface Person {
  readonly first: string
  readonly last: string
  /** Null: none known. */
  readonly email: string | null
  readonly phone: string | null
}

export interface Claim {
  readonly number: number
  readonly projectId: number
  readonly claimNumber: string
  readonly policyNumber: string
  readonly insured: Person
  readonly carrier: (typeof carriers)[number]
  readonly loss: (typeof losses)[number]
  readonly place: (typeof places)[number]
  readonly street: string
  readonly adjusters: readonly Person[]
  /** The one master file name of the project. */
  readonly masterFileName: string
  readonly lossMs: number
  /** E1 tells who the insured is, so that a link recipient may be the same contact. */
  readonly insuredListed: boolean
}

/** Names as mail systems spell them. */
const logins: ReadonlyMap<string, string> = new Map(
  [...firstNames, ...lastNames].map(name => [
    name,
    name
      .normalize('NFD')
      .replace(/[^A-Za-z]/g, '')
      .toLowerCase()
  ])
)

export function makePerson(rng: Rng, domain = 'mail.example'): Person {
  const first = rng.pick(firstNames)
  const last = rng.pick(lastNames)
  const login = `${logins.get(first)}.${logins.get(last)}`
  return {
    first,
    last,
    email: `${login}${rng.between(1, 999)}@${domain}`,
    phone: `${rng.between(201, 989)}-555-${String(rng.between(100, 9999)).padStart(4, '0')}`
  }
}

export function makeClaim(seed: number, number: number): Claim {
  const rng = new Rng(seed, 0xc1a1, number)
  const carrier = rng.pick(carriers)
  const [, prefix, domain] = carrier
  const insured = makePerson(rng)
  const projectId = toId('project', number)
  return {
    number,
    projectId,
    claimNumber: `${prefix}-${String(projectId * 7 + 1234)}`,
    policyNumber: `HO3-${rng.between(100000, 999999)}-${rng.between(10, 99)}`,
    insured: {
      ...insured,
      email: rng.chance(0.06) ? null : insured.email,
      phone: rng.chance(0.08) ? null : insured.phone
    },
    carrier,
    loss: rng.pick(losses),
    place: rng.pick(places),
    street: `${rng.between(1, 19999)} ${rng.pick(streets)}`,
    adjusters: Array.from({ length: rng.between(1, 3) }, (_, i) => {
      const person = makePerson(rng, domain)
      return { ...person, email: `${i}${person.email ?? ''}` }
    }),
    masterFileName: rng.hex(9).toUpperCase(),
    lossMs: epochMs - rng.between(1, 60) * DAY - rng.int(DAY),
    insuredListed: rng.chance(0.98)
  }
}

/** Project id in a claim number of `makeClaim`; undefined: not one. */
export function projectIdIn(claimNumber: string): number | undefined {
  const digits = /-(\d+)$/.exec(claimNumber)?.[1]
  if (digits === undefined) return undefined
  const projectId = (Number(digits) - 1234) / 7
  return Number.isInteger(projectId) ? projectId : undefined
}

/** E1, unwrapped: `{ project, teamMembers, companyName }`, with the gaps real answers have. */
export function projectAnswer(seed: number, claim: Claim): JsonObject {
  const rng = new Rng(seed, 0xe1, claim.number)
  const [type, cause, description] = claim.loss
  const received = claim.lossMs + rng.between(1, 5) * DAY
  const inspected = received + rng.between(1, 9) * DAY
  const project: JsonObject = {
    projectId: claim.projectId,
    projectNumber: claim.claimNumber,
    secondaryNumber: rng.chance(0.1) ? ` ${claim.policyNumber} ` : claim.policyNumber,
    createdDate: isoStyle(rng, received),
    status: rng.pick(['OPEN', 'IN_PROGRESS', 'CLOSED', 'Awaiting Inspection']),
    dateOfLoss: rng.chance(0.5)
      ? new Date(claim.lossMs).toISOString().slice(0, 10)
      : isoStyle(rng, claim.lossMs),
    typeOfLoss: type,
    causeOfLoss: cause,
    lossDescription: rng.chance(0.9) ? description : null,
    yearBuilt: rng.chance(0.05)
      ? String(rng.between(1890, 2024))
      : gap(rng, 0.1, rng.between(1890, 2024)),
    squareFootage: gap(rng, 0.2, rng.between(600, 6200)),
    dateReceived: isoStyle(rng, received),
    dateContacted: gap(rng, 0.2, isoStyle(rng, received + DAY / 3)),
    plannedInspectionDate: gap(rng, 0.3, isoStyle(rng, inspected)),
    dateInspected: gap(rng, 0.5, isoStyle(rng, inspected)),
    appointmentDate: gap(rng, 0.6, ''),
    customAttribute1: gap(rng, 0.7, rng.pick(['CAT-2601', 'Non-CAT', 'VIP'])),
    customAttribute2: gap(rng, 0.9, `Region ${rng.between(1, 12)}`),
    customAttribute3: null,
    customExternalUniqueId: gap(rng, 0.5, rng.hex(16))
  }
  if (rng.chance(0.6)) project[rng.chance(0.8) ? 'mfn' : 'masterFilename'] = claim.masterFileName
  else if (rng.chance(0.5)) project['mfn'] = null
  if (claim.insuredListed) project['customerInformation'] = customer(rng, claim)
  if (rng.chance(0.98)) project['address'] = address(rng, claim)
  if (rng.chance(0.15)) project['priorityScore'] = rng.int(100)
  if (rng.chance(0.01)) delete project['projectId']
  return { project, teamMembers: team(rng, claim), companyName: companyOf(rng, claim) }
}

function companyOf(rng: Rng, claim: Claim): string | null {
  return rng.chance(0.97) ? claim.carrier[0] : null
}

function customer(rng: Rng, claim: Claim): JsonObject {
  const { insured } = claim
  const business = rng.chance(0.06)
  return {
    firstName: insured.first,
    lastName: insured.last,
    customBusinessName: business ? `${insured.last} & Sons LLC` : null,
    businessLineType: business ? 'COMMERCIAL' : 'RESIDENTIAL',
    emails: emails(rng, insured),
    phones: phones(rng, insured)
  }
}

/** All ways in which the primary address can be marked. */
function emails(rng: Rng, insured: Person): JsonValue {
  const main = insured.email
  if (main === null) return rng.chance(0.5) ? [] : null
  const other = `office.${main}`
  return rng.pick<JsonValue>([
    [{ emailAddress: main, primary: true }],
    [{ emailAddress: main, primary: false }],
    [{ emailAddress: ` ${main}`, primary: true }],
    [
      { emailAddress: other, primary: false },
      { emailAddress: main, primary: true }
    ],
    [
      { emailAddress: main, primary: false },
      { emailAddress: '', primary: true }
    ],
    [{ emailAddress: main }, { emailAddress: other }]
  ])
}

function phones(rng: Rng, insured: Person): JsonValue {
  if (insured.phone === null) return rng.chance(0.5) ? [] : null
  const first = { phoneNumber: insured.phone, phoneCountryCode: 1 }
  return rng.chance(0.3) ? [first, { phoneNumber: '800-555-0100', phoneCountryCode: 1 }] : [first]
}

function address(rng: Rng, claim: Claim): JsonObject {
  const [city, state, county, zip] = claim.place
  return {
    street1: claim.street,
    street2: gap(rng, 0.8, `Apt ${rng.between(1, 99)}`),
    city,
    stateProvince: state,
    zipPostcode: `${zip}${String(rng.int(100)).padStart(2, '0')}`,
    county: gap(rng, 0.3, county),
    country: rng.pick(['US', 'USA', 'United States'])
  }
}

function team(rng: Rng, claim: Claim): JsonValue {
  const members: JsonObject[] = claim.adjusters.map((person, i) => ({
    userName: person.email,
    primaryContact: i === 0,
    mfn: rng.chance(0.3) ? claim.masterFileName : null
  }))
  for (const member of members) {
    if (member['primaryContact'] === false && rng.chance(0.3)) delete member['primaryContact']
  }
  if (rng.chance(0.03)) members.push({ userName: null, primaryContact: false, mfn: null })
  return rng.chance(0.01) ? null : members
}

/** A value that is missing with some probability. */
export function gap<T>(rng: Rng, probability: number, value: T): T | null {
  return rng.chance(probability) ? null : value
}

/** One of the spellings of claimx-api.md section 8. */
export function isoStyle(rng: Rng, ms: number): string {
  const text = new Date(ms).toISOString()
  switch (rng.int(4)) {
    case 0:
      return text
    case 1:
      return text.replace('Z', '+00:00')
    case 2:
      return `${text.slice(0, 19)}Z`
    default:
      return `${new Date(ms - 6 * 3_600_000).toISOString().slice(0, 23)}-06:00`
  }
}
