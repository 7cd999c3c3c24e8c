/** `tables restore`. */
import { type Command, configOptions, jsonOption, usageError } from '../command.ts'
import { toJson, writeLine } from '../terminal.ts'
import { humanBytes, thousands } from '../text-table.ts'
import { timeOf, timestampOption } from './table-times.ts'
import { tableArgument, withTable } from './tables.ts'

export const tablesRestore: Command = {
  name: 'tables restore',
  summary: 'Bring back a former version of a table, as a new version.',
  description:
    'Rows, schema and properties become what they were; nothing is copied, and the versions in between stay readable. Workers merge into what was restored: records that they have consumed are not consumed again. Run no `tables vacuum` meanwhile.',
  positionals: [tableArgument],
  options: {
    'to-version': { type: 'integer', value: 'N', doc: 'The version to bring back.', min: 0 },
    'to-timestamp': {
      ...timestampOption,
      doc: 'The newest version at that time, such as 2026-11-24T06:00:00Z; in place of --to-version.'
    },
    'dry-run': { type: 'flag', doc: 'Say what would change, and change nothing.' },
    'ignore-missing-files': {
      type: 'flag',
      doc: 'Restore even if files of that version are gone; their rows are lost, and the table cannot be read as a whole.'
    },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables restore claimx_projects --to-version 41 --dry-run',
    'claims-pipeline tables restore claimx_projects --to-version 41'
  ],
  run: (args, terminal) => {
    const time = timeOf(args, 'tables restore', 'to-timestamp', 'to-version')
    const given = args.integer('to-version')
    if (given === undefined && time === undefined) {
      throw usageError('--to-version N or --to-timestamp TIME is missing.', 'tables restore')
    }
    return withTable(args, async ({ tables }, name) => {
      const version = time === undefined ? (given ?? 0) : await tables.versionAt(name, time)
      const result = await tables.restore(name, {
        version,
        dryRun: args.flag('dry-run'),
        ignoreMissingFiles: args.flag('ignore-missing-files')
      })
      if (args.flag('json')) await writeLine(terminal.stdout, toJson({ name, ...result }))
      else await writeLine(terminal.stdout, restoredText(name, result))
      return 0
    })
  }
}

function restoredText(
  name: string,
  result: {
    version: number
    restoredVersion: number
    filesRestored: number
    filesRemoved: number
    files: number
    bytes: number
    missing: readonly string[]
    dryRun: boolean
  }
): string {
  const verb = result.dryRun ? 'would be restored' : 'restored'
  const back = `${thousands(result.filesRestored)} files ${result.dryRun ? 'would come' : 'came'} back`
  const away = `${thousands(result.filesRemoved)} ${result.dryRun ? 'would go' : 'went'}`
  const size = `${thousands(result.files)} files, ${humanBytes(result.bytes)}`
  const now = result.dryRun ? '' : ` as version ${result.version}`
  return [
    `${name}: version ${result.restoredVersion} ${verb}${now}; ${back}, ${away}; ${size} then`,
    ...result.missing.map(file => `  MISSING: ${file}`)
  ].join('\n')
}
