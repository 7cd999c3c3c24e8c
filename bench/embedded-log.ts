/**
 * Throughput of the embedded log: durable produce (batched, single) and consume, in one and in two
 * processes, and the longest time that the event loop was held.
 * `node bench/embedded-log.ts [--records N] [--bytes N]` prints lines for people on stderr and one
 * JSON document on stdout.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openEmbeddedLog } from '../src/adapters/embedded-log/index.ts'
import { systemClock, systemIds } from '../src/adapters/system/index.ts'
import type { MessageLog } from '../src/ports/index.ts'

interface Result {
  readonly scenario: string
  readonly records: number
  readonly seconds: number
  readonly recordsPerSecond: number
  readonly maxEventLoopDelayMs: number
}

interface Job {
  readonly path: string
  readonly records: number
  readonly bytes: number
  readonly mode: 'batched' | 'single' | 'consume'
}

const topic = 'bench'
const partitions = 4
const batchSize = 500
const concurrentSingles = 64

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '50000' },
    bytes: { type: 'string', default: '1000' },
    child: { type: 'string' }
  }
})

if (values.child === undefined) await main()
else await child(JSON.parse(values.child) as Job)

async function main(): Promise<void> {
  const records = Number(values.records)
  const bytes = Number(values.bytes)
  const results: Result[] = []
  for (const processes of [1, 2]) {
    for (const mode of ['batched', 'single'] as const) {
      await withFile(async path => {
        const share = Math.ceil(records / (mode === 'single' ? 5 : 1) / processes)
        results.push(
          await measure(`produce ${mode}`, processes, { path, records: share, bytes, mode })
        )
        if (mode === 'single') return
        const job = { path, records: share, bytes, mode: 'consume' } as const
        results.push(await measure('consume and commit', processes, job))
      })
    }
  }
  const node = process.version
  const document = { bench: 'embedded-log', node, cpus: cpus().length, bytes, results }
  process.stdout.write(`${JSON.stringify(document)}\n`)
}

/** Runs the job in so many processes at once; they start together, when all are ready. */
async function measure(what: string, processes: number, job: Job): Promise<Result> {
  const children = Array.from({ length: processes }, () => {
    const args = [fileURLToPath(import.meta.url), '--child', JSON.stringify(job)]
    return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  })
  await Promise.all(children.map(one => once(one.stdout, 'data')))
  const start = performance.now()
  const answers = children.map(async one => {
    const answer = once(one.stdout, 'data')
    one.stdin.end('go')
    const [data] = (await answer) as [Buffer]
    return Number(data.toString())
  })
  const delays = await Promise.all(answers)
  const seconds = (performance.now() - start) / 1_000
  await Promise.all(children.map(one => (one.exitCode === null ? once(one, 'exit') : undefined)))
  const records = job.records * processes
  const result = {
    scenario: `${what}, ${processes} process${processes > 1 ? 'es' : ''}`,
    records,
    seconds,
    recordsPerSecond: Math.round(records / seconds),
    maxEventLoopDelayMs: Math.max(...delays)
  }
  process.stderr.write(
    `${result.scenario}: ${result.recordsPerSecond} records/s ` +
      `(longest event loop delay ${result.maxEventLoopDelayMs.toFixed(1)} ms)\n`
  )
  return result
}

async function child(job: Job): Promise<void> {
  const log = await openEmbeddedLog({ path: job.path }, { clock: systemClock(), ids: systemIds() })
  await log.createTopics([{ name: topic, partitions }])
  process.stdout.write('ready')
  await once(process.stdin, 'data')
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  if (job.mode === 'consume') await consume(log)
  else await produce(log, job)
  delay.disable()
  process.stdout.write(String(delay.max / 1e6))
  await log.close()
}

async function produce(log: MessageLog, job: Job): Promise<void> {
  const producer = await log.producer()
  const value = randomBytes(job.bytes)
  const size = job.mode === 'batched' ? batchSize : 1
  let left = job.records
  const sender = async () => {
    while (left > 0) {
      const count = Math.min(size, left)
      left -= count
      await producer.send(Array.from({ length: count }, () => ({ topic, value })))
    }
  }
  const senders = job.mode === 'batched' ? 2 : concurrentSingles
  await Promise.all(Array.from({ length: senders }, sender))
}

/** Reads until the group has committed everything. */
async function consume(log: MessageLog): Promise<void> {
  const consumer = await log.consumer({ groupId: 'bench', topics: [topic] })
  for (;;) {
    const { generation, records } = await consumer.poll({ maxRecords: 1_000, timeoutMs: 50 })
    if (records.length === 0) {
      const lag = await log.groupLag('bench', [topic])
      if (lag.every(one => one.lag === 0n)) return
      continue
    }
    const next = new Map(records.map(one => [one.partition, one.offset + 1n]))
    const offsets = [...next].map(([partition, offset]) => ({ topic, partition, offset }))
    // A rebalance at the start, when the second process joins: the records come again.
    await consumer.commit(generation, offsets).catch(() => undefined)
  }
}

async function withFile(body: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-embedded-log-'))
  try {
    await body(join(directory, 'log.db'))
  } finally {
    await rm(directory, { recursive: true })
  }
}
