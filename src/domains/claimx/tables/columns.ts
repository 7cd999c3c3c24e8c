/** Short forms for column definitions, and the columns that entity tables share. */
import type { ColumnDef, ColumnPolicy, ColumnType } from '../../../core/index.ts'

/** A nullable column. */
export function column(
  name: string,
  type: ColumnType,
  policy: ColumnPolicy,
  doc: string
): ColumnDef {
  return { name, type, nullable: true, policy, doc }
}

/** A column that is never null. */
export function required(
  name: string,
  type: ColumnType,
  policy: ColumnPolicy,
  doc: string
): ColumnDef {
  return { name, type, nullable: false, policy, doc }
}

/** Nullable columns of one type whose new value wins when it is non-null (N). */
export function coalesced(
  type: ColumnType,
  columns: Readonly<Record<string, string>>
): ColumnDef[] {
  return Object.entries(columns).map(([name, doc]) => column(name, type, 'coalesce', doc))
}

export const extra = column(
  'extra',
  'string',
  'coalesce',
  'JSON of API fields that have no column, so that additions to the API are kept'
)

const eventId = column('event_id', 'string', 'coalesce', 'event that caused the write')
const updatedAt = column('updated_at', 'timestamp', 'audit', 'last change of the row')
const lastEnrichedAt = column(
  'last_enriched_at',
  'timestamp',
  'coalesce',
  'when the API was asked; decides which of two rows is newer; null in patches'
)

/** Columns at the end of every table that the enrichment worker fills from API answers. */
export function entityColumns(createdAt: { readonly nullable: boolean }): ColumnDef[] {
  return [
    extra,
    eventId,
    { ...column('created_at', 'timestamp', 'first', 'first write'), ...createdAt },
    updatedAt,
    lastEnrichedAt
  ]
}

/** Newest answer wins; an equal time counts as newer, so that a repeated batch is harmless. */
export const newestAnswer = { columns: ['last_enriched_at'], strict: false } as const
