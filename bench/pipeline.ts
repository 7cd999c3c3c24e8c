/**
 * Each stage by itself on a full backlog: events per second, API calls against the floor, and the wall
 * time of the enrichment against `calls × latency / concurrency`. The simulator runs in a process of
 * its own. Usage: node bench/pipeline.ts [--events N] [--projects N] [--latency MS] [--runs N] [--tables]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { demoConfig, demoToken } from '../src/app/demo/demo-options.ts'
import { keepHeapSmall, topicSpecs, totalLag, untilIdle } from '../src/app/index.ts'
import { openPipeline } from '../src/app/pipeline.ts'
import type { Pipeline } from '../src/app/pipeline-types.ts'
import { createWorld, expectedSummary, feedEvents, type World } from '../src/simulator/index.ts'
import { topics, type WorkerName } from '../src/topology.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    projects: { type: 'string', default: '2000' },
    latency: { type: 'string', default: '20' },
    runs: { type: 'string', default: '3' },
    tables: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const scenario = { seed: 1, events: Number(values.events), projects: Number(values.projects) }
const latencyMs = Number(values.latency)

interface StageResult {
  readonly records: number
  readonly seconds: number
  readonly perSecond: number
}

interface RunResult {
  readonly stages: Readonly<Record<string, StageResult>>
  readonly apiCalls: number
  /** Each distinct thing once a batch. */
  readonly batchFloor: number
  /** Each distinct thing once in the whole run. */
  readonly runFloor: number
  readonly oneByOne: number
  readonly wallSeconds: number
  readonly floorSeconds: number
  readonly peakRssMb: number
}

async function main(): Promise<void> {
  keepHeapSmall()
  const world = createWorld(scenario)
  const results: RunResult[] = []
  for (let run = 0; run < Number(values.runs); run += 1) results.push(await oneRun(world))
  if (values.json) console.log(JSON.stringify({ scenario, latencyMs, results }, null, 2))
  else print(results)
}

async function oneRun(world: World): Promise<RunResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-pipeline-'))
  const simulator = await startSimulatorProcess()
  const pipeline = await openPipeline(demoConfig(dataDir, simulator.apiUrl), {
    log: { write: () => {}, terminal: false }
  })
  try {
    return await measure(pipeline, world)
  } finally {
    await pipeline.close()
    simulator.process.kill('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function measure(pipeline: Pipeline, world: World): Promise<RunResult> {
  await pipeline.log.createTopics(topicSpecs(pipeline.config))
  await feedEvents(world, pipeline.log, { topic: topics.claimx.raw, batch: 1000 })
  const stages: Record<string, StageResult> = {
    ingester: await stage(pipeline, ['ingester']),
    enricher: await stage(pipeline, ['enricher'])
  }
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((a, b) => a + b, 0)
  const apiCalls = sum(pipeline.api?.status().requests ?? {})
  const batchFloor = pipeline.metrics.total('claimx_api_calls_floor_total')
  stages['downloader + uploader'] = await stage(pipeline, ['downloader', 'uploader'])
  stages['result processor'] = await stage(pipeline, ['result-processor'])
  const summary = expectedSummary(world)
  if (values.tables) printTables(pipeline)
  return {
    stages,
    apiCalls,
    batchFloor,
    runFloor: summary.distinctApiCalls,
    oneByOne: summary.naiveApiCalls,
    wallSeconds: stages['enricher']?.seconds ?? 0,
    floorSeconds: (apiCalls * latencyMs) / 1000 / pipeline.config.api.maxConcurrent,
    peakRssMb: process.resourceUsage().maxRSS / 1024
  }
}

async function stage(pipeline: Pipeline, workers: readonly WorkerName[]): Promise<StageResult> {
  const records = Number(await totalLag(pipeline.log, workers))
  const startedAt = pipeline.clock.monotonic()
  const running = pipeline.start(workers)
  const never = new AbortController().signal
  const idleAt = await Promise.race([
    untilIdle(pipeline, { workers, idleMs: 100, pollMs: 20, signal: never }),
    running.finished.then(() => Promise.reject(new Error('the workers stopped')))
  ])
  await running.stop({ deadlineMs: 10_000 })
  const seconds = (idleAt - startedAt) / 1000
  return { records, seconds, perSecond: records / seconds }
}

async function startSimulatorProcess(): Promise<{ apiUrl: string; process: ChildProcess }> {
  const script = fileURLToPath(new URL('./support/simulator-process.ts', import.meta.url))
  const args = Object.entries({ ...scenario, latency: latencyMs, token: demoToken }).map(
    ([name, value]) => `--${name}=${value}`
  )
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { ...(JSON.parse(line) as { apiUrl: string }), process: child }
}

/** Where the time of the table writes goes. */
function printTables({ metrics }: Pipeline): void {
  for (const { name, labels, value } of metrics.snapshot()) {
    if (name !== 'delta_write_duration_seconds' || typeof value === 'number') continue
    const mean = ((value.sum / value.count) * 1000).toFixed(0)
    console.log(`${String(labels['table']).padEnd(28)} ${value.count} merges, ${mean} ms each`)
  }
}

function print(results: readonly RunResult[]): void {
  const names = Object.keys(results[0]?.stages ?? {})
  for (const name of names) {
    const rates = results.map(result => result.stages[name]?.perSecond ?? 0)
    console.log(`${name.padEnd(24)} ${spread(rates, 0)} records/s`)
  }
  const calls = results.map(result => (result.apiCalls * 1000) / scenario.events)
  console.log(`API calls per 1,000 events  ${spread(calls, 1)}`)
  console.log(
    `  over once per batch       ${spread(
      results.map(r => r.apiCalls / r.batchFloor),
      3
    )}`
  )
  console.log(
    `  over once per run         ${spread(
      results.map(r => r.apiCalls / r.runFloor),
      3
    )}`
  )
  console.log(
    `  of one by one             ${spread(
      results.map(r => r.apiCalls / r.oneByOne),
      3
    )}`
  )
  console.log(
    `enrichment wall over floor  ${spread(
      results.map(r => r.wallSeconds / r.floorSeconds),
      2
    )}` + ` (latency ${latencyMs} ms)`
  )
  console.log(
    `peak resident               ${spread(
      results.map(r => r.peakRssMb),
      0
    )} MB`
  )
}

function spread(samples: readonly number[], digits: number): string {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (index: number) => (sorted[index] ?? 0).toFixed(digits)
  return `${at(sorted.length >> 1)} (${at(0)} to ${at(sorted.length - 1)})`
}

await main()
