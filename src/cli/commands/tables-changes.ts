/** `tables changes`. */
import type { TableAccess } from '../../app/index.ts'
import { parseInstant } from '../../core/index.ts'
import { type Command, type CommandArgs, configOptions, usageError } from '../command.ts'
import { cellLine, type TableRow, withTimes } from '../row-format.ts'
import { write, writeLine } from '../terminal.ts'
import { thousands } from '../text-table.ts'
import {
  assertDirectory,
  defaultTableRows,
  printTable,
  tableArgument,
  withTable
} from './tables.ts'

type ChangesOptions = Parameters<TableAccess['tables']['changesStream']>[1]

const command = 'tables changes'
const formats = ['table', 'ndjson', 'parquet', 'csv'] as const

export const tablesChanges: Command = {
  name: command,
  summary: 'Print the rows that versions of a table added, changed and deleted.',
  description:
    'The table must record changes (`delta.enableChangeDataFeed`). Each row has the columns of the table, then `_change_type` (insert, update_preimage, update_postimage, delete), `_commit_version` and `_commit_timestamp`; rows come in the order of the versions. Parquet and CSV need --out. With --format table at most 20 rows are shown unless --limit is given.',
  positionals: [tableArgument],
  options: {
    from: {
      type: 'text',
      value: 'N|TIME',
      doc: 'First version, or the first one committed at this time (ISO 8601, without a zone UTC) or later.'
    },
    to: {
      type: 'text',
      value: 'N|TIME',
      doc: 'Last version, or the last one committed at this time or earlier (default: the newest).'
    },
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
      doc: 'table, ndjson, parquet or csv (default: table on a terminal, else ndjson).'
    },
    out: { type: 'text', value: 'FILE', doc: 'Write to a file instead of standard output.' },
    ...configOptions
  },
  examples: [
    'claims-pipeline tables changes ./data/any_delta_table --from 41',
    `claims-pipeline tables changes ./data/any_delta_table --from 2024-01-31T09:00:00Z --where "_change_type = 'delete'"`,
    'claims-pipeline tables changes ./data/any_delta_table --from 41 --to 50 --format csv --out changes.csv'
  ],
  run: (args, terminal) => {
    const out = args.text('out')
    const fallback = terminal.interactive && out === undefined ? 'table' : 'ndjson'
    const format = formats.find(item => item === args.text('format')) ?? fallback
    if ((format === 'parquet' || format === 'csv') && out === undefined) {
      throw usageError(`--format ${format} needs --out FILE.`, command)
    }
    if (format === 'table' && out !== undefined) {
      throw usageError('--out takes --format ndjson, parquet or csv.', command)
    }
    if (out !== undefined) assertDirectory(out, command)
    const options = changesOptions(args)
    return withTable(args, async ({ tables }, name) => {
      if (out !== undefined && format !== 'table') {
        const count = await tables.exportChanges(name, out, format, options)
        await writeLine(terminal.stderr, `${thousands(count)} rows in ${out}`)
        return 0
      }
      const stored = await tables.columns(name)
      const columns = [...stored, { name: '_commit_timestamp', type: 'timestamp' }]
      const timed = (rows: readonly TableRow[]): TableRow[] =>
        rows.map(row => withTimes(row, columns))
      if (format === 'ndjson') {
        for await (const batch of tables.changesStream(name, options)) {
          const lines = timed(batch).map(row => `${cellLine(row)}\n`)
          await write(terminal.stdout, lines.join(''))
        }
        return 0
      }
      const shown = { ...options, limit: options.limit ?? defaultTableRows }
      const rows = await Array.fromAsync(tables.changesStream(name, shown))
      await printTable(timed(rows.flat()), args, terminal)
      return 0
    })
  }
}

function changesOptions(args: CommandArgs): ChangesOptions {
  const from = placeOf('from', args.text('from'))
  const to = placeOf('to', args.text('to'))
  if (from === undefined) throw usageError('--from N is missing.', command)
  const where = args.text('where')
  const limit = args.integer('limit')
  const columns = args.list('columns')
  return {
    ...(from.version === undefined ? { fromTimestamp: from.ms } : { fromVersion: from.version }),
    ...(to === undefined
      ? {}
      : to.version === undefined
        ? { toTimestamp: to.ms }
        : { toVersion: to.version }),
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(columns.length === 0 ? {} : { columns })
  }
}

type Place = { readonly version: number } | { readonly version?: undefined; readonly ms: number }

function placeOf(option: string, text: string | undefined): Place | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return { version: Number(text) }
  const micros = parseInstant(text)
  // Versions have times of whole milliseconds.
  if (micros !== undefined)
    return { ms: Number(option === 'from' ? (micros + 999n) / 1000n : micros / 1000n) }
  throw usageError(`--${option} must be a version or a time, not ${JSON.stringify(text)}.`, command)
}
