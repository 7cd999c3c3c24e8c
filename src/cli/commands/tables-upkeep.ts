/** `tables optimize`, `tables vacuum`. */
import { type Command, configOptions, jsonOption } from '../command.ts'
import { toJson, writeLine } from '../terminal.ts'
import { humanBytes, thousands } from '../text-table.ts'
import { tableArgument, withTable } from './tables.ts'

const MEBIBYTE = 1_048_576
const HOUR_MS = 3_600_000

export const tablesOptimize: Command = {
  name: 'tables optimize',
  summary: 'Join small files of a table and drop rows that are marked as deleted.',
  description:
    'The rows stay as they are, and workers may go on. The old files stay for readers of older versions until `tables vacuum`. A table with clustering columns is clustered by them.',
  positionals: [tableArgument],
  options: {
    'target-mib': {
      type: 'integer',
      value: 'N',
      doc: 'Join files up to this size in MiB (default: 128).',
      min: 1,
      max: 4096
    },
    'zorder-by': {
      type: 'list',
      value: 'NAMES',
      doc: 'Rewrite the files so that rows near each other in these columns lie together, which lets filters on them skip files.'
    },
    where: {
      type: 'text',
      value: 'SQL',
      doc: 'Condition over partition columns: only these partitions.'
    },
    full: {
      type: 'flag',
      doc: 'Cluster a table with clustering columns as a whole, not only what is new.'
    },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables optimize claimx_projects',
    'claims-pipeline tables optimize claimx_events --zorder-by project_id,event_type'
  ],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const target = args.integer('target-mib')
      const where = args.text('where')
      const zOrderBy = args.list('zorder-by')
      const result = await tables.optimize(name, {
        ...(target === undefined ? {} : { targetFileBytes: target * MEBIBYTE }),
        ...(where === undefined ? {} : { where }),
        ...(zOrderBy.length === 0 ? {} : { zOrderBy }),
        full: args.flag('full')
      })
      if (args.flag('json')) await writeLine(terminal.stdout, toJson({ name, ...result }))
      else await writeLine(terminal.stdout, optimizedText(name, result))
      return 0
    })
}

function optimizedText(
  name: string,
  result: {
    version: number
    filesAdded: number
    filesRemoved: number
    bytesAdded: number
    bytesRemoved: number
    rowsPurged: number
    lost: number
  }
): string {
  if (result.filesRemoved + result.lost === 0) return `${name}: nothing to do`
  const before = `${thousands(result.filesRemoved)} files of ${humanBytes(result.bytesRemoved)}`
  const after = `${thousands(result.filesAdded)} of ${humanBytes(result.bytesAdded)}`
  const lines = [
    `${name}: version ${result.version}, ${before} became ${after}; ${thousands(result.rowsPurged)} deleted rows dropped`
  ]
  if (result.lost > 0) {
    lines.push(`  ${result.lost} new files given up, since a writer changed theirs: run it again`)
  }
  return lines.join('\n')
}

export const tablesVacuum: Command = {
  name: 'tables vacuum',
  summary: 'Delete files that no version within the retention refers to.',
  description:
    'Versions older than the retention (`delta.deletedFileRetentionDuration`, a week by default) can no longer be read afterwards.',
  positionals: [tableArgument],
  options: {
    'dry-run': { type: 'flag', doc: 'Say what would be deleted, and delete nothing.' },
    'retention-hours': {
      type: 'integer',
      value: 'N',
      doc: 'Keep what was removed in the last N hours; less than the retention of the table needs --force.',
      min: 0
    },
    force: {
      type: 'flag',
      doc: 'Allow a shorter retention. Only when nobody reads or writes the table meanwhile.'
    },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables vacuum claimx_projects --dry-run',
    'claims-pipeline tables vacuum claimx_projects'
  ],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const hours = args.integer('retention-hours')
      const result = await tables.vacuum(name, {
        dryRun: args.flag('dry-run'),
        force: args.flag('force'),
        ...(hours === undefined ? {} : { retentionMs: hours * HOUR_MS })
      })
      if (args.flag('json')) await writeLine(terminal.stdout, toJson({ name, ...result }))
      else {
        const verb = result.dryRun ? 'would be deleted' : 'deleted'
        const size = `${thousands(result.files.length)} files, ${humanBytes(result.bytes)}`
        const lines = result.dryRun ? result.files.map(file => `  ${file}`) : []
        await writeLine(terminal.stdout, [`${name}: ${size} ${verb}`, ...lines].join('\n'))
      }
      return 0
    })
}
