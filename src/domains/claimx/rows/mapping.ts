/** What the transformers share: whose rows they make, the stamps of a row, and their result. */
import type { Micros, Row } from '../../../core/index.ts'
import type { EntityRows } from '../table-names.ts'
import { MappingNotes } from './api-fields.ts'

/** Where an answer came from: which event asked for it, and when. */
export interface Provenance {
  readonly eventId: string | null
  /** When the request was sent. */
  readonly askedAt: Micros
  readonly now: Micros
}

export interface MappedRows {
  readonly rows: EntityRows
  /** API fields without a column, as paths (`project.newField`). */
  readonly unknownFields: readonly string[]
  readonly warnings: readonly string[]
}

/** Columns that say when and why a full row was written. */
export function stamps({ eventId, askedAt, now }: Provenance) {
  return { event_id: eventId, created_at: now, updated_at: now, last_enriched_at: askedAt }
}

/** Runs a transformer with fresh notes and packs what it noticed. */
export function mapped(make: (notes: MappingNotes) => EntityRows): MappedRows {
  const notes = new MappingNotes()
  const rows = make(notes)
  return { rows, unknownFields: [...notes.unknownFields], warnings: notes.warnings }
}

export function rowsOf(rows: readonly (Row | undefined)[]): Row[] {
  return rows.filter(row => row !== undefined)
}
