/** `tables show`, `tables history`. */
import type { TableAccess } from '../../app/index.ts'
import { type Command, configOptions, jsonOption } from '../command.ts'
import { type Terminal, toJson, writeLine } from '../terminal.ts'
import { humanBytes, textTable, thousands, visible } from '../text-table.ts'
import { right, tableArgument, withTable } from './tables.ts'

type Description = Awaited<ReturnType<TableAccess['tables']['show']>>
type Entry = Description['history'][number]

/** Checkpoints that are named; more are only counted. */
const shownCheckpoints = 5

export const tablesShow: Command = {
  name: 'tables show',
  summary: 'Show schema, protocol, size, properties, log and newest commits of a table.',
  positionals: [tableArgument],
  options: { ...configOptions, ...jsonOption },
  examples: [
    'claims-pipeline tables show claimx_projects',
    'claims-pipeline tables show ./data/any_delta_table --json'
  ],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const table = await tables.show(name)
      const text = args.flag('json')
        ? toJson({ ...table, name, title: table.name })
        : [name, ...facts(table), '', ...columnLines(table), '', ...commitLines(table.history)]
      await writeLine(terminal.stdout, typeof text === 'string' ? text : text.join('\n'))
      return 0
    })
}

function facts(table: Description): string[] {
  const { protocol, deletionVectors: marked, log } = table
  const features = [...new Set([...protocol.readerFeatures, ...protocol.writerFeatures])].sort()
  const created = table.createdAt === undefined ? '' : `, created ${isoTime(table.createdAt)}`
  const size = `${thousands(table.rows)} rows, ${thousands(table.files)} files, ${humanBytes(table.bytes)}`
  const vectors =
    marked.files === 0
      ? ''
      : `; ${thousands(marked.rows)} deleted rows marked in ${thousands(marked.files)} of them`
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['features', features],
    ['readers need', protocol.readerFeatures],
    ['partitioned by', table.partitionBy],
    ['properties', Object.entries(table.properties).map(([key, value]) => `${key}=${value}`)],
    ['transactions', Object.entries(table.transactions).map(([id, version]) => `${id}=${version}`)],
    ['domains', table.domains]
  ]
  return [
    `at ${table.location}`,
    ...(table.name === undefined ? [] : [`named ${visible(table.name)}`]),
    ...(table.description === undefined ? [] : [visible(table.description)]),
    `id ${table.id}${created}`,
    `version ${table.version}, ${size}${vectors}`,
    `protocol: reader ${protocol.reader}, writer ${protocol.writer}`,
    ...lists.flatMap(([title, items]) =>
      items.length === 0 ? [] : [`${title}: ${items.map(visible).join(', ')}`]
    ),
    `log: ${thousands(log.commits)} commits from version ${log.oldestVersion ?? '–'}, ${checkpoints(log.checkpoints)}`
  ].map(line => `  ${line}`)
}

function checkpoints(versions: readonly number[]): string {
  if (versions.length === 0) return 'no checkpoint'
  const shown = versions.slice(0, shownCheckpoints).join(', ')
  const more = versions.length - shownCheckpoints
  return `checkpoints at ${shown}${more > 0 ? ` and ${thousands(more)} older` : ''}`
}

function columnLines(table: Description): string[] {
  const rows = table.columns.map(({ name, type, nullable, comment }) => [
    name,
    type,
    nullable ? '' : 'not null',
    comment ?? ''
  ])
  const headers = ['COLUMN', 'TYPE', '', ''].map(header => ({ header }))
  return textTable(headers, rows)
}

export const tablesHistory: Command = {
  name: 'tables history',
  summary: 'Print the commits of a table, the newest first.',
  description: 'As far as the files of the log are still there.',
  positionals: [tableArgument],
  options: {
    limit: { type: 'integer', value: 'N', doc: 'Most commits (default: 20).', min: 1 },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables history claimx_projects',
    'claims-pipeline tables history ./data/any_delta_table --limit 100 --json'
  ],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const table = await tables.table(name)
      const history = await table.history(args.integer('limit') ?? 20)
      if (args.flag('json')) await writeLine(terminal.stdout, toJson(history))
      else await printHistory(history, terminal)
      return 0
    })
}

async function printHistory(history: readonly Entry[], terminal: Terminal): Promise<void> {
  const width = terminal.interactive ? terminal.width : undefined
  await writeLine(terminal.stdout, commitLines(history, width).join('\n'))
}

function commitLines(history: readonly Entry[], width?: number): string[] {
  const rows = history.map(({ version, timestamp, operation, metrics }) => [
    String(version),
    timestamp === undefined ? '' : isoTime(timestamp),
    operation ?? '',
    metricsText(metrics)
  ])
  const headers = ['TIME', 'OPERATION', 'METRICS'].map(header => ({ header }))
  return textTable([right('VERSION'), ...headers], rows, width)
}

/** Without those that are zero, and without times. */
function metricsText(metrics: Readonly<Record<string, string>>): string {
  return Object.entries(metrics)
    .filter(([name, value]) => value !== '0' && !/TimeMs$/.test(name))
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
