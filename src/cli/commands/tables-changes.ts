/** `tables changes`. */
import type { TableAccess } from '../../app/index.ts'
import { parseInstant } from '../../core/index.ts'
import { type Command, type CommandArgs, configOptions, usageError } from '../command.ts'
import { giveRows, outputOf, rowsNote, rowsOptions, selectionOf } from './rows-output.ts'
import { tableArgument, withTable } from './tables.ts'

type ChangesOptions = Parameters<TableAccess['tables']['changesStream']>[1]

const command = 'tables changes'

export const tablesChanges: Command = {
  name: command,
  summary: 'Print the rows that versions of a table added, changed and deleted.',
  description: `The table must record changes (\`delta.enableChangeDataFeed\`). Each row has the columns of the table, then \`_change_type\` (insert, update_preimage, update_postimage, delete), \`_commit_version\` and \`_commit_timestamp\`; rows come in the order of the versions. ${rowsNote}`,
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
    ...rowsOptions,
    ...configOptions
  },
  examples: [
    'claims-pipeline tables changes ./data/any_delta_table --from 41',
    `claims-pipeline tables changes ./data/any_delta_table --from 2024-01-31T09:00:00Z --where "_change_type = 'delete'"`,
    'claims-pipeline tables changes ./data/any_delta_table --from 41 --to 50 --format csv --out changes.csv'
  ],
  run: (args, terminal) => {
    const output = outputOf(args, terminal, command)
    const options = changesOptions(args)
    return withTable(args, ({ tables }, name) =>
      giveRows(output, args, terminal, {
        columns: async () => {
          const stored = await tables.columns(name)
          return [...stored, { name: '_commit_timestamp', type: 'timestamp' }]
        },
        stream: limit =>
          tables.changesStream(name, limit === undefined ? options : { ...options, limit }),
        export: (file, format) => tables.exportChanges(name, file, format, options)
      })
    )
  }
}

function changesOptions(args: CommandArgs): ChangesOptions {
  const from = placeOf('from', args.text('from'))
  const to = placeOf('to', args.text('to'))
  if (from === undefined) throw usageError('--from N is missing.', command)
  return {
    ...(from.version === undefined ? { fromTimestamp: from.ms } : { fromVersion: from.version }),
    ...(to === undefined
      ? {}
      : to.version === undefined
        ? { toTimestamp: to.ms }
        : { toVersion: to.version }),
    ...selectionOf(args)
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
