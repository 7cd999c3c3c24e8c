/** `tables alter`, `tables checkpoint`: the table changes, its rows do not. */
import type { TableAccess } from '../../app/index.ts'
import {
  type Command,
  type CommandArgs,
  configOptions,
  jsonOption,
  usageError
} from '../command.ts'
import { toJson, writeLine } from '../terminal.ts'
import { tableArgument, withTable } from './tables.ts'

type Table = Awaited<ReturnType<TableAccess['tables']['table']>>
type Columns = Extract<Parameters<Table['addColumns']>[0], readonly unknown[]>

const alter = 'tables alter'

export const tablesAlter: Command = {
  name: alter,
  summary: 'Set and remove properties of a table, add, rename and drop columns.',
  description:
    'In this order, each part in a commit of its own; what is committed stays when a later part is refused. No file is touched: new columns are nullable, and null in stored rows; renaming and dropping need the property delta.columnMapping.mode.',
  positionals: [tableArgument],
  options: {
    'add-column': {
      type: 'texts',
      value: '"NAME TYPE"',
      doc: 'Add a column, such as "size long" or "price decimal(10,2)"; may be repeated.'
    },
    set: {
      type: 'texts',
      value: 'NAME=VALUE',
      doc: 'Set a property: one of Delta (delta.…, checked) or your own; may be repeated.'
    },
    unset: { type: 'texts', value: 'NAME', doc: 'Remove a property; may be repeated.' },
    'rename-column': { type: 'texts', value: 'OLD=NEW', doc: 'Rename a column; may be repeated.' },
    'drop-column': { type: 'texts', value: 'NAME', doc: 'Drop a column; may be repeated.' },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables alter ./data/any_delta_table --add-column "checksum string"',
    'claims-pipeline tables alter ./data/any_delta_table --set delta.enableDeletionVectors=true --unset owner',
    'claims-pipeline tables alter ./data/any_delta_table --set delta.columnMapping.mode=name --rename-column size=bytes'
  ],
  run: (args, terminal) => {
    const columns = args.texts('add-column').map(columnOf)
    const properties = propertiesOf(args)
    const renamed = args.texts('rename-column').map(text => pairOf(text, 'rename-column'))
    const dropped = args.texts('drop-column')
    const changesProperties = Object.keys(properties).length > 0
    if (!changesProperties && columns.length + renamed.length + dropped.length === 0) {
      throw usageError('Nothing to do: say what to set, unset, add, rename or drop.', alter)
    }
    return withTable(args, async ({ tables }, name) => {
      const table = await tables.table(name)
      const before = (await table.snapshot()).version
      if (changesProperties) await table.setProperties(properties)
      if (columns.length > 0) await table.addColumns(columns)
      for (const [old, to] of renamed) await table.renameColumn(old, to)
      for (const column of dropped) await table.dropColumn(column)
      const { version } = await table.snapshot()
      const text = args.flag('json')
        ? toJson({ name, version, changed: version !== before })
        : `${name}: ${version === before ? 'nothing to change' : `version ${version}`}`
      await writeLine(terminal.stdout, text)
      return 0
    })
  }
}

function columnOf(text: string): Columns[number] {
  const [, name, type] = /^\s*(\S+)\s+(\S.*?)\s*$/.exec(text) ?? []
  if (name === undefined || type === undefined) {
    throw usageError(`--add-column "${text}" must be a name and a type, as in "size long".`, alter)
  }
  // Whether there is such a type the engine says, which knows them.
  return { name, type: type.toLowerCase().replaceAll(' ', '') as Columns[number]['type'] }
}

function propertiesOf(args: CommandArgs): Record<string, string | null> {
  const set = args.texts('set').map(text => pairOf(text, 'set'))
  const unset = args.texts('unset').map((name): readonly [string, null] => [name, null])
  return Object.fromEntries([...set, ...unset])
}

function pairOf(text: string, option: 'set' | 'rename-column'): readonly [string, string] {
  const at = text.indexOf('=')
  const pair = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()] as const
  if (pair.every(part => part !== '')) return pair
  const form = option === 'set' ? 'NAME=VALUE' : 'OLD=NEW'
  throw usageError(`--${option} "${text}" must be ${form}.`, alter)
}

export const tablesCheckpoint: Command = {
  name: 'tables checkpoint',
  summary: 'Write a checkpoint of the newest version of a table, so that it opens fast.',
  description: 'Every tenth commit writes one by itself (`delta.checkpointInterval`).',
  positionals: [tableArgument],
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline tables checkpoint ./data/any_delta_table'],
  run: (args, terminal) =>
    withTable(args, async ({ tables }, name) => {
      const version = await (await tables.table(name)).checkpoint()
      const text = args.flag('json')
        ? toJson({ name, version })
        : `${name}: checkpoint of version ${version}`
      await writeLine(terminal.stdout, text)
      return 0
    })
}
