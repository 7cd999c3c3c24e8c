/** `tables delete`: rows change by a condition. */
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
