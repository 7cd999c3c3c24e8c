/** `claimx_projects` and `claimx_contacts` (reference/claimx-tables.md sections 4 and 5). */
import type { TableDef } from '../../../core/index.ts'
import { coalesced, column, entityColumns, newestAnswer, required } from './columns.ts'

export const projects: TableDef = {
  name: 'claimx_projects',
  doc: 'Claims. Full rows from the API, patches from events. Written by the enrichment worker.',
  mergeKey: ['project_id'],
  guard: newestAnswer,
  columns: [
    required('project_id', 'string', 'key', '`projectId`, else the id that was asked for'),
    ...coalesced('string', {
      project_number: '`projectNumber`, the claim number of the carrier',
      master_file_name: '`mfn` or `masterFilename`; the event’s value wins',
      secondary_number: '`secondaryNumber`',
      status: '`status`',
      created_date: '`createdDate`',
      date_of_loss: '`dateOfLoss`',
      type_of_loss: '`typeOfLoss`',
      cause_of_loss: '`causeOfLoss`',
      loss_description: '`lossDescription`',
      customer_first_name: '`customerInformation.firstName`',
      customer_last_name: '`customerInformation.lastName`',
      custom_business_name: '`customerInformation.customBusinessName`',
      business_line_type: '`customerInformation.businessLineType`'
    }),
    ...coalesced('long', { year_built: '`yearBuilt`', square_footage: '`squareFootage`' }),
    ...coalesced('string', {
      street1: '`address.street1`',
      street2: '`address.street2`',
      city: '`address.city`',
      state_province: '`address.stateProvince`',
      zip_postcode: '`address.zipPostcode`, with leading zeros',
      county: '`address.county`',
      country: '`address.country`',
      primary_email: 'the flagged e-mail of the customer, else the first',
      primary_phone: 'first phone: `phoneNumber`'
    }),
    ...coalesced('long', { primary_phone_country_code: 'first phone: `phoneCountryCode`' }),
    ...coalesced('string', {
      date_received: '`dateReceived`',
      date_contacted: '`dateContacted`',
      planned_inspection_date: '`plannedInspectionDate`',
      date_inspected: '`dateInspected`',
      appointment_date: '`appointmentDate`',
      custom_attribute1: '`customAttribute1`',
      custom_attribute2: '`customAttribute2`',
      custom_attribute3: '`customAttribute3`',
      custom_external_unique_id: '`customExternalUniqueId`',
      company_name: '`companyName`, beside the project',
      coverages: 'no source yet'
    }),
    column('contents_task_sent', 'boolean', 'coalesce', 'owned by task automation'),
    column('contents_task_at', 'timestamp', 'coalesce', 'owned by task automation'),
    column('policyholder_invited_at', 'timestamp', 'min', 'first `POLICYHOLDER_INVITED`'),
    column('policyholder_joined_at', 'timestamp', 'min', 'first `POLICYHOLDER_JOINED`'),
    column('xa_autolink_fail', 'boolean', 'or', '`PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL` occurred'),
    column('xa_autolink_fail_at', 'timestamp', 'min', 'the first time it did'),
    ...entityColumns({ nullable: false })
  ]
}

export const contacts: TableDef = {
  name: 'claimx_contacts',
  doc: 'People of a project: policyholders and claim representatives, by e-mail.',
  mergeKey: ['contact_id', 'project_id'],
  guard: newestAnswer,
  columns: [
    required('contact_id', 'string', 'key', 'SHA-256 of project, type and lower-cased e-mail'),
    required('project_id', 'string', 'key', 'the project'),
    column('contact_email', 'string', 'first', 'as first spelled'),
    ...coalesced('string', {
      contact_type: '`POLICYHOLDER` or `CLAIM_REP`',
      first_name: 'of the customer or the link; null for claim representatives',
      last_name: 'of the customer or the link; null for claim representatives',
      phone_number: 'first phone of the customer, or of the link'
    }),
    ...coalesced('long', { phone_country_code: 'country code of that phone' }),
    column('is_primary_contact', 'boolean', 'or', 'stays true once it was'),
    ...coalesced('string', { master_file_name: '`teamMembers[].mfn`' }),
    ...coalesced('integer', { task_assignment_id: 'assignment whose link names the contact' }),
    ...coalesced('string', { video_collaboration_id: 'no source yet' }),
    ...entityColumns({ nullable: true }),
    column('created_date', 'date', 'first', 'UTC date of the first write')
  ]
}
