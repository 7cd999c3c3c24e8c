/** Whether the program can work here: each thing it needs, tried for real. */
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openDeltaTables } from '../adapters/delta-tables/index.ts'
import { openDuckDb } from '../adapters/duckdb/index.ts'
import { openLocalFiles } from '../adapters/local-files/index.ts'
import { systemClock, systemIds } from '../adapters/system/index.ts'
import { createLogger, createMetrics } from '../adapters/telemetry/index.ts'
import type { Config } from '../config/index.ts'
import { errorCodes, errorText, isPipelineError, type TableDef } from '../core/index.ts'
import type { Clock, Ids, Telemetry } from '../ports/index.ts'
import { embeddedLogPath, logKind, openMessageLog } from './message-log.ts'
import { openApi } from './pipeline.ts'
import { topicDifferences, topicSpecs } from './topic-specs.ts'

export interface Diagnosis {
  readonly name: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly detail: string
  /** What to do; empty when all is well. */
  readonly remedy: string
}

interface Ports {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

interface Finding {
  readonly state?: 'ok' | 'warning'
  readonly detail: string
  readonly remedy?: string
}

const apiTimeoutMs = 15_000
const checkLimitMs = 20_000

/** Runs every check; none stops the others. Leaves nothing behind but the configured directories. */
export async function diagnose(config: Config): Promise<Diagnosis[]> {
  const clock = systemClock()
  const quiet = createLogger(
    { level: 'error', json: true, color: false },
    { clock, write: () => {} }
  )
  const ports: Ports = {
    clock,
    ids: systemIds(),
    telemetry: { log: quiet, metrics: createMetrics() }
  }
  const checks: readonly (readonly [string, () => Promise<Finding>])[] = [
    ['Node', async () => ({ detail: process.version })],
    ['data directory', () => writable(config.dataDir, ports.ids)],
    ['cache directory', () => writable(config.cacheDir, ports.ids)],
    ['free disk', () => freeDisk(config)],
    ['message log', () => messageLog(config, ports)],
    ['tables path', () => putIfAbsent(config, ports)],
    ['Delta and DuckDB', () => tableRoundTrip(config, ports)],
    ['ClaimX API', () => apiAnswers(config, ports)],
    ['clock', async () => clockIsSane(clock)]
  ]
  const results: Diagnosis[] = []
  for (const [name, check] of checks) results.push(await examine(name, check, clock))
  return results
}

async function examine(
  name: string,
  check: () => Promise<Finding>,
  clock: Clock
): Promise<Diagnosis> {
  const done = new AbortController()
  try {
    const {
      state = 'ok',
      detail,
      remedy = ''
    } = await Promise.race([check(), tooLong(clock, done.signal)])
    return { name, state, detail, remedy }
  } catch (error) {
    const remedy = isPipelineError(error)
      ? errorCodes[error.code].remedy
      : 'Check the path, its permissions and the disk.'
    return { name, state: 'failed', detail: errorText(error), remedy }
  } finally {
    done.abort()
  }
}

/** A hung mount or an odd file system must not hang the doctor. */
async function tooLong(clock: Clock, signal: AbortSignal): Promise<never> {
  await clock.sleep(checkLimitMs, signal)
  throw new Error(`no answer within ${checkLimitMs / 1000} seconds`)
}

async function writable(directory: string, ids: Ids): Promise<Finding> {
  await mkdir(directory, { recursive: true })
  const probe = join(directory, `.doctor-${ids.uuid()}`)
  await writeFile(probe, 'probe', { flush: true })
  await rm(probe)
  return { detail: directory }
}

async function freeDisk(config: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(config.dataDir)
  const free = bavail * bsize
  const detail = `${(free / 1e9).toFixed(1)} GB`
  if (free >= config.files.minFreeBytes) return { detail }
  const remedy = 'Free some space, or lower CLAIMS_MIN_FREE_BYTES: downloads wait until then.'
  return { state: 'warning', detail, remedy }
}

async function messageLog(config: Config, ports: Ports): Promise<Finding> {
  const kind = logKind(config)
  const where =
    kind === 'kafka'
      ? `Kafka at ${config.kafka.bootstrapServers.join(',')}`
      : embeddedLogPath(config)
  const log = await openMessageLog(config, { ...ports, log: ports.telemetry.log })
  try {
    const expected = topicSpecs(config)
    const found = await log.describeTopics(expected.map(topic => topic.name))
    const missing = expected.length - found.length
    const remedy = 'Create the topics: claims-pipeline topics create'
    if (found.length === 0) return { state: 'warning', detail: `${where}, no topics yet`, remedy }
    if (missing > 0) {
      return { state: 'warning', detail: `${where}, ${missing} topics are missing`, remedy }
    }
    const differences = topicDifferences(expected, found, config)
    if (differences.length === 0) return { detail: `${where}, ${found.length} topics` }
    return {
      state: 'warning',
      detail: `${where}, ${differences.length} settings of topics differ`,
      remedy: 'See them: claims-pipeline topics describe'
    }
  } finally {
    await log.close()
  }
}

/** The Delta commit rests on it: of two writers of one name, exactly one may win. */
async function putIfAbsent(config: Config, ports: Ports): Promise<Finding> {
  const store = openLocalFiles({ root: config.tablesPath })
  const name = `_doctor-${ports.ids.uuid()}`
  try {
    const bytes = new TextEncoder().encode('probe')
    const answers = await Promise.all(
      [1, 2, 3].map(() => store.put(name, bytes, { ifAbsent: true }))
    )
    const stored = answers.filter(answer => answer === 'stored').length
    if (stored !== 1)
      throw new Error(`${stored} of 3 writers won; this file system cannot hold tables`)
    return { detail: `${config.tablesPath}, put-if-absent works` }
  } finally {
    await store.delete(name)
    await store.close()
  }
}

const probeTable: TableDef = {
  name: 'probe',
  doc: 'Written and read by the doctor.',
  columns: [
    { name: 'id', type: 'string', nullable: false, policy: 'key', doc: 'Key.' },
    { name: 'n', type: 'long', nullable: true, policy: 'replace', doc: 'Value.' }
  ],
  mergeKey: ['id']
}

async function tableRoundTrip(config: Config, ports: Ports): Promise<Finding> {
  const root = join(config.dataDir, `.doctor-${ports.ids.uuid()}`)
  const { memoryLimit, threads } = config.duckdb
  const engine = await openDuckDb({ memoryLimit, threads, temporaryDirectory: join(root, 'tmp') })
  const store = openLocalFiles({ root })
  const tables = openDeltaTables(
    { scratchDirectory: join(root, 'scratch') },
    { ...ports, store, engine }
  )
  try {
    await tables.ensure(probeTable)
    await tables.merge(probeTable, [{ id: 'a', n: 1 }])
    await tables.merge(probeTable, [{ id: 'a', n: 2 }])
    const rows = await tables.read(probeTable)
    if (rows.length !== 1 || Number(rows[0]?.['n']) !== 2) {
      throw new Error('a table that was written is not read back as it was')
    }
    return { detail: 'a table was created, merged and read' }
  } finally {
    await tables.close()
    await store.close()
    await engine.close()
    await rm(root, { recursive: true, force: true })
  }
}

/** Asks for a project that cannot exist: "not found" proves the address and the token. */
async function apiAnswers(config: Config, ports: Ports): Promise<Finding> {
  if (config.api.token === undefined) {
    const remedy = 'Set CLAIMX_API_TOKEN before starting the enricher or the downloader.'
    return { state: 'warning', detail: 'no token is set', remedy }
  }
  const api = openApi(config, ports)
  try {
    await api.getProject('1', { signal: AbortSignal.timeout(apiTimeoutMs) })
    return { detail: `${config.api.url} answers and accepts the token` }
  } catch (error) {
    if (isPipelineError(error) && error.code === 'API_NOT_FOUND') {
      return { detail: `${config.api.url} answers and accepts the token` }
    }
    const { state, answers } = api.status()
    if (state === 'unauthorized') throw new Error(`${config.api.url} refuses the token (401)`)
    const seen = Object.entries(answers).map(([status, count]) => `${count} × ${status}`)
    throw new Error(
      `${config.api.url} gave no good answer (${seen.join(', ') || errorText(error)})`
    )
  } finally {
    await api.close()
  }
}

/** Rows are ordered by this machine's time; a clock before this program existed is surely wrong. */
function clockIsSane(clock: Clock): Finding {
  const now = new Date(clock.now())
  if (now.getTime() > Date.UTC(2026, 0, 1)) return { detail: now.toISOString() }
  return { state: 'warning', detail: now.toISOString(), remedy: 'Set the clock of this machine.' }
}
