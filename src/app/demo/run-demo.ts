/**
 * The demo: a simulated ClaimX, all workers in one process, and at the end a check of every table and
 * file against what the simulator knows. After a kill -9 the same call goes on where it stopped.
 */
import { appendFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { WorkerProgress } from '../../runtime/index.ts'
import {
  checkEndState,
  createWorld,
  type ExpectedSummary,
  expectedSummary,
  feedEvents,
  malformedShare,
  type Simulator,
  startSimulator,
  type World
} from '../../simulator/index.ts'
import { topics, workerNames } from '../../topology.ts'
import { type StageLag, stageLags } from '../backlog.ts'
import { openPipeline } from '../pipeline.ts'
import type { Pipeline, RunningWorkers } from '../pipeline-types.ts'
import { topicSpecs } from '../topic-specs.ts'
import { untilIdle } from '../until-idle.ts'
import { type DemoScenario, defaultDemoDir, demoConfig, demoToken } from './demo-options.ts'
import { buildReport, type DemoReport, stageReports } from './demo-report.ts'
import { beginDemo, type DemoState, writeState } from './demo-state.ts'
import { endStateView } from './end-state.ts'

export interface DemoOptions {
  readonly scenario: DemoScenario
  /** Default: `.claims-pipeline/demo` below the working directory. */
  readonly dataDir?: string
  readonly signal: AbortSignal
  /** Called a few times a second while workers run. */
  onProgress?(progress: DemoProgress): void
}

export interface DemoProgress {
  readonly phase: 'working' | 'checking'
  readonly fed: number
  readonly events: number
  readonly seconds: number
  readonly workers: readonly WorkerProgress[]
  readonly lags: readonly StageLag[]
  readonly apiCalls: number
  readonly apiState: string
}

export type DemoEnd =
  | { readonly kind: 'completed'; readonly report: DemoReport }
  /** Stopped by the signal; the same options go on from here. */
  | { readonly kind: 'interrupted'; readonly dataDir: string }

const feedBatch = 200
const progressMs = 200
const idleMs = 400
const drainMs = 30_000

/** Rejects with `USAGE` when the data directory belongs to something else. */
export async function runDemo(options: DemoOptions): Promise<DemoEnd> {
  const { scenario } = options
  const dataDir = resolve(options.dataDir ?? defaultDemoDir)
  const state = beginDemo(dataDir, scenario, options.dataDir === undefined)
  const world = createWorld({ ...scenario, malformed: malformedShare(scenario.faults) })
  const simulator = await startSimulator({
    world,
    port: state.port,
    token: demoToken,
    faults: scenario.faults,
    faultSalt: state.runs
  })
  try {
    const started = { ...state, port: simulator.port }
    writeState(dataDir, started)
    const config = demoConfig(dataDir, simulator.apiUrl)
    const logFile = join(dataDir, 'demo.log')
    const pipeline = await openPipeline(config, {
      log: { write: line => appendFileSync(logFile, line), terminal: false }
    })
    try {
      return await play({ options, state: started, world, simulator, pipeline })
    } finally {
      await pipeline.close()
    }
  } finally {
    await simulator.close()
  }
}

interface Stage {
  readonly options: DemoOptions
  readonly state: DemoState
  readonly world: World
  readonly simulator: Simulator
  readonly pipeline: Pipeline
}

async function play(stage: Stage): Promise<DemoEnd> {
  const { options, state, world, simulator, pipeline } = stage
  const { clock, config, log } = pipeline
  await log.createTopics(topicSpecs(config))
  const startedAt = clock.monotonic()
  const running = pipeline.start(workerNames)
  const quit = new AbortController()
  const signal = AbortSignal.any([options.signal, quit.signal])
  const shown = { fed: 0 }
  const reporting = reportProgress(stage, running, shown, startedAt, quit.signal)
  let idleAt: number
  try {
    idleAt = await Promise.race([work(stage, shown, signal), failure(running)])
  } catch (error) {
    if (!options.signal.aborted) throw error
    return { kind: 'interrupted', dataDir: config.dataDir }
  } finally {
    quit.abort()
    await reporting
    await running.stop({ deadlineMs: drainMs })
  }
  const seconds = (idleAt - startedAt) / 1000
  options.onProgress?.(await progressOf(stage, running, 'checking', shown.fed, seconds))
  const expected: ExpectedSummary = expectedSummary(world)
  const checks = await checkEndState(world, endStateView(pipeline))
  const report = await buildReport({
    pipeline,
    scenario: state.scenario,
    runs: state.runs,
    seconds,
    stages: stageReports(running, workerNames),
    checks,
    stats: simulator.stats(),
    expected
  })
  writeState(config.dataDir, { ...state, phase: 'completed' })
  return { kind: 'completed', report }
}

/** Feeds what is missing, then waits until all is done; the clock reading when that was so. */
async function work(stage: Stage, shown: { fed: number }, signal: AbortSignal): Promise<number> {
  const { world, pipeline } = stage
  await feedEvents(world, pipeline.log, {
    topic: topics.claimx.raw,
    batch: feedBatch,
    signal,
    onProgress: fed => {
      shown.fed = fed
    }
  })
  signal.throwIfAborted()
  shown.fed = world.eventCount
  return await untilIdle(pipeline, { idleMs, signal })
}

/** Rejects when a worker cannot go on; while workers live it waits. */
async function failure(running: RunningWorkers): Promise<never> {
  await running.finished
  return await new Promise<never>(() => undefined)
}

async function reportProgress(
  stage: Stage,
  running: RunningWorkers,
  shown: { readonly fed: number },
  startedAt: number,
  signal: AbortSignal
): Promise<void> {
  const { onProgress } = stage.options
  const { clock } = stage.pipeline
  if (onProgress === undefined) return
  while (!signal.aborted) {
    const seconds = (clock.monotonic() - startedAt) / 1000
    onProgress(await progressOf(stage, running, 'working', shown.fed, seconds))
    await clock.sleep(progressMs, signal).catch(() => undefined)
  }
}

async function progressOf(
  { pipeline, world }: Stage,
  running: RunningWorkers,
  phase: DemoProgress['phase'],
  fed: number,
  seconds: number
): Promise<DemoProgress> {
  const status = pipeline.api?.status()
  return {
    phase,
    fed,
    events: world.eventCount,
    seconds,
    workers: running.progress(),
    lags: await stageLags(pipeline.log),
    apiCalls: Object.values(status?.requests ?? {}).reduce((total, n) => total + n, 0),
    apiState: status?.state ?? 'ok'
  }
}
