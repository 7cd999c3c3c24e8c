/**
 * The API client against its two aims: (a) wall time at 20 ms latency against the floor
 * calls × latency / concurrency, beside bare undici in the same run; (b) the rate held against a hidden limit that moves. Prints JSON.
 *
 * node bench/api-client.ts [--calls 2000] [--phase-seconds 25] [--burst-seconds 1] [--skip-rate]
 */
import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { openClaimxHttp } from '../src/adapters/claimx-http/index.ts'
import { systemClock, systemIds } from '../src/adapters/system/index.ts'
import type { ClaimxApi, Logger, Telemetry } from '../src/ports/index.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '2000' },
    'phase-seconds': { type: 'string', default: '25' },
    'burst-seconds': { type: 'string', default: '1' },
    'skip-rate': { type: 'boolean', default: false }
  }
})
const clock = systemClock()
const ids = systemIds()
const concurrency = 20
const latencyMs = 20
const limits = [100, 40, 80]

const log: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const telemetry: Telemetry = { log, metrics: { count() {}, gauge() {}, observe() {} } }

interface Server {
  readonly url: string
  readonly child: ChildProcess
}

const [slow, fast] = await Promise.all([startServer(latencyMs), startServer(0)])
const result = {
  wallTime: await wallTime(slow, Number(values.calls)),
  throughput: await throughput(fast, 10_000),
  ...(values['skip-rate'] ? {} : { hiddenLimit: await hiddenLimit(slow) })
}
console.log(JSON.stringify(result, null, 2))
for (const server of [slow, fast]) server.child.kill()

/** Medians of several rounds, client and bare undici in turn, so that both meet the same machine. */
async function wallTime(server: Server, calls: number) {
  const api = open(server)
  const pool = new Pool(server.url, { connections: concurrency, pipelining: 1, allowH2: false })
  await askAll(api, 500)
  await askBare(pool, 500)
  const rounds = { client: [] as number[], bare: [] as number[] }
  for (let round = 0; round < 5; round += 1) {
    rounds.client.push(await timed(() => askAll(api, calls)))
    rounds.bare.push(await timed(() => askBare(pool, calls)))
  }
  await api.close()
  await pool.close()
  const [ms, bareMs] = [median(rounds.client), median(rounds.bare)]
  const floorMs = (calls * latencyMs) / concurrency
  return {
    calls,
    concurrency,
    latencyMs,
    floorMs,
    ms: round(ms),
    ratio: round(ms / floorMs),
    // The same calls by undici alone: what the machine and the server's own timers cost.
    bareMs: round(bareMs),
    bareRatio: round(bareMs / floorMs),
    ratioToBare: round(ms / bareMs)
  }
}

async function askBare(pool: Pool, calls: number): Promise<void> {
  let sent = 0
  const caller = async () => {
    while (sent < calls) {
      sent += 1
      const { body } = await pool.request({ method: 'GET', path: `/export/project/${sent}` })
      await body.text()
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

async function throughput(server: Server, calls: number) {
  const api = open(server)
  await askAll(api, 1000)
  const ms = await timed(() => askAll(api, calls))
  await api.close()
  return { calls, callsPerSecond: round((calls * 1000) / ms) }
}

async function hiddenLimit(server: Server) {
  const seconds = Number(values['phase-seconds'])
  const phases = limits.map(perSecond => ({ perSecond, seconds }))
  server.child.send({ do: 'limit', phases, burstSeconds: Number(values['burst-seconds']) })
  const api = open(server)
  const stop = new AbortController()
  const callers = Array.from({ length: 40 }, (_, i) => askUntil(api, i + 1, stop.signal))
  await clock.sleep(seconds * limits.length * 1000)
  stop.abort()
  await Promise.all(callers)
  await api.close()
  const report = (await ask(server.child, { do: 'report' })) as Record<
    'accepted' | 'refused',
    number[]
  >
  return {
    phases: phases.map((phase, i) => {
      const from = i * seconds * 1000 + 10_000
      const to = (i + 1) * seconds * 1000
      const inside = report.accepted.filter(at => at >= from && at < to).length
      const held = inside / ((to - from) / 1000)
      return { limit: phase.perSecond, held: round(held), ratio: round(held / phase.perSecond) }
    }),
    calls: report.accepted.length + report.refused.length,
    refused: report.refused.length,
    refusedShare: round(report.refused.length / (report.accepted.length + report.refused.length), 4)
  }
}

async function askUntil(api: ClaimxApi, id: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await api.getProject(String(id), { signal }).catch(() => {})
}

async function askAll(api: ClaimxApi, calls: number): Promise<void> {
  await Promise.all(Array.from({ length: calls }, (_, i) => api.getProject(String(i + 1))))
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

function open(server: Server): ClaimxApi {
  const options = { baseUrl: server.url, token: 'dGVzdA==', maxConcurrent: concurrency }
  return openClaimxHttp(options, { clock, ids, telemetry })
}

async function startServer(latency: number): Promise<Server> {
  const child = fork(new URL('./support/limited-server.ts', import.meta.url), [String(latency)])
  const { port } = (await message(child)) as { port: number }
  return { child, url: `http://127.0.0.1:${port}` }
}

function ask(child: ChildProcess, order: { readonly do: 'report' }): Promise<unknown> {
  child.send(order)
  return message(child)
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise(resolve => child.once('message', resolve))
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}
