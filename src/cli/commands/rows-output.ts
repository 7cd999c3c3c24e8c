/** What the commands share that print rows: which rows and columns, in what format, and where to. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type CommandArgs, type OptionSpec, usageError } from '../command.ts'
import { cellLine, cellText, type RowColumn, type TableRow, withTimes } from '../row-format.ts'
import { type Terminal, write, writeLine } from '../terminal.ts'
import { textTable, thousands } from '../text-table.ts'

const formats = ['table', 'ndjson', 'csv', 'parquet'] as const
type FileFormat = Exclude<(typeof formats)[number], 'table'>

/** Rows that `--format table` shows unless `--limit` says otherwise. */
const defaultTableRows = 20

export const rowsNote =
  'Parquet and CSV need --out. With --format table at most 20 rows are shown unless --limit is given.'

export const rowsOptions = {
  where: { type: 'text', value: 'SQL', doc: 'Condition over the columns.' },
  columns: {
    type: 'list',
    value: 'NAMES',
    doc: 'Columns to print, comma separated (default: all).'
  },
  limit: { type: 'integer', value: 'N', doc: 'Most rows.' },
  format: {
    type: 'text',
    value: 'FORMAT',
    choices: formats,
    doc: 'table, ndjson, csv or parquet (default: table on a terminal, else ndjson).'
  },
  out: { type: 'text', value: 'FILE', doc: 'Write to a file instead of standard output.' }
} as const satisfies Record<string, OptionSpec>

export interface Selection {
  readonly where?: string
  readonly limit?: number
  readonly columns?: readonly string[]
}

export function selectionOf(args: CommandArgs): Selection {
  const where = args.text('where')
  const limit = args.integer('limit')
  const columns = args.list('columns')
  return {
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(columns.length === 0 ? {} : { columns })
  }
}

export type RowsOutput =
  | { readonly format: 'table' | 'ndjson' }
  | { readonly format: FileFormat; readonly file: string }

/** What cannot be is told before the work. */
export function outputOf(args: CommandArgs, terminal: Terminal, command: string): RowsOutput {
  const file = args.text('out')
  const fallback = terminal.interactive && file === undefined ? 'table' : 'ndjson'
  const format = formats.find(item => item === args.text('format')) ?? fallback
  if (file === undefined) {
    if (format === 'table' || format === 'ndjson') return { format }
    throw usageError(`--format ${format} needs --out FILE.`, command)
  }
  if (format === 'table') {
    throw usageError('--out takes --format ndjson, csv or parquet.', command)
  }
  const why = whyNotWritable(resolve(file))
  if (why !== undefined) throw usageError(`--out ${file}: ${why}.`, command)
  return { format, file }
}

function whyNotWritable(path: string): string | undefined {
  const directory = dirname(path)
  if (!existsSync(directory)) return `there is no directory ${directory}`
  if (existsSync(path) && statSync(path).isDirectory()) return 'it is a directory'
  try {
    accessSync(existsSync(path) ? path : directory, constants.W_OK)
    return undefined
  } catch {
    return `${existsSync(path) ? 'it' : `the directory ${directory}`} cannot be written`
  }
}

export interface RowsSource {
  columns(): Promise<readonly RowColumn[]>
  /** At most so many rows; those of the selection when undefined. */
  stream(limit: number | undefined): AsyncIterable<readonly TableRow[]>
  /** Resolves to the number of rows. */
  export(file: string, format: FileFormat): Promise<number>
}

/** Resolves with the exit code. */
export async function giveRows(
  output: RowsOutput,
  args: CommandArgs,
  terminal: Terminal,
  source: RowsSource
): Promise<number> {
  if ('file' in output) {
    const count = await source.export(output.file, output.format)
    await writeLine(terminal.stderr, `${thousands(count)} rows in ${output.file}`)
    return 0
  }
  const columns = await source.columns()
  if (output.format === 'ndjson') {
    for await (const batch of source.stream(undefined)) {
      const lines = batch.map(row => `${cellLine(withTimes(row, columns))}\n`)
      await write(terminal.stdout, lines.join(''))
    }
    return 0
  }
  const limited = args.integer('limit') === undefined
  const batches = await Array.fromAsync(source.stream(limited ? defaultTableRows : undefined))
  await printTable(
    batches.flat().map(row => withTimes(row, columns)),
    terminal
  )
  if (limited && batches.flat().length === defaultTableRows) {
    await writeLine(terminal.stdout, `(the first ${defaultTableRows} rows; --limit N shows more)`)
  }
  return 0
}

async function printTable(rows: readonly TableRow[], terminal: Terminal): Promise<void> {
  const [first] = rows
  if (first === undefined) return await writeLine(terminal.stdout, 'No rows.')
  const names = Object.keys(first)
  // Wide rows are printed one column a line, so that nothing is cut on a narrow terminal.
  if (names.length > 6) {
    const width = Math.max(...names.map(name => name.length))
    for (const [index, row] of rows.entries()) {
      const lines = names.map(name => `  ${name.padEnd(width)}  ${cellText(row[name])}`)
      await writeLine(terminal.stdout, [`row ${index + 1}`, ...lines].join('\n'))
    }
  } else {
    const cells = rows.map(row => names.map(name => cellText(row[name])))
    const columns = names.map(header => ({ header }))
    const width = terminal.interactive ? terminal.width : undefined
    await writeLine(terminal.stdout, textTable(columns, cells, width).join('\n'))
  }
}
