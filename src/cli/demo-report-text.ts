/** The demo's report as a person reads it: what came in, what it became, what it cost, is it right. */
import { relative } from 'node:path'
import type { DemoReport } from '../app/index.ts'
import { createStyle, type Style } from './style.ts'
import { humanBytes, type TextColumn, textTable, thousands, visible } from './text-table.ts'

export interface ReportLayout {
  readonly color: boolean
  readonly width: number
}

export function demoReportLines(report: DemoReport, layout: ReportLayout): string[] {
  const style = createStyle(layout.color)
  const width = Math.max(40, Math.min(layout.width, 100))
  const sections = [
    cameIn(report, style),
    became(report, style),
    cost(report, style),
    times(report, style, width),
    failures(report, style, width),
    verdict(report, style, width),
    whereNext(report, style)
  ]
  return sections.filter(lines => lines.length > 0).flatMap(lines => ['', ...lines])
}

function cameIn({ expected, scenario, resumed, runs }: DemoReport, style: Style): string[] {
  const pairs = Object.entries(expected.byType).sort(([, a], [, b]) => b - a)
  const lines = [
    style.bold('What came in'),
    `  ${thousands(expected.deliveries)} events for ${thousands(scenario.projects)} claims: ` +
      `${thousands(expected.distinctEvents)} distinct, ${thousands(expected.duplicates)} repeated, ` +
      `${thousands(expected.malformed)} unreadable`,
    ...textTable(
      [{ header: '' }, right('')],
      pairs.map(([type, count]) => [`  ${type}`, thousands(count)])
    ).slice(1)
  ]
  if (resumed)
    lines.push(style.dim(`  This is start ${runs} of the same demo; counters cover this start.`))
  return lines
}

function became({ tables, files, bytes }: DemoReport, style: Style): string[] {
  const rows = Object.entries(tables).map(([name, count]) => [`  ${name}`, thousands(count)])
  rows.push(['  files', thousands(files)])
  const lines = textTable([{ header: '' }, right('ROWS')], rows)
  return [style.bold('What it became'), ...lines.slice(1), `  ${humanBytes(bytes)} of media`]
}

function cost(report: DemoReport, style: Style): string[] {
  const { apiCalls, apiCallsFloor, naiveApiCalls, distinctApiCalls, events, seconds } = report
  const { apiCall } = report.latencies
  const saved = naiveApiCalls > 0 ? 100 * (1 - apiCalls / naiveApiCalls) : 0
  const lines = [
    style.bold('What it cost'),
    `  ${thousands(apiCalls)} API calls; the same events one by one: ${thousands(naiveApiCalls)}` +
      (saved > 0 ? ` (${saved.toFixed(0)} % saved)` : ''),
    `  Fewest possible: ${thousands(apiCallsFloor)} asking once per batch, ${thousands(distinctApiCalls)} once per run`,
    `  ${seconds.toFixed(1)} s, ${thousands(Math.round(report.eventsPerSecond))} events per second (${thousands(events)} in all)`,
    `  Memory at most ${humanBytes(report.peakRssBytes)}, ${report.cpuSeconds.toFixed(1)} s of CPU`
  ]
  if (apiCall.count > 0) {
    lines.push(
      `  Half of the API calls took up to ${ms(apiCall.p50)}, 95 % up to ${ms(apiCall.p95)}, the slowest ${ms(apiCall.max)}`
    )
  }
  return lines
}

function times({ stages }: DemoReport, style: Style, width: number): string[] {
  const columns = [
    { header: '  STAGE' },
    right('TAKEN'),
    right('DONE'),
    right('SKIPPED'),
    right('RETRIED'),
    right('DEAD'),
    right('BATCHES'),
    right('SECONDS')
  ]
  const cells = stages.map(stage => [
    `  ${stage.worker}`,
    ...[stage.received, stage.done, stage.skipped, stage.retried, stage.dead, stage.batches].map(
      value => thousands(value)
    ),
    stage.busySeconds.toFixed(1)
  ])
  return [style.bold('How long each stage was busy'), ...textTable(columns, cells, width)]
}

function failures(report: DemoReport, style: Style, width: number): string[] {
  const letters = Object.entries(report.deadLettersByTopic).filter(([, count]) => count > 0)
  const faults = Object.entries(report.faultsInjected).filter(([, count]) => count > 0)
  const retried = report.stages.reduce((sum, stage) => sum + stage.retried, 0)
  const lines = [style.bold('What failed, and where it went')]
  if (faults.length > 0) {
    lines.push('  Faults injected by the simulator:')
    const texts = faults.map(([kind, count]) => `${thousands(count)} ${kind.replaceAll('_', ' ')}`)
    lines.push(...wrapped(texts.join(', '), width, 4))
  }
  lines.push(`  Sent to a delayed retry: ${thousands(retried)}`)
  lines.push(`  Dead letters: ${thousands(report.deadLetters)}`)
  lines.push(...letters.map(([topic, count]) => `    ${topic}: ${thousands(count)}`))
  if (report.deadLetters > 0 && report.ok) {
    const text =
      'They belong there: events that cannot be read, and events about things that ClaimX does not have or whose files are refused. The simulator makes some of them on purpose.'
    lines.push(...wrapped(text, width, 4))
  }
  return lines
}

function verdict({ checks, ok }: DemoReport, style: Style, width: number): string[] {
  const lines = checks.flatMap(check => {
    const mark = check.ok ? style.good('ok    ') : style.bad('DIFFERS')
    const room = Math.max(10, width - 12 - check.name.length)
    const detail = visible(check.detail)
    if (!check.ok) return [`  ${mark} ${style.bold(check.name)}`, `         ${detail}`]
    const text = detail.length > room ? `${detail.slice(0, room - 1)}…` : detail
    return [`  ${mark} ${check.name}${text === '' ? '' : style.dim(`  ${text}`)}`]
  })
  const wrong = checks.filter(check => !check.ok).length
  const end = ok
    ? style.good(
        style.bold(`OK: all ${checks.length} checks of tables and files agree with the simulator.`)
      )
    : style.bad(style.bold(`NOT OK: ${wrong} of ${checks.length} checks differ, see above.`))
  return [style.bold('Is it right?'), ...lines, '', end]
}

function whereNext({ dataDir }: DemoReport, style: Style): string[] {
  const near = relative('.', dataDir)
  const dir = near === '' || near.startsWith('..') ? dataDir : near
  const shown = /^[\w./-]+$/.test(dir) ? dir : `'${dir.replaceAll("'", "'\\''")}'`
  return [
    `The Delta tables are in ${visible(dir)}/tables, the files in ${visible(dir)}/files. Have a look:`,
    style.accent(`  npx claims-pipeline tables read claimx_projects --limit 5 --data-dir ${shown}`)
  ]
}

/** Lines of at most `width` characters, each indented. */
function wrapped(text: string, width: number, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map(one => `${' '.repeat(indent)}${one}`)
}

function ms(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`
}

function right(header: string): TextColumn {
  return { header, align: 'right' }
}
