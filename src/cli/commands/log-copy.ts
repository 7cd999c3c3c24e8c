/** `log copy`: from the embedded log to Kafka, or back. */
import { type CopiedPartition, copyConfiguredLog, type LogCopyReport } from '../../app/index.ts'
import { type Command, configOptions, jsonOption, usageError } from '../command.ts'
import { configOf } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'
import { textTable, thousands } from '../text-table.ts'

const kinds = ['embedded', 'kafka'] as const

export const logCopy: Command = {
  name: 'log copy',
  summary: 'Copy topics and the positions of workers between the embedded log and Kafka.',
  description:
    'Stop the workers first: both logs are refused while they run. Topics are created with the partitions that they have in the source. Each record takes its offset along in the header x-copied-offset; positions are translated by it. A copy that was interrupted goes on where it stopped when it is started again. Afterwards set KAFKA_BOOTSTRAP_SERVERS (or unset it, after copying back) and start the workers.',
  options: {
    from: { type: 'text', value: 'LOG', choices: kinds, doc: 'embedded (default) or kafka.' },
    to: { type: 'text', value: 'LOG', choices: kinds, doc: 'The other one by default.' },
    'dry-run': { type: 'flag', doc: 'Say what would be copied; copy nothing.' },
    ...jsonOption,
    ...configOptions
  },
  examples: [
    'claims-pipeline log copy --dry-run --config claims.yaml',
    'KAFKA_BOOTSTRAP_SERVERS=broker:9092 claims-pipeline log copy',
    'KAFKA_BOOTSTRAP_SERVERS=broker:9092 claims-pipeline log copy --from kafka --to embedded'
  ],
  run: async (args, terminal) => {
    const from = kinds.find(kind => kind === args.text('from')) ?? 'embedded'
    const other = from === 'embedded' ? 'kafka' : 'embedded'
    const to = kinds.find(kind => kind === args.text('to')) ?? other
    if (from === to) throw usageError('--from and --to are the same log.', 'log copy')
    const dryRun = args.flag('dry-run')
    const json = args.flag('json')
    const report = await copyConfiguredLog(configOf(args), {
      from,
      to,
      dryRun,
      signal: terminal.stopSignal,
      write: line => {
        terminal.stderr.write(line)
      },
      onProgress: done => {
        if (!json && terminal.errInteractive) terminal.stderr.write(`${progressLine(done)}\n`)
      }
    })
    const text = json ? toJson({ from, to, dryRun, ...report }) : reportText(report, dryRun, to)
    await writeLine(terminal.stdout, text)
    return 0
  }
}

function progressLine({ topic, partition, copied }: CopiedPartition): string {
  return `${topic} ${partition}: ${thousands(copied)} records`
}

function reportText(report: LogCopyReport, dryRun: boolean, to: string): string {
  const right = { align: 'right' } as const
  const rows = report.partitions.map(part => [
    part.topic,
    String(part.partition),
    String(part.earliest),
    String(part.end),
    thousands(part.copied),
    thousands(part.before)
  ])
  const columns = [
    { header: 'TOPIC' },
    { header: 'PARTITION', ...right },
    { header: 'FIRST', ...right },
    { header: 'END', ...right },
    { header: dryRun ? 'TO COPY' : 'COPIED', ...right },
    { header: 'BEFORE', ...right }
  ]
  const sum = report.partitions.reduce((total, part) => total + part.copied, 0)
  const lines = [...textTable(columns, rows), '']
  if (dryRun) return [...lines, `${thousands(sum)} records would be copied to ${to}.`].join('\n')
  const positions = report.positions.length
  return [...lines, `${thousands(sum)} records and ${positions} positions copied to ${to}.`].join(
    '\n'
  )
}
