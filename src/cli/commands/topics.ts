/** `topics create`, `topics list`, `topics describe`, and `lag`. */
import { stageLags, topicSpecs } from '../../app/index.ts'
import { BrokerError } from '../../core/index.ts'
import { type Command, configOptions, jsonOption } from '../command.ts'
import { nearest } from '../nearest.ts'
import { configOf, withPipeline } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'
import { type TextColumn, textTable, thousands } from '../text-table.ts'

export const topicsCreate: Command = {
  name: 'topics create',
  summary: 'Create the topics that do not exist yet.',
  description:
    'Existing topics are left as they are. Partitions and retention: see `config check`.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline topics create'],
  run: async (args, terminal) => {
    const config = configOf(args)
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
  summary: 'Show the partitions of one topic and their offsets.',
  positionals: [{ name: 'TOPIC', doc: 'Name of the topic.' }],
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline topics describe claimx.events.raw'],
  run: async (args, terminal) =>
    await withPipeline(configOf(args), terminal, async ({ log }) => {
      const [name = ''] = args.positionals
      const [topic] = await log.describeTopics([name])
      if (topic === undefined) {
        const names = (await log.describeTopics()).map(item => item.name)
        const close = nearest(name, names)
        const hint = close === undefined ? '' : ` Did you mean ${close}?`
        throw new BrokerError('BROKER_UNKNOWN_TOPIC', `There is no topic "${name}".${hint}`)
      }
      if (args.flag('json')) {
        await writeLine(
          terminal.stdout,
          toJson({ ...topic, retentionMs: topic.retentionMs ?? null })
        )
        return 0
      }
      const cells = topic.partitions.map(part => [
        String(part.partition),
        String(part.earliest),
        String(part.end)
      ])
      const columns = [right('PARTITION'), right('FIRST'), right('END')]
      const kept =
        topic.retentionMs === undefined ? 'for ever' : `${topic.retentionMs / 3_600_000} hours`
      const head = `${topic.name}: ${topic.partitions.length} partitions, records kept ${kept}`
      await writeLine(terminal.stdout, [head, '', ...textTable(columns, cells)].join('\n'))
      return 0
    })
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
