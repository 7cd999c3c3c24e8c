/** Rows of tables as text. */
import { formatInstant } from '../core/index.ts'
import { visible } from './text-table.ts'

export type TableRow = Readonly<Record<string, unknown>>

/** Longest cell that is shown to people; the rest is cut. */
const maxCell = 200

/** The row with its times, microseconds since the epoch, as ISO 8601 text. */
export function withTimes(row: TableRow, timeColumns: readonly string[]): TableRow {
  const times = timeColumns.flatMap(name => {
    const value = row[name]
    return typeof value === 'bigint' ? [[name, formatInstant(value)]] : []
  })
  return times.length === 0 ? row : { ...row, ...Object.fromEntries(times) }
}

/** One row as a line of NDJSON; integers stay exact. */
export function cellLine(row: TableRow): string {
  return JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'bigint'
      ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))
      : value
  )
}

/** A cell for people. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return '–'
  const text = visible(String(value))
  return text.length > maxCell ? `${text.slice(0, maxCell - 1)}…` : text
}
