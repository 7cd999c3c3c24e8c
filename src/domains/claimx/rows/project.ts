/** E1 to rows of `claimx_projects` and `claimx_contacts` (claimx-api.md 3.1, claimx-tables.md 4). */
import type { Micros, Row } from '../../../core/index.ts'
import type { ProjectAnswer } from '../handlers/types.ts'
import { ApiFields } from './api-fields.ts'
import { contactRow } from './contact.ts'
import { type MappedRows, mapped, type Provenance, rowsOf, stamps } from './mapping.ts'

/**
 * The project's row and its contacts. `requestedId` stands in when the answer names no project;
 * `eventId` is the event that caused the call.
 */
export function projectRows(
  requestedId: string,
  answer: ProjectAnswer,
  askedAt: Micros,
  eventId: string | null,
  now: Micros
): MappedRows {
  const from: Provenance = { eventId, askedAt, now }
  return mapped(notes => {
    const project = new ApiFields(answer.project, 'project', notes)
    const customer = project.child('customerInformation')
    const projectId = project.idStr('projectId') ?? requestedId
    const email = primaryEmail(customer)
    const phone = firstPhone(customer)
    const columns = {
      project_id: projectId,
      ...projectColumns(project),
      ...customerColumns(customer),
      ...addressColumns(project.child('address')),
      primary_email: email,
      primary_phone: phone.number,
      primary_phone_country_code: phone.countryCode,
      company_name: answer.companyName?.trim() || null,
      ...stamps(from)
    }
    const policyholder =
      email === null
        ? undefined
        : contactRow(
            {
              projectId,
              email,
              type: 'POLICYHOLDER',
              firstName: columns.customer_first_name,
              lastName: columns.customer_last_name,
              phone: phone.number,
              phoneCountryCode: phone.countryCode,
              isPrimary: true
            },
            from
          )
    const members = answer.teamMembers.map(item =>
      claimRep(projectId, new ApiFields(item, 'teamMembers[]', notes), from)
    )
    return {
      // `extra` comes last: only now every known field has been asked for.
      claimx_projects: [{ ...columns, extra: project.extra() }],
      claimx_contacts: rowsOf([policyholder, ...members])
    }
  })
}

function projectColumns(project: ApiFields) {
  return {
    project_number: project.str('projectNumber'),
    master_file_name: project.str('mfn', 'masterFilename'),
    secondary_number: project.str('secondaryNumber'),
    status: project.str('status'),
    created_date: project.tsStr('createdDate'),
    date_of_loss: project.tsStr('dateOfLoss'),
    type_of_loss: project.str('typeOfLoss'),
    cause_of_loss: project.str('causeOfLoss'),
    loss_description: project.str('lossDescription'),
    year_built: project.long('yearBuilt'),
    square_footage: project.long('squareFootage'),
    date_received: project.tsStr('dateReceived'),
    date_contacted: project.tsStr('dateContacted'),
    planned_inspection_date: project.tsStr('plannedInspectionDate'),
    date_inspected: project.tsStr('dateInspected'),
    appointment_date: project.tsStr('appointmentDate'),
    custom_attribute1: project.str('customAttribute1'),
    custom_attribute2: project.str('customAttribute2'),
    custom_attribute3: project.str('customAttribute3'),
    custom_external_unique_id: project.str('customExternalUniqueId')
  }
}

function customerColumns(customer: ApiFields | undefined) {
  return {
    customer_first_name: customer?.str('firstName') ?? null,
    customer_last_name: customer?.str('lastName') ?? null,
    custom_business_name: customer?.str('customBusinessName') ?? null,
    business_line_type: customer?.str('businessLineType') ?? null
  }
}

function addressColumns(address: ApiFields | undefined) {
  return {
    street1: address?.str('street1') ?? null,
    street2: address?.str('street2') ?? null,
    city: address?.str('city') ?? null,
    state_province: address?.str('stateProvince') ?? null,
    zip_postcode: address?.str('zipPostcode') ?? null,
    county: address?.str('county') ?? null,
    country: address?.str('country') ?? null
  }
}

/** The flagged address; when none is flagged, or that one is blank, the first entry's. */
function primaryEmail(customer: ApiFields | undefined): string | null {
  const entries = (customer?.list('emails') ?? []).map(entry => ({
    address: entry.str('emailAddress'),
    primary: entry.bool('primary') === true
  }))
  return entries.find(entry => entry.primary)?.address ?? entries[0]?.address ?? null
}

function firstPhone(customer: ApiFields | undefined) {
  const entries = (customer?.list('phones') ?? []).map(entry => ({
    number: entry.str('phoneNumber'),
    countryCode: entry.long('phoneCountryCode')
  }))
  return entries[0] ?? { number: null, countryCode: null }
}

function claimRep(projectId: string, member: ApiFields, from: Provenance): Row | undefined {
  const email = member.str('userName')
  const isPrimary = member.bool('primaryContact') ?? false
  const masterFileName = member.str('mfn')
  const extra = member.extra()
  if (email === null) return undefined
  return contactRow({ projectId, email, type: 'CLAIM_REP', isPrimary, masterFileName, extra }, from)
}
