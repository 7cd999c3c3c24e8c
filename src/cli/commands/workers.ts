/** The worker commands `claimx-…`, and `run` for several workers in one process. */
import { type Pipeline, type RunningWorkers, untilIdle } from '../../app/index.ts'
import { ConfigError, isAbort } from '../../core/index.ts'
import { type WorkerName, workerNames } from '../../topology.ts'
import { type Command, type CommandArgs, configOptions, usageError } from '../command.ts'
import { configOf, withPipeline } from '../open.ts'
import type { Terminal } from '../terminal.ts'

const summaries: Readonly<Record<WorkerName, string>> = {
  ingester: 'Worker: raw events to claimx_events and enrichment tasks.',
  enricher: 'Worker: asks the ClaimX API and writes the entity tables.',
  downloader: 'Worker: downloads media to the cache.',
  uploader: 'Worker: moves cached media to their place.',
  'result-processor': 'Worker: writes claimx_attachments.',
  'retry-scheduler': 'Worker: returns delayed messages when they are due.'
}

const countOption = {
  count: {
    type: 'integer',
    short: 'c',
    value: 'N',
    min: 1,
    max: 64,
    doc: 'Instances in this process, all in the same consumer group (default 1).'
  }
} as const

export const workerCommands: readonly Command[] = workerNames.map(worker => ({
  name: `claimx-${worker}`,
  summary: summaries[worker],
  description:
    'Works until SIGINT or SIGTERM, then finishes the batches in flight. Start it as often as you like, here or in other processes: the instances share the partitions.',
  options: { ...countOption, ...configOptions },
  examples: [
    `claims-pipeline claimx-${worker}`,
    `claims-pipeline claimx-${worker} --count 2 --config claims.yaml`
  ],
  run: (args, terminal) => runWorkers([worker], args, terminal)
}))

export const runCommand: Command = {
  name: 'run',
  summary: 'Several workers in one process; all of them by default.',
  options: {
    domain: {
      type: 'list',
      value: 'NAME',
      doc: 'Domains to work on (default claimx, the only one in this release).'
    },
    worker: {
      type: 'list',
      value: 'NAME',
      choices: ['all', ...workerNames],
      doc: `Workers to run, comma separated or repeated (default all): ${workerNames.join(', ')}.`
    },
    ...countOption,
    'until-idle': {
      type: 'integer',
      value: 'SECONDS',
      min: 0,
      doc: 'Exit 0 once everything these workers read has been drained for that long.'
    },
    ...configOptions
  },
  examples: [
    'claims-pipeline run',
    'claims-pipeline run --worker ingester,enricher --count 2',
    'claims-pipeline run --until-idle 5'
  ],
  run: (args, terminal) => {
    checkDomains(args.list('domain'))
    const asked = args.list('worker')
    const all = asked.length === 0 || asked.includes('all')
    const chosen = workerNames.filter(name => all || asked.includes(name))
    return runWorkers(chosen, args, terminal)
  }
}

function checkDomains(domains: readonly string[]): void {
  for (const domain of domains) {
    if (domain === 'xact') {
      throw new ConfigError(
        'CONFIG_INVALID',
        'The domain xact is not available in this release yet.'
      )
    }
    if (domain !== 'claimx') throw usageError(`There is no domain "${domain}".`, 'run')
  }
}

async function runWorkers(
  workers: readonly WorkerName[],
  args: CommandArgs,
  terminal: Terminal
): Promise<number> {
  const config = configOf(args)
  const idleSeconds = args.integer('until-idle')
  return await withPipeline(config, terminal, async pipeline => {
    const running = pipeline.start(workers, { count: args.integer('count') ?? 1 })
    const deadlineMs = config.drainSeconds * 1000
    pipeline.telemetry.log.info('workers started', { workers: workers.join(',') })
    const watch = new AbortController()
    try {
      await Promise.race([
        running.finished,
        aborted(terminal.stopSignal),
        summarise(pipeline, running, watch.signal),
        ...(idleSeconds === undefined
          ? []
          : [untilIdle(pipeline, { idleMs: idleSeconds * 1000, workers, signal: watch.signal })])
      ])
    } finally {
      watch.abort()
      await running.stop({ deadlineMs })
      logProgress(pipeline, running, 'workers stopped')
    }
    return 0
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A line per worker every 30 seconds (reference/operations.md section 7), until aborted. */
async function summarise(
  pipeline: Pipeline,
  running: RunningWorkers,
  signal: AbortSignal
): Promise<void> {
  try {
    for (;;) {
      await pipeline.clock.sleep(30_000, signal)
      logProgress(pipeline, running, 'progress')
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error
  }
}

function logProgress({ telemetry }: Pipeline, running: RunningWorkers, message: string): void {
  for (const { lastError, ...progress } of running.progress()) {
    telemetry.log.info(message, lastError === '' ? { ...progress } : { ...progress, lastError })
  }
}
