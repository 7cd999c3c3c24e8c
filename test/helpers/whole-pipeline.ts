/** The whole pipeline on real adapters against the simulator, in a directory of its own. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endStateView } from '../../src/app/demo/end-state.ts'
import {
  openPipeline,
  type Pipeline,
  type RunningWorkers,
  topicSpecs,
  untilIdle
} from '../../src/app/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import type { LogRecord } from '../../src/ports/index.ts'
import {
  type Check,
  checkEndState,
  createWorld,
  feedEvents,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
  type World,
  type WorldOptions
} from '../../src/simulator/index.ts'
import { topics, type WorkerName, workerNames } from '../../src/topology.ts'

export const testToken = Buffer.from('test:test').toString('base64')

export interface WholeOptions extends Omit<Partial<WorldOptions>, 'seed'> {
  readonly seed?: number
  readonly simulator?: Partial<SimulatorOptions>
  /** Settings by their place, over those for tests. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Address of the API in place of the simulator's, given the simulator's. */
  readonly apiUrl?: (simulatorUrl: string) => string
}

export interface WholePipeline {
  readonly directory: string
  readonly world: World
  readonly simulator: Simulator
  readonly pipeline: Pipeline
  start(workers?: readonly WorkerName[], count?: number): RunningWorkers
  /** Writes the world's events, or those below `until`, that the topic does not hold yet. */
  feed(): Promise<void>
  /** Until everything is drained, or one of the workers fails. */
  idle(running: RunningWorkers, timeoutMs?: number): Promise<void>
  check(): Promise<Check[]>
  close(): Promise<void>
}

/** What a test of the whole sets, for a configuration of its own: minutes pass in fractions of a second. */
export function testSettings(directory: string, apiUrl: string): Record<string, unknown> {
  return {
    dataDir: directory,
    'api.url': apiUrl,
    'api.token': testToken,
    'api.timeoutSeconds': 5,
    'api.breakerOpenSeconds': 0.3,
    'api.authTrialSeconds': 0.2,
    'retry.delaysSeconds': [0.2, 0.4, 0.6, 0.8],
    'files.allowedDomains': ['127.0.0.1', 'localhost'],
    'files.allowInsecureLocalhost': true,
    'files.minFreeBytes': 0,
    'batch.lingerMs': 20,
    'log.level': 'warn',
    'log.format': 'json'
  }
}

export async function openWhole(options: WholeOptions = {}): Promise<WholePipeline> {
  const { simulator: server, settings, apiUrl, ...sizes } = options
  const directory = await mkdtemp(join(tmpdir(), 'whole-pipeline-'))
  const world = createWorld({ seed: 7, projects: 20, events: 200, mediaScale: 0.02, ...sizes })
  const simulator = await startSimulator({
    world,
    port: 0,
    token: testToken,
    faults: 'none',
    slowMs: [100, 300],
    ...server
  })
  const url = apiUrl?.(simulator.apiUrl) ?? simulator.apiUrl
  const config = loadConfig({
    environment: {},
    overrides: { ...testSettings(directory, url), ...settings }
  })
  const pipeline = await openPipeline(config, { log: { write: () => undefined, terminal: false } })
  await pipeline.log.createTopics(topicSpecs(config))
  return {
    directory,
    world,
    simulator,
    pipeline,
    start: (workers = workerNames, count = 1) => pipeline.start(workers, { count }),
    async feed() {
      await feedEvents(world, pipeline.log, { topic: topics.claimx.raw, batch: 100 })
    },
    async idle(running, timeoutMs = 60_000) {
      const stop = new AbortController()
      const idle = untilIdle(pipeline, { idleMs: 150, signal: stop.signal })
      const timer = setTimeout(() => stop.abort(new Error('not idle in time')), timeoutMs)
      try {
        await Promise.race([idle, running.finished.then(() => assert.fail('a worker stopped'))])
      } finally {
        clearTimeout(timer)
        stop.abort()
        idle.catch(() => undefined)
      }
    },
    check: () => checkEndState(world, endStateView(pipeline)),
    async close() {
      await pipeline.close()
      await simulator.close()
      await rm(directory, { recursive: true, force: true })
    }
  }
}

/** Fails with the details of every check that differs. */
export function assertAllOk(checks: readonly Check[]): void {
  const wrong = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
  assert.ok(checks.length > 10, 'the check looked at everything')
  assert.deepEqual(wrong, [])
}

/** Every record of a topic. */
export async function recordsOf({ log }: Pipeline, topic: string): Promise<LogRecord[]> {
  const [description] = await log.describeTopics([topic])
  const records: LogRecord[] = []
  for (const { partition, earliest } of description?.partitions ?? []) {
    records.push(...(await log.read({ topic, partition, offset: earliest }, 10_000)))
  }
  return records
}

export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `${what} within ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
