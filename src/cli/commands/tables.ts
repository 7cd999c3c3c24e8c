/** `tables list`, `tables verify`, and what the commands of tables share. */
import { existsSync } from 'node:fs'
import { mergeKeyOf, placeOfTable, type TableAccess, withTables } from '../../app/index.ts'
import {
  type Command,
  type CommandArgs,
  configOptions,
  jsonOption,
  usageError
} from '../command.ts'
import { nearest } from '../nearest.ts'
import { configOf } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'
import { humanBytes, textTable, thousands } from '../text-table.ts'

export const tableArgument = {
  name: 'TABLE',
  doc: 'Name of a table below CLAIMS_TABLES_PATH, or path of any Delta table.'
}

export const tablesList: Command = {
  name: 'tables list',
  summary: 'List the tables with their rows, files and version.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline tables list'],
  run: async (args, terminal) => {
    const config = configOf(args)
    return await withTables(config, config.tablesPath, async ({ tables, root }) => {
      const names = existsSync(root) ? await tables.list() : []
      const rows = []
      for (const name of names.sort()) {
        const { version, files, bytes, rows: count } = await tables.show(name)
        rows.push({ name, version, rows: count, files, bytes })
      }
      if (args.flag('json')) await writeLine(terminal.stdout, toJson(rows))
      else if (rows.length === 0) await writeLine(terminal.stdout, `No tables in ${root} yet.`)
      else {
        const cells = rows.map(row => [
          row.name,
          thousands(row.rows),
          thousands(row.files),
          humanBytes(row.bytes),
          String(row.version)
        ])
        const columns = [{ header: 'TABLE' }, ...['ROWS', 'FILES', 'SIZE', 'VERSION'].map(right)]
        await writeLine(terminal.stdout, textTable(columns, cells).join('\n'))
      }
      return 0
    })
  }
}

async function assertColumns(
  tables: TableAccess['tables'],
  name: string,
  columns: readonly string[]
): Promise<void> {
  const known = (await tables.columns(name)).map(column => column.name)
  const wrong = columns.find(column => !known.includes(column))
  if (wrong === undefined) return
  const close = nearest(wrong, known)
  const hint = close === undefined ? '' : ` Did you mean ${close}?`
  throw usageError(`${name} has no column "${wrong}".${hint}`, 'tables verify')
}

export const tablesVerify: Command = {
  name: 'tables verify',
  summary: 'Check log, files, row counts and unique keys of a table.',
  description: 'Reads every file. Exits 1 when there is a problem.',
  positionals: [tableArgument],
  options: {
    key: {
      type: 'list',
      value: 'NAMES',
      doc: 'Columns that must be unique together (default: the merge key, if it is a table of ours).'
    },
    ...configOptions,
    ...jsonOption
  },
  examples: ['claims-pipeline tables verify claimx_events'],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const asked = args.list('key')
      const keys = asked.length > 0 ? asked : mergeKeyOf(name)
      if (asked.length > 0) await assertColumns(tables, name, asked)
      const report = await tables.verify(name, keys)
      const ok = report.problems.length === 0
      if (args.flag('json')) await writeLine(terminal.stdout, toJson({ name, ok, keys, ...report }))
      else {
        const size = `${thousands(report.rows)} rows, ${report.files} files, ${humanBytes(report.bytes)}`
        const lines = [
          `${name}: version ${report.version}, ${size}`,
          ...report.problems.map(problem => `  PROBLEM: ${problem}`),
          ok ? `OK${keys === undefined ? '' : `; ${keys.join(', ')} is unique`}` : 'NOT OK'
        ]
        await writeLine(terminal.stdout, lines.join('\n'))
      }
      return ok ? 0 : 1
    })
}

export async function withTable(
  args: CommandArgs,
  use: (access: TableAccess, name: string) => Promise<number>
): Promise<number> {
  const config = configOf(args)
  const { root, name } = placeOfTable(config, args.positionals[0] ?? '')
  return await withTables(config, root, access => use(access, name))
}

export function right(header: string) {
  return { header, align: 'right' as const }
}
