import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPipelineError, MessageError, parseInstant } from '../../../../src/core/index.ts'
import type { DownloadTask, EnrichmentTask } from '../../../../src/domains/claimx/index.ts'
import * as domain from '../../../../src/domains/claimx/index.ts'
import { bytes, LINK, rawEvent } from '../../../helpers/claimx-fixtures.ts'

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .map(value => value.trim().toWellFormed())
  .filter(value => value !== '')
const nullable = fc.option(text)
const instant = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n })
const counter = fc.nat()
const metadata = fc.option(
  fc.record(
    {
      lastError: text,
      errorCategory: fc.constantFrom('transient', 'permanent', 'auth', 'unknown'),
      retryAt: instant,
      urlRefreshedAt: instant,
      originalUrl: text,
      replayedFromDlq: fc.constant(true),
      dlqPartition: counter,
      dlqOffset: fc.nat().map(String)
    },
    { requiredKeys: [], noNullPrototype: true }
  )
)
const enrichmentTask: fc.Arbitrary<EnrichmentTask> = fc.record(
  {
    eventId: text,
    eventType: text,
    projectId: text,
    retryCount: counter,
    createdAt: instant,
    mediaId: nullable,
    taskAssignmentId: nullable,
    videoCollaborationId: nullable,
    masterFileName: nullable,
    eventTime: fc.option(instant),
    metadata
  },
  { noNullPrototype: true }
)
const downloadTask: fc.Arbitrary<DownloadTask> = fc.record(
  {
    mediaId: text,
    projectId: text,
    downloadUrl: text,
    blobPath: text,
    fileType: fc.oneof(text, fc.constant('')),
    fileName: fc.oneof(text, fc.constant('')),
    sourceEventId: fc.oneof(text, fc.constant('')),
    retryCount: counter,
    expiresAt: fc.option(instant),
    refreshCount: counter,
    metadata
  },
  { noNullPrototype: true }
)
const file = { localCachePath: '/c/f', bytes: 3, sha256: 'ab', contentType: 'image/jpeg' }
const download: DownloadTask = {
  mediaId: '2',
  projectId: '1',
  downloadUrl: LINK,
  blobPath: '1/media/2_roof.jpg',
  fileType: 'jpg',
  fileName: 'roof.jpg',
  sourceEventId: 'e',
  retryCount: 1,
  expiresAt: 5n,
  refreshCount: 1,
  metadata: null
}
const enrichment = domain.enrichmentTaskOf(
  domain.parseRawEvent(bytes(rawEvent({ master_file_name: 'M', video_collaboration_id: 9 }))),
  7n
)

function same<T>(value: T, encode: (value: T) => string, decode: (value: Uint8Array) => T): void {
  assert.deepEqual(decode(bytes(encode(value))), value)
  assert.equal(encode(decode(bytes(encode(value)))), encode(value))
}

describe('messages between workers', () => {
  it('are the same after encoding and decoding', () => {
    fc.assert(
      fc.property(enrichmentTask, instant, text, (task, now, error) => {
        const failure = { message: error, category: 'transient' }
        same(task, domain.encodeEnrichmentTask, domain.decodeEnrichmentTask)
        same(
          domain.failedEnrichmentOf(task, domain.failureOf(new Error(error)), now),
          domain.encodeFailedEnrichment,
          domain.decodeFailedEnrichment
        )
        same(
          domain.withEnrichmentFailure(task, { ...failure, message: 'm' }, now),
          domain.encodeEnrichmentTask,
          domain.decodeEnrichmentTask
        )
      })
    )
    fc.assert(
      fc.property(downloadTask, instant, counter, (task, now, size) => {
        same(task, domain.encodeDownloadTask, domain.decodeDownloadTask)
        const cached = domain.cachedDownloadOf(task, { ...file, bytes: size }, now)
        same(cached, domain.encodeCachedDownload, domain.decodeCachedDownload)
        const result = domain.uploadResultOf(cached, { status: 'completed', bytes: size }, now)
        same(result, domain.encodeUploadResult, domain.decodeUploadResult)
        const failed = domain.failedDownloadOf(task, { message: 'm', category: 'auth' }, now, true)
        same(
          { ...failed, downloadUrl: domain.withoutQuery(failed.downloadUrl) || 'x' },
          domain.encodeFailedDownload,
          domain.decodeFailedDownload
        )
      })
    )
  })

  it('have the field names of the contract on the wire', () => {
    const cached = domain.cachedDownloadOf(download, file, 1n)
    const names = (json: string) => Object.keys(JSON.parse(json)).sort().join(' ')
    const cases: [string, string][] = [
      [
        domain.encodeEnrichmentTask(enrichment),
        'created_at event_id event_time event_type master_file_name media_id metadata project_id retry_count task_assignment_id video_collaboration_id'
      ],
      [
        domain.encodeDownloadTask(download),
        'blob_path download_url expires_at file_name file_type media_id metadata project_id refresh_count retry_count source_event_id'
      ],
      [
        domain.encodeCachedDownload(cached),
        'bytes_downloaded content_type destination_path download_url downloaded_at file_name file_type local_cache_path media_id project_id refresh_count retry_count sha256 source_event_id'
      ],
      [
        domain.encodeUploadResult(
          domain.uploadResultOf(cached, { status: 'failed', bytes: 0 }, 1n)
        ),
        'blob_path bytes_uploaded content_type created_at download_url error_message file_name file_type media_id project_id sha256 source_event_id status'
      ],
      [
        domain.encodeFailedEnrichment(
          domain.failedEnrichmentOf(enrichment, { message: 'm', category: 'auth' }, 1n)
        ),
        'error_category event_id event_type failed_at final_error original_task project_id retry_count'
      ],
      [
        domain.encodeFailedDownload(
          domain.failedDownloadOf(download, { message: 'm', category: 'auth' }, 1n, false)
        ),
        'blob_path download_url error_category failed_at final_error media_id original_task project_id retry_count url_refresh_attempted'
      ]
    ]
    for (const [json, expected] of cases) assert.equal(names(json), expected)
  })

  it('accept the minimal forms and the names of other producers', () => {
    const task = domain.decodeEnrichmentTask(
      bytes({ trace_id: 'e', event_type: 'T', project_id: 5, created_at: '2026-01-01T00:00:00' })
    )
    assert.deepEqual([task.eventId, task.projectId, task.retryCount], ['e', '5', 0])
    assert.deepEqual([task.mediaId, task.eventTime, task.metadata], [null, null, null])
    const wire = { media_id: 1, project_id: 2, download_url: 'u', blob_path: 'p', trace_id: 'e' }
    const download = domain.decodeDownloadTask(bytes({ ...wire, file_name: null, file_type: null }))
    assert.deepEqual([download.fileName, download.fileType, download.sourceEventId], ['', '', 'e'])
  })

  it('are refused with the name of the field that is wrong', () => {
    const cached = JSON.parse(
      domain.encodeCachedDownload(domain.cachedDownloadOf(download, file, 1n))
    )
    const result = { ...cached, blob_path: 'p', created_at: cached.downloaded_at }
    const cases: [() => unknown, RegExp][] = [
      [() => domain.decodeEnrichmentTask(null), /no value/],
      [() => domain.decodeEnrichmentTask(bytes({ event_id: 'e' })), /event_type is missing/],
      [() => domain.decodeDownloadTask(bytes({ media_id: ' ' })), /media_id is missing or blank/],
      [() => domain.decodeCachedDownload(bytes({ ...cached, retry_count: -1 })), /retry_count/],
      [
        () => domain.decodeCachedDownload(bytes({ ...cached, bytes_downloaded: 1.5 })),
        /bytes_down/
      ],
      [
        () => domain.decodeCachedDownload(bytes({ ...cached, downloaded_at: 'x' })),
        /downloaded_at/
      ],
      [() => domain.decodeUploadResult(bytes({ ...result, status: 'done' })), /status is none of/],
      [() => domain.decodeFailedEnrichment(bytes({ event_id: 'e' })), /original_task is missing/],
      [
        () => domain.decodeFailedDownload(bytes({ original_task: 'x' })),
        /original_task is not an obj/
      ]
    ]
    for (const [decode, reason] of cases) {
      assert.throws(decode, error => {
        assert.ok(isPipelineError(error) && error.code === 'MESSAGE_INVALID')
        assert.match(error.message, reason)
        return true
      })
    }
  })

  it('of stored dead letters take what they lack from the original task', () => {
    const task = domain.withDownloadFailure(
      download,
      { message: 'gone', category: 'transient' },
      9n
    )
    const wire = JSON.parse(
      domain.encodeFailedDownload(
        domain.failedDownloadOf(task, { message: 'm', category: 'transient' }, 1n, true)
      )
    )
    delete wire.blob_path
    delete wire.final_error
    wire.url_refresh_attempted = 'True'
    const failed = domain.decodeFailedDownload(bytes(wire))
    assert.equal(failed.blobPath, download.blobPath)
    assert.equal(failed.finalError, 'gone')
    assert.equal(failed.urlRefreshAttempted, true)
  })
})

describe('a failed attempt', () => {
  it('leaves one attempt more, why, until when, and the URL without its secret', () => {
    const error = new MessageError('EVENT_INVALID', `bad ${LINK}`)
    const next = domain.withDownloadFailure(download, domain.failureOf(error), 9n)
    assert.equal(next.retryCount, 2)
    assert.equal(next.metadata?.errorCategory, 'permanent')
    assert.equal(next.metadata?.retryAt, 9n)
    assert.equal(next.metadata?.originalUrl, LINK.slice(0, LINK.indexOf('?')))
    assert.ok(!next.metadata?.lastError?.includes('SECRET'))
    assert.equal(next.downloadUrl, LINK)
  })

  it('never has a blank text, nor more than 500 characters', () => {
    assert.equal(domain.failureOf(new Error('')).message, 'unknown error')
    assert.equal(domain.failureOf('x'.repeat(501)).message.length, 500)
    assert.equal(domain.failureOf(new Error('x')).category, 'unknown')
  })
})

describe('a renewed link', () => {
  it('replaces the old one, which is remembered without its query', () => {
    const fresh = { downloadUrl: 'https://h/new?sign=N', expiresAt: 8n }
    const task = domain.withFreshUrl(download, fresh, 7n)
    assert.deepEqual(
      [task.downloadUrl, task.expiresAt, task.refreshCount],
      [fresh.downloadUrl, 8n, 2]
    )
    assert.equal(task.metadata?.urlRefreshedAt, 7n)
    assert.ok(!task.metadata?.originalUrl?.includes('SECRET'))
  })

  it('is asked for again when a cache file is missing: the download task comes back', () => {
    const cached = domain.cachedDownloadOf(download, file, 1n)
    const again = domain.downloadTaskOfCached(cached)
    assert.deepEqual(again, { ...download, expiresAt: parseInstant('2026-01-01T01:00:00Z') })
  })
})

describe('a dead letter of an unreadable record', () => {
  const context = {
    consumerGroup: 'g',
    workerId: 'w1',
    workerName: 'w',
    domain: 'claimx',
    nowMs: 1500,
    maxBytes: 1_000_000
  }
  const record = {
    topic: 't',
    partition: 1,
    offset: 2n ** 60n,
    timestamp: 3,
    key: null,
    headers: { a: 'b' }
  }
  const error = new MessageError('MESSAGE_INVALID', 'why')

  it('gives back exactly the bytes that came', () => {
    fc.assert(
      fc.property(fc.option(fc.uint8Array({ maxLength: 40 })), fc.boolean(), (value, bom) => {
        const given = value !== null && bom ? new Uint8Array([0xef, 0xbb, 0xbf, ...value]) : value
        const wire = JSON.parse(
          domain.deadLetterEnvelope({ ...record, value: given }, error, context)
        )
        const { original_value: kept, original_value_encoding: encoding } = wire
        if (given === null) return assert.deepEqual([kept, encoding], [null, null])
        const back = Buffer.from(kept, encoding === 'base64' ? 'base64' : 'utf8')
        assert.deepEqual(new Uint8Array(back), given)
      })
    )
  })

  it('says where the record was, why it failed and who says so', () => {
    const value = new Uint8Array([0xff])
    const json = domain.deadLetterEnvelope({ ...record, value }, error, context)
    assert.match(json, /"original_offset":1152921504606846976,/)
    const { original_offset: _, ...rest } = JSON.parse(json)
    assert.deepEqual(rest, {
      original_topic: 't',
      original_partition: 1,
      original_key: null,
      original_key_encoding: null,
      original_value: '/w==',
      original_value_encoding: 'base64',
      original_headers: { a: 'b' },
      original_timestamp: 3,
      error_type: 'MESSAGE_INVALID',
      error_message: 'why',
      error_category: 'permanent',
      consumer_group: 'g',
      worker_id: 'w1',
      domain: 'claimx',
      worker_name: 'w',
      dlq_timestamp: 1.5
    })
  })
  it('keeps what still fits whole, and of more than that the first part, hash and length', () => {
    const bytes = (size: number): Uint8Array => Buffer.alloc(size, '{"event_id": "1", ')
    const envelope = (value: Uint8Array, parts = {}): [string, Record<string, unknown>] => {
      const json = domain.deadLetterEnvelope({ ...record, value, ...parts }, error, context)
      return [json, JSON.parse(json)]
    }
    const [, whole] = envelope(bytes(700_000))
    assert.equal(whole['original_value_truncated'], undefined)
    assert.ok(Buffer.from(String(whole['original_value']), 'utf8').equals(bytes(700_000)))

    for (const value of [bytes(900_000), Buffer.alloc(16 << 20, 0xff), Buffer.alloc(999_999, 1)]) {
      const key = value.subarray(0, 500_000)
      const headers = { a: 'b'.repeat(100_000) }
      const [json, cut] = envelope(value, { key, headers })
      assert.ok(Buffer.byteLength(json) <= context.maxBytes, `${Buffer.byteLength(json)} bytes`)
      assert.equal(cut['original_value_truncated'], true)
      assert.equal(cut['original_value_bytes'], value.length)
      assert.equal(cut['original_value_sha256'], sha256(value))
      const encoding = cut['original_value_encoding'] === 'base64' ? 'base64' : 'utf8'
      const kept = Buffer.from(String(cut['original_value']), encoding)
      assert.ok(kept.length >= 10_000 && kept.equals(value.subarray(0, kept.length)))
      assert.equal(cut['original_key_sha256'], sha256(key))
      assert.deepEqual([cut['original_headers'], cut['original_headers_truncated']], [{}, true])
      assert.deepEqual([cut['original_topic'], cut['original_partition']], ['t', 1])
      assert.match(json, /"original_offset":1152921504606846976,/)
    }
  })
})

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
