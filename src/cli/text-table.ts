/** Tables of text for terminals. Control characters of data cannot reach the terminal. */

export interface TextColumn {
  readonly header: string
  readonly align?: 'right'
}

/** Lines of the table, header first. Cells are cut so that no line is wider than `width`. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY
): string[] {
  const clean = rows.map(row => row.map(visible))
  const widths = columns.map((column, index) =>
    Math.max(column.header.length, ...clean.map(row => [...(row[index] ?? '')].length))
  )
  shrink(widths, width - 2 * (columns.length - 1))
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => fit(cells[index] ?? '', widths[index] ?? 0, column.align))
      .join('  ')
      .trimEnd()
  return [line(columns.map(column => column.header)), ...clean.map(line)]
}

/** Text without control characters. */
export function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '·')
}

/** 12345 as `12,345`. */
export function thousands(value: number | bigint): string {
  return value.toLocaleString('en-US')
}

/** Bytes in the unit that a person would use. */
export function humanBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}

function fit(text: string, width: number, align: 'right' | undefined): string {
  const letters = [...text]
  const cut =
    letters.length > width ? `${letters.slice(0, Math.max(0, width - 1)).join('')}…` : text
  return align === 'right' ? cut.padStart(width) : cut.padEnd(width)
}

/** Takes from the widest columns first, never below four characters. */
function shrink(widths: number[], available: number): void {
  let total = widths.reduce((sum, width) => sum + width, 0)
  while (total > available) {
    const widest = Math.max(...widths)
    if (widest <= 4) return
    widths[widths.indexOf(widest)] = widest - 1
    total -= 1
  }
}
