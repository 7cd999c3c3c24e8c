import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ApiError, parseInstant } from '../../../../src/core/index.ts'
import { eventLogRow, failureOf } from '../../../../src/domains/claimx/index.ts'

const task = { eventId: 'e', eventType: 'T', projectId: '1', retryCount: 2 }
const processedAt = parseInstant('2026-01-10T23:59:59.5Z') ?? 0n

it('a log row says how an attempt ended, what it cost and which attempt it was', () => {
  const outcome = { status: 'success', processedAt, apiCalls: 2, durationMs: 12.6 } as const
  assert.deepEqual(eventLogRow(task, outcome), {
    event_id: 'e',
    event_type: 'T',
    project_id: '1',
    status: 'success',
    error_message: null,
    error_category: null,
    api_calls: 2,
    duration_ms: 13,
    retry_count: 2,
    processed_at: processedAt,
    processed_date: '2026-01-10'
  })
})

it('a log row of a failure has its class and at most 500 characters of redacted text', () => {
  const url = 'https://h/f?sign=SECRET'
  const failure = failureOf(new ApiError('API_SERVER_ERROR', `${url} ${'x'.repeat(600)}`))
  const row = eventLogRow(task, {
    status: 'failed',
    processedAt,
    apiCalls: 1,
    durationMs: 1,
    failure
  })
  const text = String(row['error_message'])
  assert.equal(row['error_category'], 'transient')
  assert.ok(text.length === 500 && text.endsWith('...') && !text.includes('SECRET'))
})
