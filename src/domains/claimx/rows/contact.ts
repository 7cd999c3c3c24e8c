/** Rows of `claimx_contacts` (reference/claimx-tables.md section 5). */
import { createHash } from 'node:crypto'
import { type CellValue, dateOf, type Row } from '../../../core/index.ts'
import { type Provenance, stamps } from './mapping.ts'

export type ContactType = 'POLICYHOLDER' | 'CLAIM_REP'

export interface Contact {
  readonly projectId: string
  readonly email: string
  readonly type: ContactType
  readonly firstName?: string | null
  readonly lastName?: string | null
  readonly phone?: string | null
  readonly phoneCountryCode?: CellValue
  readonly isPrimary: boolean
  readonly masterFileName?: string | null
  readonly taskAssignmentId?: number | null
  readonly extra?: string | null
}

/**
 * The API has no contact id. Derived: SHA-256 of project, type and lower-cased e-mail, so that one
 * person of a project is one row and the id holds no personal data.
 */
export function contactId(projectId: string, type: ContactType, email: string): string {
  const text = [projectId, type, email.trim().toLowerCase()].join('|')
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

export function contactRow(contact: Contact, from: Provenance): Row {
  return {
    contact_id: contactId(contact.projectId, contact.type, contact.email),
    project_id: contact.projectId,
    contact_email: contact.email,
    contact_type: contact.type,
    first_name: contact.firstName ?? null,
    last_name: contact.lastName ?? null,
    phone_number: contact.phone ?? null,
    phone_country_code: contact.phoneCountryCode ?? null,
    is_primary_contact: contact.isPrimary,
    master_file_name: contact.masterFileName ?? null,
    task_assignment_id: contact.taskAssignmentId ?? null,
    extra: contact.extra ?? null,
    ...stamps(from),
    created_date: dateOf(from.now)
  }
}
