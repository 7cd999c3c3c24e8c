/** Two processes of every worker on one embedded log: they share the work, and one may die. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { untilIdle } from '../../src/app/index.ts'
import { workerNames } from '../../src/topology.ts'
import {
  assertAllOk,
  openWhole,
  testToken,
  type WholePipeline,
  waitUntil
} from '../helpers/whole-pipeline.ts'

const bin = resolve(import.meta.dirname, '../../bin/claims-pipeline.js')

interface Worker {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  lines(message: string): Record<string, unknown>[]
  errors(): string
}

let whole: WholePipeline
let workers: Worker[]
beforeEach(async () => {
  whole = await openWhole({ events: 500, projects: 50 })
  workers = [startProcess(), startProcess()]
})
afterEach(async () => {
  for (const { child } of workers) kill(child)
  await Promise.all(workers.map(({ exit }) => exit))
  await whole.close()
})

function startProcess(): Worker {
  const child = spawn(process.execPath, [bin, 'run'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      CLAIMS_DATA_DIR: whole.directory,
      CLAIMX_API_URL: whole.simulator.apiUrl,
      CLAIMX_API_TOKEN: testToken,
      ALLOWED_ATTACHMENT_DOMAINS: '127.0.0.1,localhost',
      CLAIMS_ALLOW_INSECURE_LOCALHOST: 'true',
      CLAIMS_MIN_FREE_BYTES: '0',
      CLAIMS_BATCH_LINGER_MS: '20',
      RETRY_DELAYS: '0.2,0.4,0.6,0.8',
      DELTA_EVENTS_BATCH_SIZE: '25',
      ENRICHMENT_BATCH_SIZE: '25',
      DOWNLOAD_BATCH_SIZE: '4',
      JSON_LOGS: 'json'
    }
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const exit = new Promise<number | null>(done => child.on('exit', code => done(code)))
  return {
    child,
    exit,
    errors: () => text.slice(-2_000),
    lines: message =>
      text
        .split('\n')
        .filter(line => line.includes(`"message":"${message}"`))
        .map(line => JSON.parse(line) as Record<string, unknown>)
  }
}

/** The launcher and the program that it started. */
function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL')
}

async function bothStarted(): Promise<void> {
  const all = () =>
    workers.every(worker => worker.lines('worker started').length === workerNames.length)
  await waitUntil(all, 'both processes started their workers', 60_000)
}

async function idle(): Promise<void> {
  const signal = AbortSignal.timeout(120_000)
  await untilIdle(whole.pipeline, { idleMs: 300, signal })
}

describe('two processes of every worker on one log', { timeout: 300_000 }, () => {
  it('end in the same state, both did work, and SIGTERM ends them with 0 (D7)', async () => {
    await bothStarted()
    await whole.feed()
    await idle()
    for (const { child } of workers) child.kill('SIGTERM')
    for (const worker of workers) assert.equal(await worker.exit, 0, worker.errors())
    for (const name of ['ingester', 'enricher', 'downloader', 'uploader']) {
      const shares = workers.map(
        worker => worker.lines('workers stopped').find(line => line['worker'] === name)?.['done']
      )
      assert.ok(
        shares.every(share => Number(share) > 0),
        `both worked as ${name}: ${shares.join(' and ')}`
      )
    }
    assertAllOk(await whole.check())
  })

  it('end in the same state when one is killed in the middle (D7, D8)', async () => {
    await bothStarted()
    await whole.feed()
    const started = (await lag()) ?? 0
    await waitUntil(async () => (await lag()) < started, 'some work is done')
    const [first, second] = workers
    assert.ok(first !== undefined && second !== undefined)
    kill(first.child)
    await first.exit
    await idle()
    second.child.kill('SIGTERM')
    assert.equal(await second.exit, 0, second.errors())
    assertAllOk(await whole.check())
  })
})

/** Raw events that wait. */
async function lag(): Promise<number> {
  const parts = await whole.pipeline.log.groupLag('claimx-event-ingester-worker', [
    'claimx.events.raw'
  ])
  return parts.reduce((sum, part) => sum + Number(part.lag), 0)
}
