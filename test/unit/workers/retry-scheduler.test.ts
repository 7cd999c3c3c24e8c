import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isoFromMillis, isPipelineError } from '../../../src/core/index.ts'
import type { LogRecord, ProducerRecord } from '../../../src/ports/index.ts'
import { RetryRouter } from '../../../src/runtime/index.ts'
import { retryTopics, topics } from '../../../src/topology.ts'
import { retryScheduler } from '../../../src/workers/index.ts'
import { json, recordOf } from '../../helpers/deliveries.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'

const clock = new FakeClock()
const router = new RetryRouter([300_000, 600_000, 1_200_000, 2_400_000], clock)
const stage = retryScheduler(
  { batchRecords: 10, batchBytes: 1e6, maxRecordBytes: 1e6, lingerMs: 0 },
  { router, clock, ids: fakeIds(), telemetry: recordTelemetry() }
)
const headers = (topic: string) => ({
  event_id: 'evt',
  retry_count: '4',
  original_key: 'evt',
  scheduled_retry_time: isoFromMillis(clock.now() + 5_000),
  target_topic: topic
})

async function redelivered(record: LogRecord): Promise<ProducerRecord | undefined> {
  const signal = new AbortController().signal
  const result = await stage.process([{ record, message: stage.decode(record) }], signal)
  return result.outcomes[0]?.records[0]
}

/** The dead letter that a record becomes. */
function refused(record: LogRecord): ProducerRecord {
  try {
    stage.decode(record)
  } catch (error) {
    assert.ok(isPipelineError(error))
    return stage.undecodable(record, error)
  }
  return assert.fail('the record was accepted')
}

describe('retry scheduler', () => {
  it('returns a record with its bytes unchanged to the topic that it came from', async () => {
    const odd = Uint8Array.of(0x7b, 0xff, 0x7d)
    for (const [base, target] of [
      ['claimx.enrichment', topics.claimx.enrichment],
      ['claimx.downloads', topics.claimx.downloads]
    ] as const) {
      for (const topic of retryTopics(base)) {
        const record = await redelivered(recordOf(topic, odd, { headers: headers(target) }))
        assert.equal(record?.topic, target)
        assert.deepEqual(record?.value, odd)
        assert.equal(record?.key, 'evt')
        assert.deepEqual(record?.headers, {
          event_id: 'evt',
          retry_count: '4',
          redelivered_from: topic
        })
      }
    }
  })

  it('lets the last attempt run: it never decides that a message is exhausted', async () => {
    const last = recordOf('claimx.enrichment.retry.40m', '{}', {
      headers: { ...headers(topics.claimx.enrichment), retry_count: '4' }
    })
    assert.equal((await redelivered(last))?.topic, topics.claimx.enrichment)
  })

  it('waits until the header says, else the metadata, else a bucket after the record', () => {
    const topic = 'claimx.enrichment.retry.10m'
    const due = (record: LogRecord) => stage.notBefore?.(record)
    const withHeader = recordOf(topic, '{}', { headers: headers(topics.claimx.enrichment) })
    assert.equal(due(withHeader), clock.now() + 5_000)
    const retryAt = isoFromMillis(clock.now() + 7_000)
    const body = JSON.stringify({ metadata: { retry_at: retryAt } })
    assert.equal(due(recordOf(topic, body)), clock.now() + 7_000)
    assert.equal(due(recordOf(topic, '{}', { timestamp: 1_000 })), 601_000)
    assert.equal(due(recordOf(topic, null, { timestamp: 1_000 })), 601_000)
  })

  for (const [name, parts] of [
    ['no target', {}],
    ['an unknown target', { target_topic: 'somewhere.else' }],
    ['the target of the other path', { target_topic: topics.claimx.downloads }],
    ['a dead-letter topic as target', { target_topic: topics.claimx.enrichmentDlq }]
  ] as const) {
    it(`sends a record with ${name} to the dead letters, with reason and place`, () => {
      const record = recordOf('claimx.enrichment.retry.5m', '{"a":1}', {
        headers: parts,
        partition: 3,
        offset: 8n
      })
      const letter = refused(record)
      assert.equal(letter.topic, topics.claimx.enrichmentDlq)
      assert.match(letter.headers?.['dlq_reason'] ?? '', /target_topic/)
      assert.equal(letter.headers?.['original_topic'], 'claimx.enrichment.retry.5m')
      assert.equal(letter.headers?.['original_partition'], '3')
      assert.equal(letter.headers?.['original_offset'], '8')
      assert.equal(json(letter)['original_value'], '{"a":1}')
    })
  }

  it('sends records of the download path to the dead letters of downloads', () => {
    assert.equal(
      refused(recordOf('claimx.downloads.retry.5m', '{}')).topic,
      topics.claimx.downloadsDlq
    )
  })
})
