import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiError, isoFromMillis } from '../../../src/core/index.ts'
import type { LogRecord } from '../../../src/ports/index.ts'
import {
  deadLetterHeaders,
  RetryRouter,
  retryDueAt,
  retryRecord
} from '../../../src/runtime/index.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

const clock = new FakeClock()
const router = new RetryRouter([300_000, 600_000, 1_200_000, 2_400_000], clock)
const transient = new ApiError('API_SERVER_ERROR', 'the API answered 503')

describe('RetryRouter', () => {
  it('gives four delayed attempts, one a bucket, then the dead letters', () => {
    const routes = [0, 1, 2, 3, 4].map(count => router.route(transient, count))
    assert.deepEqual(
      routes.map(route =>
        route.kind === 'retry' ? [route.suffix, route.delayMs, route.retryCount] : route.reason
      ),
      [
        ['5m', 300_000, 1],
        ['10m', 600_000, 2],
        ['20m', 1_200_000, 3],
        ['40m', 2_400_000, 4],
        'exhausted'
      ]
    )
  })

  it('sends a permanent failure to the dead letters at once', () => {
    const route = router.route(new ApiError('API_NOT_FOUND', 'no such project'), 0)
    assert.deepEqual(route, { kind: 'dead', reason: 'permanent' })
  })

  it('retries what is unknown', () => {
    const unknown = new ApiError('INVARIANT', 'odd', { errorClass: 'unknown' })
    assert.equal(router.route(unknown, 0).kind, 'retry')
  })

  it('never waits less than Retry-After asks for, nor less than the bucket', () => {
    const wait = (retryAfterMs: number) => {
      const route = router.route(new ApiError('API_THROTTLED', '429', { retryAfterMs }), 0)
      return route.kind === 'retry' ? route.dueAt - clock.now() : undefined
    }
    assert.equal(wait(900_000), 900_000)
    assert.equal(wait(1_000), 300_000)
  })

  it('keeps topic suffixes when delays are scaled, and treats fewer delays as fewer attempts', () => {
    const scaled = new RetryRouter([1, 2], clock)
    const first = scaled.route(transient, 0)
    assert.equal(first.kind === 'retry' && first.suffix, '5m')
    assert.deepEqual(scaled.route(transient, 2), { kind: 'dead', reason: 'exhausted' })
    assert.equal(scaled.delayOf('10m'), 2)
    assert.equal(scaled.delayOf('7m'), undefined)
  })

  it('refuses no delays and more delays than there are topics', () => {
    assert.throws(() => new RetryRouter([], clock), /delays/)
    assert.throws(() => new RetryRouter([1, 2, 3, 4, 5], clock), /delays/)
  })
})

describe('records of retries and dead letters', () => {
  it('carry every header of the contract', () => {
    const route = router.route(transient, 1)
    assert.ok(route.kind === 'retry')
    const record = retryRecord(route, {
      base: 'claimx.enrichment',
      target: 'claimx.enrichment.pending',
      domain: 'claimx',
      workerType: 'enrichment_worker',
      key: 'evt',
      value: '{}',
      eventId: 'evt',
      errorClass: 'transient'
    })
    assert.equal(record.topic, 'claimx.enrichment.retry.10m')
    assert.deepEqual(record.headers, {
      event_id: 'evt',
      retry_count: '2',
      scheduled_retry_time: isoFromMillis(clock.now() + 600_000),
      retry_delay_seconds: '600',
      target_topic: 'claimx.enrichment.pending',
      worker_type: 'enrichment_worker',
      original_key: 'evt',
      error_category: 'transient',
      domain: 'claimx'
    })
    assert.deepEqual(deadLetterHeaders('evt', 4, 'transient'), {
      event_id: 'evt',
      retry_count: '4',
      error_category: 'transient',
      failed: 'true'
    })
  })

  it('are due at the header, else at the metadata, else a bucket after they were written', () => {
    const record = (headers: Record<string, string>): LogRecord => ({
      topic: 'claimx.enrichment.retry.5m',
      partition: 0,
      offset: 0n,
      timestamp: 1_000,
      key: null,
      value: null,
      headers
    })
    const header = record({ scheduled_retry_time: '2026-01-15T12:00:00Z' })
    const noon = Date.UTC(2026, 0, 15, 12)
    assert.equal(retryDueAt(header, 300, '2027-01-01T00:00:00Z'), noon)
    assert.equal(retryDueAt(record({}), 300, '2026-01-15T12:00:00Z'), noon)
    assert.equal(retryDueAt(record({ scheduled_retry_time: 'soon' }), 300), 1_300)
    assert.equal(retryDueAt(record({}), 300), 1_300)
  })
})
