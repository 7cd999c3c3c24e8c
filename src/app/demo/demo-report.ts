/** The report of a demo: the fields of design.md section 5, and what explains them. */
import { type HistogramValue, quantile } from '../../adapters/telemetry/index.ts'
import { claimxTables } from '../../domains/claimx/index.ts'
import type { Check, ExpectedSummary, SimulatorStats } from '../../simulator/index.ts'
import type { WorkerName } from '../../topology.ts'
import type { Pipeline, RunningWorkers } from '../pipeline-types.ts'
import type { DemoScenario } from './demo-options.ts'
import { deadLetterCounts } from './end-state.ts'

export interface StageReport {
  readonly worker: string
  readonly received: number
  readonly done: number
  readonly skipped: number
  readonly retried: number
  readonly dead: number
  readonly batches: number
  /** Seconds with at least one batch in flight. */
  readonly busySeconds: number
}

export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Times in seconds, sizes in bytes. Counters cover this run; a resumed demo did part before it. */
export interface DemoReport {
  readonly ok: boolean
  readonly events: number
  /** From the first event fed until the last effect was committed. */
  readonly seconds: number
  readonly eventsPerSecond: number
  /** Requests to the ClaimX API, in-process retries and link renewals included. */
  readonly apiCalls: number
  /** Each distinct thing asked for once per batch. */
  readonly apiCallsFloor: number
  readonly peakRssBytes: number
  /** Rows per table. */
  readonly tables: Readonly<Record<string, number>>
  readonly files: number
  readonly bytes: number
  readonly deadLetters: number
  readonly checks: readonly Check[]
  readonly scenario: DemoScenario
  readonly resumed: boolean
  readonly runs: number
  readonly dataDir: string
  readonly deadLettersByTopic: Readonly<Record<string, number>>
  /** Calls when every distinct event is handled alone. */
  readonly naiveApiCalls: number
  /** Calls when every distinct thing is asked for once in the whole run. */
  readonly distinctApiCalls: number
  readonly callsByEndpoint: Readonly<Record<string, number>>
  readonly answers: Readonly<Record<string, number>>
  readonly faultsInjected: Readonly<Record<string, number>>
  readonly stages: readonly StageReport[]
  readonly latencies: Readonly<Record<'apiCall', Latency>>
  readonly expected: ExpectedSummary
  readonly cpuSeconds: number
}

export interface ReportParts {
  readonly pipeline: Pipeline
  readonly scenario: DemoScenario
  readonly runs: number
  readonly seconds: number
  readonly stages: readonly StageReport[]
  readonly checks: readonly Check[]
  readonly stats: SimulatorStats
  readonly expected: ExpectedSummary
}

export async function buildReport(parts: ReportParts): Promise<DemoReport> {
  const { pipeline, scenario, seconds, checks, stats, expected } = parts
  const { metrics, config } = pipeline
  const stored = await storedFiles(pipeline)
  const dead = await deadLetterCounts(pipeline)
  const usage = process.resourceUsage()
  return {
    ok: checks.every(check => check.ok),
    events: expected.deliveries,
    seconds: rounded(seconds),
    eventsPerSecond: rounded(seconds > 0 ? expected.deliveries / seconds : 0),
    apiCalls: sum(Object.values(pipeline.api?.status().requests ?? {})),
    apiCallsFloor: metrics.total('claimx_api_calls_floor_total'),
    peakRssBytes: usage.maxRSS * 1024,
    tables: await rowCounts(pipeline),
    files: stored.files,
    bytes: stored.bytes,
    deadLetters: sum(Object.values(dead)),
    checks,
    scenario,
    resumed: parts.runs > 1,
    runs: parts.runs,
    dataDir: config.dataDir,
    deadLettersByTopic: dead,
    naiveApiCalls: expected.naiveApiCalls,
    distinctApiCalls: expected.distinctApiCalls,
    callsByEndpoint: stats.requests,
    answers: stats.answers,
    faultsInjected: stats.faults,
    stages: parts.stages,
    latencies: { apiCall: latency(pipeline, 'claimx_api_request_duration_seconds') },
    expected,
    cpuSeconds: rounded((usage.userCPUTime + usage.systemCPUTime) / 1e6)
  }
}

/** Sums the instances of each worker. */
export function stageReports(
  running: RunningWorkers,
  workers: readonly WorkerName[]
): StageReport[] {
  const progress = running.progress()
  return workers.map(worker => {
    const own = progress.filter(item => item.worker === worker)
    const total = (field: Exclude<keyof StageReport, 'worker'>): number =>
      sum(own.map(item => item[field]))
    return {
      worker,
      received: total('received'),
      done: total('done'),
      skipped: total('skipped'),
      retried: total('retried'),
      dead: total('dead'),
      batches: total('batches'),
      busySeconds: rounded(total('busySeconds'))
    }
  })
}

async function rowCounts({ tables }: Pipeline): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of Object.values(claimxTables)) {
    const key = table.mergeKey[0]
    const rows = await tables.read(table, key === undefined ? {} : { columns: [key] })
    counts[table.name] = rows.length
  }
  return counts
}

async function storedFiles({ files }: Pipeline): Promise<{ files: number; bytes: number }> {
  let count = 0
  let bytes = 0
  for await (const { size } of files.list('')) {
    count += 1
    bytes += size
  }
  return { files: count, bytes }
}

/** All label combinations of a histogram taken together. */
function latency({ metrics }: Pipeline, name: string): Latency {
  let merged: HistogramValue | undefined
  for (const series of metrics.snapshot()) {
    if (series.name !== name || series.kind !== 'histogram') continue
    merged = merged === undefined ? series.value : mergeHistograms(merged, series.value)
  }
  if (merged === undefined) return { count: 0, p50: 0, p95: 0, p99: 0, max: 0 }
  const value = merged
  const at = (q: number): number => rounded(quantile(value, q), 4)
  return {
    count: value.count,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: rounded(value.max, 4)
  }
}

function mergeHistograms(a: HistogramValue, b: HistogramValue): HistogramValue {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    buckets: a.buckets.map(
      ([bound, n], index) => [bound, n + (b.buckets[index]?.[1] ?? 0)] as const
    )
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits))
}
