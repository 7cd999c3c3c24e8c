import { writeFileSync } from 'node:fs'
import { type DemoReport, defaultScenario, faultLevels, runDemo } from '../../app/index.ts'
import { ConfigError } from '../../core/index.ts'
import type { Command } from '../command.ts'
import { demoReportLines } from '../demo-report-text.ts'
import { createDemoScreen } from '../demo-screen.ts'
import { configOf } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'

export const demo: Command = {
  name: 'demo',
  summary: 'See it work: simulator and all workers here, ending in a checked report.',
  description:
    'Needs nothing but this program. Data stay in --data-dir. A demo that was interrupted, by kill -9 too, goes on when it is started again with the same options; a completed one starts afresh.',
  options: {
    events: { type: 'integer', value: 'N', min: 1, max: 10_000_000, doc: 'Events (default 2000).' },
    projects: { type: 'integer', value: 'N', min: 1, max: 200_000, doc: 'Claims (default 200).' },
    seed: { type: 'integer', value: 'N', doc: 'Seed of all data (default 1).' },
    faults: {
      type: 'text',
      value: 'LEVEL',
      choices: faultLevels,
      doc: 'How much goes wrong: none, light or heavy, where 10 % of calls and downloads fail (default none).'
    },
    'data-dir': { type: 'text', value: 'DIR', doc: 'Default: ./.claims-pipeline/demo' },
    report: { type: 'text', value: 'FILE', doc: 'Write the report as JSON.' },
    exit: { type: 'flag', doc: 'Exit after the report; this release always does.' },
    'no-console': { type: 'flag', doc: 'Without operations console; this release has none.' }
  },
  examples: [
    'claims-pipeline demo',
    'claims-pipeline demo --events 20000 --projects 2000 --faults heavy --exit --report r.json'
  ],
  run: async (args, terminal) => {
    const scenario = {
      events: args.integer('events') ?? defaultScenario.events,
      projects: args.integer('projects') ?? defaultScenario.projects,
      seed: args.integer('seed') ?? defaultScenario.seed,
      faults: faultLevels.find(level => level === args.text('faults')) ?? defaultScenario.faults
    }
    const reportFile = args.text('report')
    if (reportFile !== undefined) assertWritable(reportFile)
    const color = terminal.interactive && configOf(args).log.noColor === undefined
    const dataDir = args.text('data-dir')
    const screen = createDemoScreen(terminal, { color })
    const end = await runDemo({
      scenario,
      ...(dataDir === undefined ? {} : { dataDir }),
      signal: terminal.stopSignal,
      onProgress: progress => screen.show(progress)
    }).finally(() => screen.close())
    if (end.kind === 'interrupted') {
      const text = `Interrupted; nothing is lost. The same command goes on in ${end.dataDir}`
      await writeLine(terminal.stdout, text)
      return 0
    }
    if (reportFile !== undefined) writeReport(reportFile, end.report)
    const lines = demoReportLines(end.report, { color, width: terminal.width })
    await writeLine(terminal.stdout, lines.join('\n'))
    return end.report.ok ? 0 : 1
  }
}

/** A wrong path is told before the work, not after it. */
function assertWritable(file: string): void {
  try {
    writeFileSync(file, '', { flag: 'a' })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(
      'USAGE',
      `--report ${file} cannot be written (${code}). Give another path.`
    )
  }
}

function writeReport(file: string, report: DemoReport): void {
  writeFileSync(file, `${toJson(report)}\n`)
}
