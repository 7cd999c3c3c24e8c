/** `tables delete`, `tables update`: rows change by a condition. */
import {
  type Command,
  type CommandArgs,
  configOptions,
  jsonOption,
  usageError
} from '../command.ts'
import { toJson, writeLine } from '../terminal.ts'
import { humanBytes, thousands } from '../text-table.ts'
import { tableArgument, withTable } from './tables.ts'

const rowOptions = {
  where: { type: 'text', value: 'SQL', doc: 'Condition over the columns, as in `tables read`.' },
  all: { type: 'flag', doc: 'All rows, in the place of --where.' },
  ...configOptions,
  ...jsonOption
} as const

export const tablesDelete: Command = {
  name: 'tables delete',
  summary: 'Delete the rows of a table for which a condition is true.',
  description:
    'In one commit; rows for which the condition is false or null stay. Older versions keep the rows until `tables vacuum`: `tables restore` brings them back. See first which rows they are: `tables read TABLE --where SQL`.',
  positionals: [tableArgument],
  options: rowOptions,
  examples: [
    `claims-pipeline tables delete ./data/any_delta_table --where "status = 'CANCELLED'"`,
    'claims-pipeline tables delete ./data/any_delta_table --all'
  ],
  run: (args, terminal) => {
    const condition = conditionOf(args, 'tables delete')
    return withTable(args, async ({ tables }, name) => {
      const result = await (await tables.table(name)).delete(condition)
      const text = args.flag('json')
        ? toJson({ name, ...result })
        : changedText(name, `${thousands(result.deleted)} rows deleted`, result)
      await writeLine(terminal.stdout, text)
      return 0
    })
  }
}

const update = 'tables update'

export const tablesUpdate: Command = {
  name: update,
  summary: 'Set columns of the rows of a table for which a condition is true.',
  description:
    'In one commit. Each new value is an SQL expression over the row as it was: text stands in single quotes.',
  positionals: [tableArgument],
  options: {
    set: {
      type: 'texts',
      value: 'COLUMN=SQL',
      doc: 'The new value of a column; may be repeated.'
    },
    ...rowOptions
  },
  examples: [
    `claims-pipeline tables update ./data/any_delta_table --set "status='DONE'" --set "tries=tries+1" --where "id = 7"`,
    `claims-pipeline tables update ./data/any_delta_table --set "city=upper(city)" --all`
  ],
  run: (args, terminal) => {
    const set = Object.fromEntries(args.texts('set').map(assignmentOf))
    if (Object.keys(set).length === 0) throw usageError('--set COLUMN=SQL is missing.', update)
    const condition = conditionOf(args, update)
    return withTable(args, async ({ tables }, name) => {
      const result = await (await tables.table(name)).update({ set, ...condition })
      const text = args.flag('json')
        ? toJson({ name, ...result })
        : changedText(name, `${thousands(result.updated)} rows updated`, result)
      await writeLine(terminal.stdout, text)
      return 0
    })
  }
}

function assignmentOf(text: string): [column: string, value: { sql: string }] {
  const at = text.indexOf('=')
  const [column, sql] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()]
  if (column !== '' && sql !== '') return [column, { sql }]
  throw usageError(`--set "${text}" must be COLUMN=SQL.`, update)
}

/** Everything is changed only when that is said. */
function conditionOf(args: CommandArgs, command: string): { where?: string } {
  const where = args.text('where')
  if ((where === undefined) === args.flag('all')) return where === undefined ? {} : { where }
  throw usageError('Give either --where SQL or --all.', command)
}

function changedText(
  name: string,
  what: string,
  result: {
    version: number
    filesAdded: number
    filesRemoved: number
    filesMarked: number
    bytesWritten: number
  }
): string {
  const { version, filesAdded, filesRemoved, filesMarked, bytesWritten } = result
  const files = `${thousands(filesMarked)} files marked, ${thousands(filesRemoved)} removed, ${thousands(filesAdded)} written`
  return `${name}: ${what}; version ${version}, ${files} (${humanBytes(bytesWritten)})`
}
