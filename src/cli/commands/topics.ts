/** `topics create`, `topics list`, `topics describe`, and `lag`. */
import { stageLags, topicDifferences, topicSpecs } from '../../app/index.ts'
import type { Config } from '../../config/index.ts'
import { BrokerError } from '../../core/index.ts'
import type { MessageLog } from '../../ports/index.ts'
import { type Command, type CommandArgs, configOptions, jsonOption } from '../command.ts'
import { nearest } from '../nearest.ts'
import { configOf, withPipeline } from '../open.ts'
import { type Terminal, toJson, writeLine } from '../terminal.ts'
import { type TextColumn, textTable, thousands } from '../text-table.ts'

export const topicsCreate: Command = {
  name: 'topics create',
  summary: 'Create the topics that do not exist yet.',
  description:
    'Existing topics are left as they are: `topics describe` says how they differ. Partitions, retention, and on Kafka replicas, min.insync.replicas and max.message.bytes come from the configuration.',
  options: {
    partitions: {
      type: 'integer',
      value: 'N',
      min: 1,
      max: 1000,
      doc: 'Partitions of each topic; wins over CLAIMS_TOPIC_PARTITIONS.'
    },
    ...configOptions,
    ...jsonOption
  },
  examples: ['claims-pipeline topics create', 'claims-pipeline topics create --partitions 12'],
  run: async (args, terminal) => {
    const partitions = args.integer('partitions')
    const config = configOf(
      args,
      partitions === undefined ? {} : { 'topics.partitions': partitions }
    )
    return await withPipeline(config, terminal, async ({ log }) => {
      const specs = topicSpecs(config)
      const before = new Set((await log.describeTopics()).map(topic => topic.name))
      await log.createTopics(specs)
      const created = specs.map(spec => spec.name).filter(name => !before.has(name))
      const existing = specs.length - created.length
      const text = args.flag('json')
        ? toJson({ created, existing })
        : [
            ...created.map(name => `created ${name}`),
            `${created.length} created, ${existing} existed`
          ].join('\n')
      await writeLine(terminal.stdout, text)
      return 0
    })
  }
}

export const topicsList: Command = {
  name: 'topics list',
  summary: 'List the topics with their partitions and records.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline topics list'],
  run: async (args, terminal) =>
    await withPipeline(configOf(args), terminal, async ({ log }) => {
      const rows = (await log.describeTopics()).map(topic => ({
        name: topic.name,
        partitions: topic.partitions.length,
        records: topic.partitions.reduce((sum, part) => sum + part.end - part.earliest, 0n),
        retentionMs: topic.retentionMs ?? null
      }))
      if (args.flag('json')) await writeLine(terminal.stdout, toJson(rows))
      else if (rows.length === 0) {
        await writeLine(
          terminal.stdout,
          'No topics yet. Create them: claims-pipeline topics create'
        )
      } else {
        const cells = rows.map(row => [row.name, String(row.partitions), thousands(row.records)])
        const columns = [{ header: 'TOPIC' }, right('PARTITIONS'), right('RECORDS')]
        await writeLine(terminal.stdout, textTable(columns, cells).join('\n'))
      }
      return 0
    })
}

export const topicsDescribe: Command = {
  name: 'topics describe',
  summary: 'Compare all topics with the configuration, or show the partitions of one.',
  description:
    'Without TOPIC: each topic of the pipeline, and what of it is not as it would be created now.',
  positionals: [{ name: '[TOPIC]', optional: true, doc: 'Name of one topic.' }],
  options: {
    check: { type: 'flag', doc: 'Without TOPIC: exit 1 when something differs.' },
    ...configOptions,
    ...jsonOption
  },
  examples: [
    'claims-pipeline topics describe',
    'claims-pipeline topics describe --check',
    'claims-pipeline topics describe claimx.events.raw'
  ],
  run: async (args, terminal) => {
    const config = configOf(args)
    const [name] = args.positionals
    return await withPipeline(config, terminal, async ({ log }) =>
      name === undefined
        ? await describeAll(config, log, args, terminal)
        : await describeOne(name, log, args, terminal)
    )
  }
}

async function describeAll(
  config: Config,
  log: MessageLog,
  args: CommandArgs,
  terminal: Terminal
): Promise<number> {
  const specs = topicSpecs(config)
  const found = await log.describeTopics(specs.map(spec => spec.name))
  const differences = topicDifferences(specs, found, config)
  const code = args.flag('check') && differences.length > 0 ? 1 : 0
  if (args.flag('json')) {
    const topics = found.map(topic => ({
      ...topic,
      partitions: topic.partitions.length,
      retentionMs: topic.retentionMs ?? null
    }))
    await writeLine(terminal.stdout, toJson({ topics, differences }))
    return code
  }
  const cells = found.map(topic => [
    topic.name,
    String(topic.partitions.length),
    kept(topic.retentionMs),
    String(topic.replicas ?? 1),
    String(topic.minInsyncReplicas ?? 1),
    topic.maxMessageBytes === undefined ? '' : thousands(topic.maxMessageBytes)
  ])
  const columns = [
    { header: 'TOPIC' },
    right('PARTITIONS'),
    { header: 'KEPT' },
    right('REPLICAS'),
    right('IN SYNC'),
    right('MAX BYTES')
  ]
  const lines = found.length === 0 ? [] : [...textTable(columns, cells), '']
  const told = differences.map(
    ({ topic, setting, expected, actual }) =>
      `${topic}: ${setting} is ${actual}, would be created as ${expected}`
  )
  const end = differences.length === 0 ? ['All topics are as configured.'] : told
  await writeLine(terminal.stdout, [...lines, ...end].join('\n'))
  return code
}

async function describeOne(
  name: string,
  log: MessageLog,
  args: CommandArgs,
  terminal: Terminal
): Promise<number> {
  const [topic] = await log.describeTopics([name])
  if (topic === undefined) {
    const names = (await log.describeTopics()).map(item => item.name)
    const close = nearest(name, names)
    const hint = close === undefined ? '' : ` Did you mean ${close}?`
    throw new BrokerError('BROKER_UNKNOWN_TOPIC', `There is no topic "${name}".${hint}`)
  }
  if (args.flag('json')) {
    await writeLine(terminal.stdout, toJson({ ...topic, retentionMs: topic.retentionMs ?? null }))
    return 0
  }
  const cells = topic.partitions.map(part => [
    String(part.partition),
    String(part.earliest),
    String(part.end)
  ])
  const columns = [right('PARTITION'), right('FIRST'), right('END')]
  const head = `${topic.name}: ${topic.partitions.length} partitions, records kept ${kept(topic.retentionMs)}`
  await writeLine(terminal.stdout, [head, '', ...textTable(columns, cells)].join('\n'))
  return 0
}

function kept(retentionMs: number | undefined): string {
  return retentionMs === undefined ? 'for ever' : `${retentionMs / 3_600_000} hours`
}

export const lagCommand: Command = {
  name: 'lag',
  summary: 'How many records each consumer group has still to process.',
  description: 'Records that wait in a retry topic until they are due count too.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline lag', 'claims-pipeline lag --json'],
  run: async (args, terminal) =>
    await withPipeline(configOf(args), terminal, async ({ log }) => {
      const rows = await stageLags(log)
      if (args.flag('json')) {
        const data = rows.map(row => ({ ...row, committed: row.committed ?? null }))
        await writeLine(terminal.stdout, toJson(data))
        return 0
      }
      const byTopic = new Map<string, { group: string; topic: string; lag: bigint }>()
      for (const { group, topic, lag } of rows) {
        const sum = byTopic.get(topic)?.lag ?? 0n
        byTopic.set(topic, { group, topic, lag: sum + lag })
      }
      const cells = [...byTopic.values()].map(row => [row.group, row.topic, thousands(row.lag)])
      const total = rows.reduce((sum, row) => sum + row.lag, 0n)
      const columns = [{ header: 'GROUP' }, { header: 'TOPIC' }, right('LAG')]
      const lines = rows.length === 0 ? ['No topics yet.'] : textTable(columns, cells)
      await writeLine(terminal.stdout, [...lines, '', `total ${thousands(total)}`].join('\n'))
      return 0
    })
}

function right(header: string): TextColumn {
  return { header, align: 'right' }
}
