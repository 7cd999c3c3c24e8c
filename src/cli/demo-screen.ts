/**
 * The demo while it works: on a terminal one block that is redrawn, elsewhere a line now and then.
 * Rates are over the last seconds, so that a stage that is done shows no speed.
 */
import type { DemoProgress } from '../app/index.ts'
import { type WorkerName, workerNames } from '../topology.ts'
import { createStyle, type Style } from './style.ts'
import type { Terminal } from './terminal.ts'
import { thousands } from './text-table.ts'

export interface DemoScreen {
  show(progress: DemoProgress): void
  close(): void
}

interface StageView {
  readonly worker: WorkerName
  readonly handled: number
  readonly lag: number
  readonly retried: number
  readonly dead: number
  readonly state: string
  readonly rate: number
}

const plainEverySeconds = 3
const rateWindowSeconds = 3
const labels: Readonly<Record<WorkerName, string>> = {
  ingester: 'ingest events',
  enricher: 'enrich',
  downloader: 'download',
  uploader: 'upload',
  'result-processor': 'record files',
  'retry-scheduler': 'retry later'
}

export function createDemoScreen(terminal: Terminal, options: { color: boolean }): DemoScreen {
  const style = createStyle(options.color)
  const rates = createRates()
  return terminal.interactive ? redrawn(terminal, style, rates) : plain(terminal, rates)
}

function redrawn(terminal: Terminal, style: Style, rates: Rates): DemoScreen {
  let drawn = 0
  const draw = (lines: readonly string[]): void => {
    const up = drawn === 0 ? '' : `\x1b[${drawn}A`
    terminal.stdout.write(`${up}${lines.map(line => `\x1b[2K${line}`).join('\n')}\n`)
    drawn = lines.length
  }
  return {
    show: progress =>
      draw(blockLines(progress, rates.update(progress), Math.min(terminal.width, 100), style)),
    close: () => {
      if (drawn > 0) terminal.stdout.write('\n')
    }
  }
}

function plain({ stdout }: Terminal, rates: Rates): DemoScreen {
  let next = 0
  return {
    show: progress => {
      const views = rates.update(progress)
      if (progress.seconds < next && progress.phase === 'working') return
      next = progress.seconds + plainEverySeconds
      stdout.write(`${plainLine(progress, views)}\n`)
    },
    close: () => undefined
  }
}

/** One line for logs and pipes. */
export function plainLine(progress: DemoProgress, views: readonly StageView[]): string {
  const { phase, seconds, fed, events, apiCalls } = progress
  if (phase === 'checking') return 'checking every table and file against the simulator …'
  const stages = views.map(view => `${view.worker} ${view.handled}`).join(', ')
  const waiting = views.reduce((sum, view) => sum + view.lag, 0)
  const time = seconds.toFixed(0).padStart(3)
  return `${time} s  ${fed}/${events} events fed; done: ${stages}; ${waiting} waiting; ${apiCalls} API calls`
}

/** The block of a terminal: a head, one line a stage, and what the API says. */
export function blockLines(
  progress: DemoProgress,
  views: readonly StageView[],
  width: number,
  style: Style
): string[] {
  const { phase, seconds, fed, events, apiCalls, apiState } = progress
  const head = `${thousands(fed)} of ${thousands(events)} events fed, ${seconds.toFixed(1)} s`
  const api = `${thousands(apiCalls)} API calls${apiState === 'ok' ? '' : `, API ${apiState}`}`
  return [
    style.bold(
      phase === 'checking'
        ? 'Checking every table and file against the simulator'
        : 'A simulated ClaimX and all workers, in this process'
    ),
    head,
    apiState === 'ok' ? api : style.warn(api),
    '',
    ...views.map(view => stageLine(view, width, style))
  ]
}

/** Never wider than `width`: a line that wraps would break the redrawing. */
function stageLine(view: StageView, width: number, style: Style): string {
  const barWidth = Math.max(4, Math.min(28, width - 64))
  const { worker, handled, lag, retried, dead, state, rate } = view
  const share = handled + lag === 0 ? 0 : handled / (handled + lag)
  const full = Math.round(share * barWidth)
  const bar = style.accent('█'.repeat(full)) + style.dim('░'.repeat(barWidth - full))
  const notes = [
    retried > 0 ? `${thousands(retried)} retried` : '',
    dead > 0 ? `${thousands(dead)} dead` : '',
    state === 'waiting' || state === 'failed' ? state : ''
  ].filter(note => note !== '')
  const figures = `${thousands(handled).padStart(8)} ${`${thousands(Math.round(rate))}/s`.padStart(8)}`
  const room = Math.max(0, width - 14 - barWidth - 1 - figures.length)
  const waiting = (lag > 0 ? ` ${thousands(lag)} waiting` : '').slice(0, room)
  const tail = (notes.length === 0 ? '' : ` ${notes.join(', ')}`).slice(0, room - waiting.length)
  return `${labels[worker].padEnd(13)} ${bar} ${figures}${style.dim(waiting)}${style.warn(tail)}`
}

interface Rates {
  update(progress: DemoProgress): StageView[]
}

function createRates(): Rates {
  const history: { seconds: number; handled: ReadonlyMap<WorkerName, number> }[] = []
  return {
    update: progress => {
      const views = workerNames.map(worker => viewOf(worker, progress))
      const handled = new Map(views.map(view => [view.worker, view.handled]))
      history.push({ seconds: progress.seconds, handled })
      while ((history[0]?.seconds ?? 0) < progress.seconds - rateWindowSeconds) history.shift()
      const oldest = history[0]
      const span = progress.seconds - (oldest?.seconds ?? 0)
      return views.map(view => {
        const before = oldest?.handled.get(view.worker) ?? 0
        return { ...view, rate: span > 0 ? (view.handled - before) / span : 0 }
      })
    }
  }
}

function viewOf(worker: WorkerName, progress: DemoProgress): StageView {
  const own = progress.workers.filter(item => item.worker === worker)
  const add = (pick: (item: (typeof own)[number]) => number): number =>
    own.reduce((sum, item) => sum + pick(item), 0)
  const lag = progress.lags
    .filter(item => item.worker === worker)
    .reduce((sum, item) => sum + Number(item.lag), 0)
  return {
    worker,
    handled: add(item => item.done + item.skipped + item.retried + item.dead),
    lag,
    retried: add(item => item.retried),
    dead: add(item => item.dead),
    state: own.find(item => item.state !== 'running')?.state ?? 'running',
    rate: 0
  }
}
