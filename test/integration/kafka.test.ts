/** The whole pipeline on Apache Kafka, against the simulator. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { startKafka } from '../helpers/kafka.ts'
import { assertAllOk, openWhole } from '../helpers/whole-pipeline.ts'

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
      }
    })
  })
}
