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
  summary: 'Change properties, columns, constraints and clustering of a table.',
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
    'add-constraint': {
      type: 'texts',
      value: 'NAME=SQL',
      doc: 'Ask of every row that the expression (of Spark) is true; may be repeated.'
    },
    'drop-constraint': { type: 'texts', value: 'NAME', doc: 'Drop a constraint; may be repeated.' },
    'cluster-by': {
      type: 'list',
      value: 'NAMES',
      doc: 'Have `tables optimize` bring rows near each other by these columns.'
    },
    'no-clustering': { type: 'flag', doc: 'Cluster by no columns any more.' },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline tables alter ./data/any_delta_table --add-column "checksum string"',
    'claims-pipeline tables alter ./data/any_delta_table --set delta.enableDeletionVectors=true --unset owner',
    'claims-pipeline tables alter ./data/any_delta_table --set delta.columnMapping.mode=name --rename-column size=bytes'
  ],
  run: (args, terminal) => {
    const steps = stepsOf(args)
    if (steps.length === 0) {
      throw usageError('Nothing to do: say what to set, unset, add, rename or drop.', alter)
    }
    return withTable(args, async ({ tables }, name) => {
      const table = await tables.table(name)
      const before = (await table.snapshot()).version
      for (const step of steps) await step(table)
      const { version } = await table.snapshot()
      const text = args.flag('json')
        ? toJson({ name, version, changed: version !== before })
        : `${name}: ${version === before ? 'nothing to change' : `version ${version}`}`
      await writeLine(terminal.stdout, text)
      return 0
    })
  }
}

/** What the options ask for, each a commit. What cannot be read of them is told here. */
function stepsOf(args: CommandArgs): ((table: Table) => Promise<void>)[] {
  const properties = propertiesOf(args)
  const columns = args.texts('add-column').map(columnOf)
  const renamed = args.texts('rename-column').map(text => pairOf(text, 'rename-column'))
  const constraints = args.texts('add-constraint').map(text => pairOf(text, 'add-constraint'))
  const clustering = args.flag('no-clustering') ? null : args.list('cluster-by')
  const step = (wanted: boolean, run: (table: Table) => Promise<void>) => (wanted ? [run] : [])
  return [
    ...step(Object.keys(properties).length > 0, table => table.setProperties(properties)),
    ...step(columns.length > 0, table => table.addColumns(columns)),
    ...renamed.map(
      ([old, to]) =>
        (table: Table) =>
          table.renameColumn(old, to)
    ),
    ...args.texts('drop-column').map(name => (table: Table) => table.dropColumn(name)),
    ...args.texts('drop-constraint').map(name => (table: Table) => table.dropConstraint(name)),
    ...constraints.map(
      ([name, sql]) =>
        (table: Table) =>
          table.addConstraint(name, sql)
    ),
    ...step(clustering?.length !== 0, table => table.setClustering(clustering))
  ]
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

const forms = {
  set: 'NAME=VALUE',
  'rename-column': 'OLD=NEW',
  'add-constraint': 'NAME=SQL'
} as const

function pairOf(text: string, option: keyof typeof forms): readonly [string, string] {
  const at = text.indexOf('=')
  const pair = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()] as const
  if (pair.every(part => part !== '')) return pair
  throw usageError(`--${option} "${text}" must be ${forms[option]}.`, alter)
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
