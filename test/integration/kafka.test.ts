/** The whole pipeline on Apache Kafka, against the simulator. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { endStateView } from '../../src/app/demo/end-state.ts'
import { openPipeline, type RunningWorkers, totalLag, untilIdle } from '../../src/app/index.ts'
import { COPIED_OFFSET, copyLog } from '../../src/app/log-copy.ts'
import { topicDifferences, topicSpecs } from '../../src/app/topic-specs.ts'
import { loadConfig } from '../../src/config/index.ts'
import { isPipelineError } from '../../src/core/index.ts'
import type { LogRecord, MessageLog } from '../../src/ports/index.ts'
import { checkEndState } from '../../src/simulator/index.ts'
import { allTopics, topics, workerNames } from '../../src/topology.ts'
import { openTempLog } from '../helpers/embedded-log.ts'
import { deleteTopics, startKafka } from '../helpers/kafka.ts'
import { assertAllOk, openWhole, testSettings, waitUntil } from '../helpers/whole-pipeline.ts'

const cluster = await startKafka()
after(() => cluster?.close())

if (cluster !== undefined) {
  const settings = {
    'kafka.bootstrapServers': cluster.bootstrapServers.join(','),
    'topics.partitions': 6
  }

  describe('the pipeline on Kafka', { timeout: 300_000 }, () => {
    it('ends as the simulator says, faults and dead letters included', async () => {
      const whole = await openWhole({
        events: 400,
        projects: 40,
        settings,
        simulator: { faults: 'light' }
      })
      try {
        await whole.feed()
        const running = whole.start()
        await whole.idle(running, 120_000)
        await running.stop({ deadlineMs: 10_000 })
        assertAllOk(await whole.check())
        const described = await whole.pipeline.log.describeTopics(['claimx.events.raw'])
        assert.equal(described[0]?.partitions.length, 6)
        assert.equal(described[0]?.maxMessageBytes, 8 * 1_048_576)
      } finally {
        await whole.close()
        await deleteTopics(cluster, allTopics())
      }
    })

    it('refuses to start workers while topics are missing, and says which', async () => {
      const whole = await openWhole({ events: 1, projects: 1, settings })
      try {
        await deleteTopics(cluster, [topics.claimx.downloads, topics.claimx.enrichmentDlq])
        const running = whole.start(['ingester', 'enricher'])
        await assert.rejects(running.finished, error => {
          assert.ok(isPipelineError(error))
          assert.equal(error.code, 'BROKER_UNKNOWN_TOPIC')
          assert.match(error.message, /claimx\.downloads\.pending/)
          assert.match(error.message, /claimx\.enrichment\.dlq/)
          assert.match(error.message, /topics create/)
          return true
        })
      } finally {
        await deleteTopics(cluster, allTopics())
        await whole.close()
      }
    })

    it('tells how topics differ from the configuration', async () => {
      const whole = await openWhole({ events: 1, projects: 1, settings })
      const { log, config } = whole.pipeline
      try {
        const deleted = [topics.claimx.raw, topics.claimx.results]
        await deleteTopics(cluster, deleted)
        // A broker creates a topic some time after it said so.
        const present = async () => (await log.describeTopics(deleted)).map(({ name }) => name)
        await log.createTopics([{ name: topics.claimx.raw, partitions: 2, retentionMs: 3_600_000 }])
        await waitUntil(async () => (await present()).length === 1, 'one is there again')
        const specs = topicSpecs(config)
        const found = await log.describeTopics(specs.map(spec => spec.name))
        const told = topicDifferences(specs, found, config).map(
          ({ topic, setting, expected, actual }) => `${topic} ${setting} ${actual} not ${expected}`
        )
        assert.deepEqual(told, [
          'claimx.events.raw partitions 2 not 6',
          'claimx.events.raw retention 1 hours not 168 hours',
          'claimx.downloads.results topic missing not there'
        ])
      } finally {
        await deleteTopics(cluster, allTopics())
        await whole.close()
      }
    })

    it('goes on from the embedded log, and back there, without losing or doubling anything', async () => {
      const whole = await openWhole({ events: 300, projects: 30 })
      const { log: embedded, clock } = whole.pipeline
      const moved = await openPipeline(
        loadConfig({
          environment: {},
          overrides: { ...testSettings(whole.directory, whole.simulator.apiUrl), ...settings }
        }),
        { log: { write: () => undefined, terminal: false } }
      )
      const copy = (source: MessageLog, target: MessageLog) =>
        copyLog({ source, target, topics: allTopics(), clock })
      try {
        await whole.feed()
        const first = whole.start()
        await waitUntil(() => done(first) > 60, 'a part of the work is done')
        await assert.rejects(copy(embedded, moved.log), { code: 'BROKER_GROUP_IN_USE' })
        await first.stop({ deadlineMs: 10_000 })
        const left = await totalLag(embedded)
        assert.ok(left > 0n)
        const report = await copy(embedded, moved.log)
        assert.ok(report.positions.length > 0)
        assert.equal(await totalLag(moved.log), left)
        const again = await copy(embedded, moved.log)
        assert.ok(again.partitions.every(part => part.copied === 0))
        await comesBack(moved.log, embedded, copy)
        const running = moved.start(workerNames)
        await untilIdle(moved, { idleMs: 300, signal: AbortSignal.timeout(90_000) })
        await running.stop({ deadlineMs: 10_000 })
        assertAllOk(await checkEndState(whole.world, endStateView(moved)))
      } finally {
        await moved.close()
        await deleteTopics(cluster, allTopics())
        await whole.close()
      }
    })
  })
}

/** Copied back, an empty embedded log holds the same records, and the groups are where they were. */
async function comesBack(
  kafka: MessageLog,
  original: MessageLog,
  copy: (source: MessageLog, target: MessageLog) => Promise<unknown>
): Promise<void> {
  const temp = await openTempLog()
  try {
    await copy(kafka, temp.log)
    assert.equal(await totalLag(temp.log), await totalLag(original))
    for (const { name, partitions } of await original.describeTopics(allTopics())) {
      for (const { partition, earliest } of partitions) {
        const place = { topic: name, partition, offset: earliest }
        const [before, after] = [
          await original.read(place, 10_000),
          await temp.log.read(place, 10_000)
        ]
        assert.deepEqual(after.map(plain), before.map(plain))
      }
    }
  } finally {
    await temp.close()
  }
}

function plain({ key, value, headers, timestamp }: LogRecord): unknown {
  const { [COPIED_OFFSET]: _, ...own } = headers
  return [Buffer.from(key ?? []), Buffer.from(value ?? []), own, timestamp]
}

function done(running: RunningWorkers): number {
  return running.progress().reduce((sum, worker) => sum + worker.done, 0)
}
