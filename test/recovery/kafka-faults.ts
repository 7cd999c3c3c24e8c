/** What becomes of a running pipeline when brokers of a cluster of three die, pause, restart or cannot be reached. */
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type RunningWorkers, totalLag, untilIdle } from '../../src/app/index.ts'
import { allTopics } from '../../src/topology.ts'
import { deleteTopics, type KafkaCluster, startKafka } from '../helpers/kafka.ts'
import { assertAllOk, openWhole, waitUntil } from '../helpers/whole-pipeline.ts'

const EVENTS = 500

const FAULTS: Readonly<Record<string, (cluster: KafkaCluster) => Promise<void>>> = {
  'a broker is killed and started again': async ({ brokers: [first] }) => {
    first?.kill()
    await first?.ended
    await pause(3000)
    await first?.start()
  },
  'all brokers are restarted one after the other': async ({ brokers }) => {
    for (const broker of brokers) {
      await broker.stop()
      await broker.start()
    }
  },
  'a broker hangs for 30 seconds': async ({ brokers: [, second] }) => {
    second?.signal('SIGSTOP')
    await pause(30_000)
    second?.signal('SIGCONT')
  },
  'no broker can be reached for 10 seconds': async ({ proxies }) => {
    for (const proxy of proxies) proxy.cut()
    await pause(10_000)
    for (const proxy of proxies) proxy.mend()
  }
}

const cluster = await startKafka({ brokers: 3, proxied: true })
after(() => cluster?.close())

if (cluster !== undefined) {
  describe('a pipeline on three brokers loses and doubles nothing when', {
    timeout: 600_000
  }, () => {
    for (const [name, fault] of Object.entries(FAULTS)) {
      it(name, async t => {
        const whole = await openWhole({
          events: EVENTS,
          projects: 50,
          seed: name.length,
          settings: {
            'kafka.bootstrapServers': cluster.bootstrapServers.join(','),
            'kafka.sessionTimeoutSeconds': 6,
            'kafka.replicationFactor': 3,
            'kafka.minInsyncReplicas': 2,
            'topics.partitions': 3,
            'batch.ingest': 5,
            'batch.enrich': 5,
            'batch.download': 4
          }
        })
        const running = whole.start()
        try {
          const feeding = whole.feed()
          await waitUntil(() => done(running) > EVENTS / 10, 'some work is done', 60_000)
          const watch = watchProgress(running)
          await fault(cluster)
          const healed = done(running)
          const since = Date.now()
          await feeding
          await waitUntil(
            async () => done(running) > healed || (await totalLag(whole.pipeline.log)) === 0n,
            'the work goes on after the fault',
            90_000
          )
          const resumed = Date.now() - since
          await untilIdle(whole.pipeline, { idleMs: 500, signal: AbortSignal.timeout(150_000) })
          t.diagnostic(
            `work went on ${resumed} ms after the fault was over; the longest standstill was ${watch.stop()} ms`
          )
          await running.stop({ deadlineMs: 10_000 })
          assertAllOk(await whole.check())
        } finally {
          await running.stop({ deadlineMs: 1000 })
          await whole.close()
          await deleteTopics(cluster, allTopics())
        }
      })
    }
  })
}

function done(running: RunningWorkers): number {
  return running.progress().reduce((sum, worker) => sum + worker.done, 0)
}

/** The longest time in which nothing was done. */
function watchProgress(running: RunningWorkers): { stop(): number } {
  let last = { done: done(running), at: Date.now() }
  let longest = 0
  const timer = setInterval(() => {
    const now = { done: done(running), at: Date.now() }
    longest = Math.max(longest, now.at - last.at)
    if (now.done !== last.done) last = now
  }, 20)
  return {
    stop: () => {
      clearInterval(timer)
      return longest
    }
  }
}
