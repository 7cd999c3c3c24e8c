/** `tables read`. */
import { type Command, configOptions } from '../command.ts'
import { giveRows, outputOf, rowsNote, rowsOptions, selectionOf } from './rows-output.ts'
import { timeOf, timestampOption } from './table-times.ts'
import { tableArgument, withTable } from './tables.ts'

const command = 'tables read'

export const tablesRead: Command = {
  name: command,
  summary: 'Print rows of a table, at any version.',
  description: `In NDJSON, integers are exact; times are ISO 8601 text, decimals text, binary base64, structs, arrays and maps JSON text. ${rowsNote}`,
  positionals: [tableArgument],
  options: {
    version: { type: 'integer', value: 'N', doc: 'Version of the table (default: the newest).' },
    timestamp: timestampOption,
    ...rowsOptions,
    ...configOptions
  },
  examples: [
    'claims-pipeline tables read claimx_projects --limit 5',
    `claims-pipeline tables read claimx_tasks --where "status = 'COMPLETED'" --format ndjson`,
    'claims-pipeline tables read claimx_projects --timestamp 2026-11-24T06:00:00Z',
    'claims-pipeline tables read ./data/any_delta_table --version 3 --format parquet --out rows.parquet'
  ],
  run: (args, terminal) => {
    const output = outputOf(args, terminal, command)
    const time = timeOf(args, command)
    return withTable(args, async ({ tables }, name) => {
      const version =
        time === undefined ? args.integer('version') : await tables.versionAt(name, time)
      const options = { ...selectionOf(args), ...(version === undefined ? {} : { version }) }
      return await giveRows(output, args, terminal, {
        columns: () => tables.columns(name, version),
        stream: limit =>
          tables.readStream(name, limit === undefined ? options : { ...options, limit }),
        export: (file, format) => tables.export(name, file, format, options)
      })
    })
  }
}
