/**
 * The event ingester on Apache Kafka beside a bare consumer that parses JSON and a bare producer, both of the same
 * client library, in one run; then how the enrichment scales over processes. Everything runs on this machine: the
 * broker, the simulator, the workers.
 * `npm run bench -- kafka [--events 50000] [--runs 3] [--compression lz4] [--part ingest,codecs,scaling]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Consumer, compatibilityPartitioner, ProduceAcks, Producer } from '@platformatic/kafka'
import { demoConfig, demoToken } from '../src/app/demo/demo-options.ts'
import { keepHeapSmall, topicSpecs, totalLag, untilIdle } from '../src/app/index.ts'
import { openPipeline } from '../src/app/pipeline.ts'
import type { Pipeline } from '../src/app/pipeline-types.ts'
import { loadConfig } from '../src/config/index.ts'
import { createWorld, feedEvents } from '../src/simulator/index.ts'
import { topics } from '../src/topology.ts'
import { type KafkaCluster, startKafka } from '../test/helpers/kafka.ts'
import { startWorkers, type WorkerProcess } from '../test/helpers/worker-process.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '50000' },
    runs: { type: 'string', default: '3' },
    compression: { type: 'string', default: 'lz4' },
    latency: { type: 'string', default: '50' },
    part: { type: 'string', default: 'ingest,codecs,scaling' }
  }
})
const events = Number(values.events)
const runs = Number(values.runs)
const parts = new Set(values.part.split(','))
const PARTITIONS = 6
const BATCH = 1000

const cluster = await mustStart()
const world = createWorld({ seed: 1, events, projects: Math.max(10, Math.floor(events / 10)) })
try {
  if (parts.has('ingest')) await ingest()
  if (parts.has('codecs')) await codecs()
  if (parts.has('scaling')) await scaling()
} finally {
  await cluster.close()
}

async function ingest(): Promise<void> {
  const rows: { consume: number; produce: number; ingest: number; ratio: number }[] = []
  for (let run = 0; run < runs; run++) {
    await withPipeline('none', async pipeline => {
      await feedEvents(world, pipeline.log, { topic: topics.claimx.raw, batch: BATCH })
      const consume = await bareConsumer()
      const produce = await bareProducer(pipeline, values.compression)
      const seconds = await drained(pipeline)
      const together = 1 / (1 / consume + 1 / produce)
      const rate = events / seconds
      rows.push({ consume, produce, ingest: rate, ratio: rate / together })
    })
  }
  console.log(`bare consumer and JSON.parse  ${spread(rows.map(row => row.consume))} events/s`)
  console.log(`bare producer (acks all)      ${spread(rows.map(row => row.produce))} records/s`)
  console.log(`event ingester                ${spread(rows.map(row => row.ingest))} events/s`)
  console.log(
    `ingester over both together   ${spread(
      rows.map(row => row.ratio),
      2
    )}`
  )
}

/** Every raw event, read and parsed. */
async function bareConsumer(): Promise<number> {
  const consumer = new Consumer({
    clientId: 'bare',
    groupId: `bare-${performance.now()}`,
    bootstrapBrokers: cluster.bootstrapServers,
    autocommit: false
  })
  const started = performance.now()
  const stream = await consumer.consume({ topics: [topics.claimx.raw], mode: 'earliest' })
  let seen = 0
  for await (const message of stream) {
    JSON.parse(message.value.toString())
    if (++seen === events) break
  }
  const rate = (seen * 1000) / (performance.now() - started)
  await stream.close()
  await consumer.close()
  return rate
}

/** As many records as there are events, of the bytes of the events, in batches like the ingester's. */
async function bareProducer(pipeline: Pipeline, compression: string): Promise<number> {
  const topic = `bare.${performance.now()}`
  await pipeline.log.createTopics([{ name: topic, partitions: PARTITIONS }])
  const producer = new Producer({
    clientId: 'bare',
    bootstrapBrokers: cluster.bootstrapServers,
    idempotent: true,
    acks: ProduceAcks.ALL,
    compression: compression as 'lz4',
    partitioner: compatibilityPartitioner
  })
  const started = performance.now()
  for (let at = 0; at < events; at += BATCH) {
    const count = Math.min(BATCH, events - at)
    const messages = Array.from({ length: count }, (_, i) => {
      const { key, value } = world.event(at + i)
      return { topic, key: Buffer.from(key ?? ''), value: Buffer.from(value) }
    })
    await producer.send({ messages })
  }
  const rate = (events * 1000) / (performance.now() - started)
  await producer.close()
  return rate
}

/** Seconds until the ingester has committed every event: the table written, the tasks acknowledged. */
async function drained(pipeline: Pipeline): Promise<number> {
  const started = pipeline.clock.monotonic()
  const running = pipeline.start(['ingester'])
  const signal = new AbortController().signal
  const idleAt = await untilIdle(pipeline, {
    workers: ['ingester'],
    idleMs: 50,
    pollMs: 20,
    signal
  })
  await running.stop({ deadlineMs: 10_000 })
  return (idleAt - started) / 1000
}

/** What each codec costs to produce, and how large its batches are. */
async function codecs(): Promise<void> {
  for (const compression of ['none', 'lz4', 'zstd', 'snappy', 'gzip']) {
    const rates: number[] = []
    await withPipeline(compression, async pipeline => {
      for (let run = 0; run < runs; run++) rates.push(await ownProducer(pipeline))
    })
    console.log(`our producer, ${compression.padEnd(7)} ${spread(rates)} records/s`)
  }
}

async function ownProducer(pipeline: Pipeline): Promise<number> {
  const topic = `own.${performance.now()}`
  await pipeline.log.createTopics([{ name: topic, partitions: PARTITIONS }])
  const producer = await pipeline.log.producer()
  const started = performance.now()
  for (let at = 0; at < events; at += BATCH) {
    const count = Math.min(BATCH, events - at)
    const records = Array.from({ length: count }, (_, i) => ({ topic, ...world.event(at + i) }))
    await producer.send(records)
  }
  const rate = (events * 1000) / (performance.now() - started)
  await producer.close()
  return rate
}

/** One, two and four processes of the enrichment on a full backlog, the API answering after `--latency`. */
async function scaling(): Promise<void> {
  for (const processes of [1, 2, 4]) {
    const rates: number[] = []
    for (let run = 0; run < runs; run++) {
      await withPipeline(values.compression, async (pipeline, simulator) => {
        const some = createWorld({ seed: 1, events: Math.min(events, 20_000), projects: 2000 })
        await feedEvents(some, pipeline.log, { topic: topics.claimx.raw, batch: BATCH })
        await drained(pipeline)
        rates.push(await enriched(pipeline, simulator, processes))
      })
    }
    console.log(`enrichment, ${processes} processes  ${spread(rates)} events/s`)
  }
}

async function enriched(
  pipeline: Pipeline,
  simulator: { apiUrl: string },
  processes: number
): Promise<number> {
  const backlog = Number(await totalLag(pipeline.log, ['enricher']))
  const place = { directory: pipeline.config.dataDir, simulator } as unknown as Parameters<
    typeof startWorkers
  >[0]
  const settings = {
    KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers.join(','),
    ENRICHMENT_BATCH_SIZE: '1000'
  }
  const started = pipeline.clock.monotonic()
  const workers: WorkerProcess[] = Array.from({ length: processes }, () =>
    startWorkers(place, settings, ['claimx-enricher'])
  )
  const signal = new AbortController().signal
  const idleAt = await untilIdle(pipeline, {
    workers: ['enricher'],
    idleMs: 100,
    pollMs: 50,
    signal
  })
  for (const { child } of workers) child.kill('SIGTERM')
  await Promise.all(workers.map(worker => worker.exit))
  return (backlog * 1000) / (idleAt - started)
}

async function withPipeline(
  compression: string,
  use: (pipeline: Pipeline, simulator: { apiUrl: string }) => Promise<void>
): Promise<void> {
  keepHeapSmall()
  const dataDir = await mkdtemp(join(tmpdir(), 'bench-kafka-'))
  const simulator = await startSimulatorProcess()
  const base = demoConfig(dataDir, simulator.apiUrl)
  const config = loadConfig({
    environment: {},
    overrides: {
      dataDir,
      'api.url': simulator.apiUrl,
      'api.token': demoToken,
      'files.allowInsecureLocalhost': true,
      'files.allowedDomains': base.files.allowedDomains,
      'kafka.bootstrapServers': cluster.bootstrapServers.join(','),
      'kafka.compression': compression,
      'topics.partitions': PARTITIONS
    }
  })
  const pipeline = await openPipeline(config, { log: { write: () => {}, terminal: false } })
  try {
    await emptied(pipeline)
    await pipeline.log.createTopics(topicSpecs(config))
    await use(pipeline, simulator)
  } finally {
    await pipeline.close()
    simulator.process.kill('SIGTERM')
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Topics of an earlier run. */
async function emptied(pipeline: Pipeline): Promise<void> {
  const { Admin } = await import('@platformatic/kafka')
  const names = (await pipeline.log.describeTopics()).map(topic => topic.name)
  if (names.length === 0) return
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: cluster.bootstrapServers })
  await admin.deleteTopics({ topics: names })
  await admin.close()
}

async function startSimulatorProcess(): Promise<{ apiUrl: string; process: ChildProcess }> {
  const script = fileURLToPath(new URL('./support/simulator-process.ts', import.meta.url))
  const scenario = { events, projects: Math.max(10, Math.floor(events / 10)), seed: 1 }
  const args = Object.entries({ ...scenario, latency: values.latency, token: demoToken }).map(
    ([name, value]) => `--${name}=${value}`
  )
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { ...(JSON.parse(line) as { apiUrl: string }), process: child }
}

async function mustStart(): Promise<KafkaCluster> {
  const started = await startKafka()
  if (started === undefined) throw new Error('Kafka cannot be started here')
  return started
}

function spread(samples: readonly number[], digits = 0): string {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (index: number): string => (sorted[index] ?? 0).toFixed(digits)
  return `${at(sorted.length >> 1)} (${at(0)} to ${at(sorted.length - 1)})`
}
