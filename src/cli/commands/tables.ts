/** `tables list`, `tables read`, `tables verify`, and what the commands of tables share. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { mergeKeyOf, placeOfTable, type TableAccess, withTables } from '../../app/index.ts'
import type { ReadTableOptions } from '../../ports/index.ts'
import {
  type Command,
  type CommandArgs,
  configOptions,
  jsonOption,
  usageError
} from '../command.ts'
import { nearest } from '../nearest.ts'
import { configOf } from '../open.ts'
import { cellLine, cellText, type TableRow, withTimes } from '../row-format.ts'
import { type Terminal, toJson, write, writeLine } from '../terminal.ts'
import { humanBytes, textTable, thousands } from '../text-table.ts'

export const tableArgument = {
  name: 'TABLE',
  doc: 'Name of a table below CLAIMS_TABLES_PATH, or path of any Delta table.'
}

const formats = ['table', 'ndjson', 'parquet'] as const

/** Rows that `--format table` shows unless `--limit` says otherwise. */
export const defaultTableRows = 20

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

export const tablesRead: Command = {
  name: 'tables read',
  summary: 'Print rows of a table, at any version.',
  description:
    'In NDJSON, integers are exact; times are ISO 8601 text, decimals text, binary base64, structs, arrays and maps JSON text. Parquet needs --out. With --format table at most 20 rows are shown unless --limit is given.',
  positionals: [tableArgument],
  options: {
    version: { type: 'integer', value: 'N', doc: 'Version of the table (default: the newest).' },
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
      doc: 'table, ndjson or parquet (default: table on a terminal, else ndjson).'
    },
    out: { type: 'text', value: 'FILE', doc: 'Write to a file instead of standard output.' },
    ...configOptions
  },
  examples: [
    'claims-pipeline tables read claimx_projects --limit 5',
    `claims-pipeline tables read claimx_tasks --where "status = 'COMPLETED'" --format ndjson`,
    'claims-pipeline tables read ./data/any_delta_table --version 3 --format parquet --out rows.parquet'
  ],
  run: (args, terminal) => {
    const out = args.text('out')
    const fallback = terminal.interactive && out === undefined ? 'table' : 'ndjson'
    const format = formats.find(item => item === args.text('format')) ?? fallback
    if (format === 'parquet' && out === undefined) {
      throw usageError('--format parquet needs --out FILE.', 'tables read')
    }
    if (format === 'table' && out !== undefined) {
      throw usageError('--out takes --format ndjson or parquet.', 'tables read')
    }
    if (out !== undefined) assertDirectory(out, 'tables read')
    return withTable(args, async ({ tables }, name) => {
      const options = readOptions(args)
      if (out !== undefined && format !== 'table') {
        const count = await tables.export(name, out, format, options)
        await writeLine(terminal.stderr, `${thousands(count)} rows in ${out}`)
        return 0
      }
      const columns = await tables.columns(name, options.version)
      if (format === 'ndjson') {
        for await (const batch of tables.readStream(name, options)) {
          const lines = batch.map(row => `${cellLine(withTimes(row, columns))}\n`)
          await write(terminal.stdout, lines.join(''))
        }
        return 0
      }
      const rows = await tables.readTable(name, limited(options))
      await printTable(
        rows.map(row => withTimes(row, columns)),
        args,
        terminal
      )
      return 0
    })
  }
}

/** A wrong path is told before the work. */
export function assertDirectory(file: string, command: string): void {
  const path = resolve(file)
  const directory = dirname(path)
  const problem = (): string | undefined => {
    if (!existsSync(directory)) return `there is no directory ${directory}`
    if (existsSync(path) && statSync(path).isDirectory()) return 'it is a directory'
    try {
      accessSync(existsSync(path) ? path : directory, constants.W_OK)
      return undefined
    } catch {
      return `${existsSync(path) ? 'it' : `the directory ${directory}`} cannot be written`
    }
  }
  const why = problem()
  if (why !== undefined) throw usageError(`--out ${file}: ${why}.`, command)
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

function readOptions(args: CommandArgs): ReadTableOptions {
  const version = args.integer('version')
  const where = args.text('where')
  const limit = args.integer('limit')
  const columns = args.list('columns')
  return {
    ...(version === undefined ? {} : { version }),
    ...(where === undefined ? {} : { where }),
    ...(limit === undefined ? {} : { limit }),
    ...(columns.length === 0 ? {} : { columns })
  }
}

function limited(options: ReadTableOptions): ReadTableOptions {
  return { ...options, limit: options.limit ?? defaultTableRows }
}

export async function printTable(
  rows: readonly TableRow[],
  args: CommandArgs,
  terminal: Terminal
): Promise<void> {
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
  if (args.integer('limit') === undefined && rows.length === defaultTableRows) {
    await writeLine(terminal.stdout, `(the first ${defaultTableRows} rows; --limit N shows more)`)
  }
}

export function right(header: string) {
  return { header, align: 'right' as const }
}
