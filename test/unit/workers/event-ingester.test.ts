import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { DeltaError } from '../../../src/core/index.ts'
import { type ClaimxEvent, decodeEnrichmentTask } from '../../../src/domains/claimx/index.ts'
import type { StageSpec } from '../../../src/runtime/index.ts'
import { topics } from '../../../src/topology.ts'
import { eventIngester } from '../../../src/workers/index.ts'
import { bytes, rawEvent } from '../../helpers/claimx-fixtures.ts'
import {
  deliver,
  json,
  kinds,
  process,
  produced,
  recordOf,
  rowsOf
} from '../../helpers/deliveries.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'

let stage: StageSpec<ClaimxEvent>
beforeEach(() => {
  const ports = { clock: new FakeClock(), ids: fakeIds(), telemetry: recordTelemetry() }
  stage = eventIngester(
    { batchRecords: 10, batchBytes: 1e6, maxRecordBytes: 1e6, lingerMs: 0 },
    ports
  )
})

const event = (id: string, fields = {}): string =>
  JSON.stringify(rawEvent({ event_id: id, ...fields }))

describe('event ingester', () => {
  it('makes of each event one row and one task with the event id as its key', async () => {
    const result = await process(stage, [event('a'), event('b', { event_type: 'SOMETHING_NEW' })])
    assert.deepEqual(
      rowsOf(result, 'claimx_events').map(row => row['event_id']),
      ['a', 'b']
    )
    const records = produced(result, topics.claimx.enrichment)
    assert.deepEqual(
      records.map(({ key, headers }) => [key, headers?.['event_id']]),
      [
        ['a', 'a'],
        ['b', 'b']
      ]
    )
    const task = decodeEnrichmentTask(bytes(records[0]?.value))
    assert.equal(task.mediaId, '87654321')
    assert.equal(task.retryCount, 0)
  })

  it('makes of a repeated event in a batch one row and one task', async () => {
    const result = await process(stage, [event('a'), event('a'), event('b')])
    assert.deepEqual(kinds(result.outcomes), ['done', 'done', 'done'])
    assert.equal(rowsOf(result, 'claimx_events').length, 2)
    assert.equal(produced(result).length, 2)
  })

  it('keeps the bytes of what cannot be parsed, also when they are not text', () => {
    for (const value of ['{"event_id"', '[]', 'null', '{"event_type": "X"}', '']) {
      assert.throws(() => stage.decode(recordOf(topics.claimx.raw, value)), {
        code: 'MESSAGE_INVALID'
      })
    }
    const odd = recordOf(topics.claimx.raw, Uint8Array.of(0xff, 0x00), { partition: 2, offset: 9n })
    const error = new DeltaError('DELTA_SCHEMA_MISMATCH', 'x')
    const letter = stage.undecodable(odd, error)
    assert.equal(letter.topic, topics.claimx.eventsDlq)
    const body = json(letter)
    assert.equal(body['original_value'], Buffer.from([0xff, 0x00]).toString('base64'))
    assert.deepEqual([body['original_partition'], body['original_offset']], [2, 9])
    assert.equal(letter.headers?.['dlq_source_topic'], topics.claimx.raw)
  })

  it('never makes a dead letter that the log does not take', () => {
    const error = new DeltaError('DELTA_SCHEMA_MISMATCH', 'x')
    const value = new Uint8Array(990_000).fill(0xff)
    const key = new Uint8Array(900_000).fill(0xff)
    for (const record of [{ key: null }, { key: value.subarray(0, 100) }, { key }]) {
      const letter = stage.undecodable(recordOf(topics.claimx.raw, value, record), error)
      const size = (part: unknown): number => Buffer.byteLength(part as string | Uint8Array)
      const headers = JSON.stringify(letter.headers)
      assert.ok(size(letter.value) + size(letter.key ?? '') + size(headers) <= 1e6)
      assert.equal(json(letter)['original_value_truncated'], true)
      assert.equal(letter.key, record.key === key ? null : record.key)
    }
  })

  it('refuses an event whose ids are so long that its task might not fit', () => {
    const long = event('a'.repeat(70_000))
    assert.throws(() => stage.decode(recordOf(topics.claimx.raw, long)), {
      code: 'MESSAGE_INVALID',
      message: /event_id is not at most 65536 characters long/
    })
  })

  it('ends an event that its table refuses as a dead letter with its bytes', () => {
    const [delivery] = deliver(stage, event('a'))
    assert.ok(delivery !== undefined)
    const result = stage.failed(delivery, new DeltaError('DELTA_SCHEMA_MISMATCH', 'no column'))
    assert.deepEqual(kinds(result.outcomes), ['dead'])
    const [letter] = produced(result, topics.claimx.eventsDlq)
    assert.equal(json(letter)['original_value'], event('a'))
  })
})
