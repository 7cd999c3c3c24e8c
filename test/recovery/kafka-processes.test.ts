/** One, two and four processes of every worker on Kafka, while some are added, stopped, stalled and killed. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { untilIdle } from '../../src/app/index.ts'
import { stages, topics, workerNames } from '../../src/topology.ts'
import { startKafka } from '../helpers/kafka.ts'
import { assertAllOk, openWhole, type WholePipeline, waitUntil } from '../helpers/whole-pipeline.ts'
import { killGroup, startWorkers, type WorkerProcess } from '../helpers/worker-process.ts'

const EVENTS = 600
const SESSION_SECONDS = '6'
const STALL_MS = 9000

for (const count of [1, 2, 4]) {
  const cluster = await startKafka()
  after(() => cluster?.close())
  if (cluster === undefined) break
  const servers = cluster.bootstrapServers.join(',')

  describe(`${count} processes of every worker on Kafka`, { timeout: 300_000 }, () => {
    it('end as the simulator says while processes are added, stopped, stalled and killed (D7, D8)', async () => {
      const whole = await openWhole({
        events: EVENTS,
        projects: 60,
        settings: { 'kafka.bootstrapServers': servers, 'topics.partitions': 6 }
      })
      const started: WorkerProcess[] = []
      const start = (): WorkerProcess => {
        const worker = startWorkers(whole, {
          KAFKA_BOOTSTRAP_SERVERS: servers,
          KAFKA_SESSION_TIMEOUT_SECONDS: SESSION_SECONDS
        })
        started.push(worker)
        return worker
      }
      try {
        const first = Array.from({ length: count }, start)
        await waitUntil(() => first.every(isReady), 'all processes started their workers', 90_000)
        await whole.feed()
        await whenDone(whole, 0.1)
        const added = start()
        await whenDone(whole, 0.25)
        const [killed, stopped] = [first[0], first[1]]
        assert.ok(killed !== undefined)
        killGroup(killed.child)
        if (stopped !== undefined) {
          stopped.child.kill('SIGTERM')
          assert.equal(await stopped.exit, 0, stopped.errors())
        }
        start()
        // Longer than its session: others get its partitions, and its late commits and rows must do no harm.
        stall(added, 'SIGSTOP')
        await pause(STALL_MS)
        stall(added, 'SIGCONT')
        await untilIdle(whole.pipeline, { idleMs: 500, signal: AbortSignal.timeout(150_000) })
        for (const worker of started) worker.child.kill('SIGTERM')
        for (const worker of started) {
          if (worker === killed || worker === stopped) continue
          assert.equal(await worker.exit, 0, worker.errors())
        }
        assert.ok(isReady(added), 'the process that was added took part')
        assertAllOk(await whole.check())
      } finally {
        for (const { child } of started) killGroup(child)
        await Promise.all(started.map(({ exit }) => exit))
        await whole.close()
      }
    })
  })
}

/** The launcher and the program that it started. */
function stall({ child }: WorkerProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal)
}

function isReady(worker: WorkerProcess): boolean {
  return worker.lines('worker started').length === workerNames.length
}

/** Waits until this part of the raw events has been committed. */
async function whenDone({ pipeline }: WholePipeline, part: number): Promise<void> {
  await waitUntil(
    async () => {
      const { group } = stages.ingester
      const lags = await pipeline.log.groupLag(group, [topics.claimx.raw])
      const left = lags.reduce((sum, one) => sum + Number(one.lag), 0)
      return left <= EVENTS * (1 - part)
    },
    `${part * 100} % of the events`,
    90_000
  )
}
