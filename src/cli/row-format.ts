/** Rows of tables as text. */
import { formatInstant } from '../core/index.ts'
import { visible } from './text-table.ts'

export type TableRow = Readonly<Record<string, unknown>>

export interface RowColumn {
  readonly name: string
  readonly type: string
}

/** Longest cell that is shown to people; the rest is cut. */
const maxCell = 200

/** The row with its times, microseconds since the epoch, as ISO 8601 text; `timestamp_ntz` has no zone. */
export function withTimes(row: TableRow, columns: readonly RowColumn[]): TableRow {
  const times = columns.flatMap(({ name, type }) => {
    const value = row[name]
    if (typeof value !== 'bigint' || !type.startsWith('timestamp')) return []
    const text = formatInstant(value)
    return [[name, type === 'timestamp' ? text : text.slice(0, -1)]]
  })
  return times.length === 0 ? row : { ...row, ...Object.fromEntries(times) }
}

/** One row as a line of NDJSON that loses nothing: integers stay exact, numbers that JSON lacks are text. */
export function cellLine(row: TableRow): string {
  return JSON.stringify(row, (_key, value: unknown) => {
    if (typeof value === 'bigint') return rawJson(String(value))
    if (typeof value !== 'number') return value
    if (Object.is(value, -0)) return rawJson('-0.0')
    return Number.isFinite(value) ? value : String(value)
  })
}

function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
}

/** A cell for people. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '–'
  const text = visible(String(value))
  return text.length > maxCell ? `${text.slice(0, maxCell - 1)}…` : text
}
