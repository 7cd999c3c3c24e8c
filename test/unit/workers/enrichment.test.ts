import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import {
  claimxTables,
  decodeFailedEnrichment,
  type EnrichmentTask,
  encodeEnrichmentTask
} from '../../../src/domains/claimx/index.ts'
import { RetryRouter, type StageSpec } from '../../../src/runtime/index.ts'
import { topics } from '../../../src/topology.ts'
import { enrichmentWorker } from '../../../src/workers/index.ts'
import { bytes, mediaItem } from '../../helpers/claimx-fixtures.ts'
import { json, kinds, process, produced, recordOf, rowsOf } from '../../helpers/deliveries.ts'
import { FakeClaimx, notFound, serverError } from '../../helpers/fake-claimx.ts'
import { FakeClock, fakeIds, settle } from '../../helpers/fake-clock.ts'
import { MemoryTables } from '../../helpers/memory-tables.ts'
import { type RecordedTelemetry, recordTelemetry } from '../../helpers/recorded-telemetry.ts'

let clock: FakeClock
let api: FakeClaimx
let tables: MemoryTables
let telemetry: RecordedTelemetry
let stage: StageSpec<EnrichmentTask>

beforeEach(() => {
  clock = new FakeClock()
  api = new FakeClaimx(clock)
  tables = new MemoryTables()
  telemetry = recordTelemetry()
  const router = new RetryRouter([300_000, 600_000, 1_200_000, 2_400_000], clock)
  const ports = { api, tables, router, clock, ids: fakeIds(), telemetry }
  stage = enrichmentWorker(
    { batchRecords: 100, batchBytes: 1e6, maxRecordBytes: 1e6, lingerMs: 0 },
    ports
  )
})

function task(eventId: string, parts: Partial<EnrichmentTask> = {}): string {
  return encodeEnrichmentTask({
    eventId,
    eventType: 'PROJECT_FILE_ADDED',
    projectId: '7',
    retryCount: 0,
    createdAt: 1_767_600_000_000_000n,
    mediaId: null,
    taskAssignmentId: null,
    videoCollaborationId: null,
    masterFileName: null,
    eventTime: null,
    metadata: null,
    ...parts
  })
}

const media = (eventId: string, projectId: string, mediaId: string): string =>
  task(eventId, { projectId, mediaId })

async function haveProject(...ids: string[]): Promise<void> {
  const rows = ids.map(id => ({ project_id: id }))
  await tables.merge(claimxTables.claimx_projects, rows)
}

describe('enrichment: media', () => {
  it('asks once per project for a batch of mixed projects, and gives each its own media', async () => {
    await haveProject('7', '8')
    const result = await process(stage, [
      media('a', '7', '1'),
      media('b', '8', '2'),
      media('c', '7', '3')
    ])
    assert.deepEqual(api.calls.sort(), ['media 7 [1,3]', 'media 8 [2]'])
    assert.deepEqual(
      rowsOf(result, 'claimx_attachment_metadata').map(row => [row['project_id'], row['media_id']]),
      [
        ['7', '1'],
        ['8', '2'],
        ['7', '3']
      ]
    )
    assert.deepEqual(kinds(result.outcomes), ['done', 'done', 'done'])
    assert.deepEqual(
      produced(result, topics.claimx.downloads).map(({ key }) => key),
      ['1', '2', '3']
    )
  })

  it('asks once for duplicates in a batch, brings the file once, logs every event', async () => {
    await haveProject('7')
    const result = await process(stage, [
      media('a', '7', '1'),
      media('a', '7', '1'),
      media('b', '7', '1')
    ])
    assert.deepEqual(api.calls, ['media 7 [1]'])
    assert.equal(produced(result, topics.claimx.downloads).length, 1)
    assert.deepEqual(
      rowsOf(result, 'claimx_event_log').map(row => row['event_id']),
      ['a', 'a', 'b']
    )
  })

  it('fails only the event whose media the API does not list; project rows are kept', async () => {
    api.media.set('7', [mediaItem(2), mediaItem(1)])
    const result = await process(stage, [media('a', '7', '9'), media('b', '7', '1')])
    assert.deepEqual(kinds(result.outcomes), ['dead', 'done'])
    assert.equal(rowsOf(result, 'claimx_projects').length, 1)
    const letter = decodeFailedEnrichment(
      bytes(produced(result, topics.claimx.enrichmentDlq)[0]?.value)
    )
    assert.match(letter.finalError, /Media 9 not found/)
  })
})

describe('enrichment: pre-flight', () => {
  it('fetches a project that has no row, once, and writes it before its children', async () => {
    const result = await process(stage, [
      media('a', '7', '1'),
      task('b', { eventType: 'POLICYHOLDER_INVITED' })
    ])
    assert.deepEqual(api.calls.sort(), ['media 7 [1]', 'project 7'])
    const order = result.writes.map(({ table }) => table.name)
    assert.ok(order.indexOf('claimx_projects') < order.indexOf('claimx_attachment_metadata'))
    assert.equal(order.at(-1), 'claimx_event_log')
  })

  it('writes contacts before their project: the project row says that nothing is missing', async () => {
    const result = await process(stage, [media('a', '7', '1')])
    const order = result.writes.map(({ table }) => table.name)
    assert.ok(order.indexOf('claimx_contacts') < order.indexOf('claimx_projects'), order.join())
  })

  it('does not ask for a project that has a row', async () => {
    await haveProject('7')
    await process(stage, [task('a', { eventType: 'POLICYHOLDER_JOINED' })])
    assert.deepEqual(api.calls, [])
  })

  it('fails only the events of a project that the API does not know', async () => {
    api.failures.set('project 8', notFound())
    const result = await process(stage, [media('a', '7', '1'), media('b', '8', '2')])
    assert.deepEqual(kinds(result.outcomes), ['done', 'dead'])
    assert.deepEqual(
      rowsOf(result, 'claimx_event_log').map(row => row['status']),
      ['success', 'failed_permanent']
    )
    assert.deepEqual(
      rowsOf(result, 'claimx_attachment_metadata').map(row => row['media_id']),
      ['1']
    )
  })

  it('sends only the events of a project that fails for now to a retry', async () => {
    api.failures.set('project 8', serverError())
    const result = await process(stage, [media('a', '7', '1'), media('b', '8', '2')])
    assert.deepEqual(kinds(result.outcomes), ['done', 'retried'])
    assert.equal(produced(result, 'claimx.enrichment.retry.5m').length, 1)
  })

  it('shares the call of a batch in flight, and asks again when that batch is abandoned', async () => {
    let release = (): void => undefined
    api.onCall = (call, signal) =>
      call === 'project 7' && api.calls.filter(name => name === call).length === 1
        ? new Promise<void>((resolve, reject) => {
            release = resolve
            signal?.addEventListener('abort', () => reject(signal.reason))
          })
        : undefined
    const invited = (id: string) => task(id, { eventType: 'POLICYHOLDER_INVITED' })
    const first = process(stage, [invited('a')])
    await settle()
    const second = process(stage, [invited('b')])
    await settle()
    release()
    const [one, two] = await Promise.all([first, second])
    assert.deepEqual(api.calls, ['project 7'])
    const names = [one, two].map(result => rowsOf(result, 'claimx_projects').length)
    assert.deepEqual(names, [2, 1], 'the first batch writes the project, both their patch')
    one.release?.()
    two.release?.()

    api.calls.length = 0
    const abort = new AbortController()
    const third = process(stage, [invited('c')], abort.signal)
    await settle()
    const fourth = process(stage, [invited('d')])
    await settle()
    abort.abort()
    await assert.rejects(third)
    const again = await fourth
    assert.deepEqual(api.calls, ['project 7', 'project 7'])
    assert.equal(rowsOf(again, 'claimx_projects').length, 2)
    assert.deepEqual(kinds(again.outcomes), ['done'])
  })

  it('forgets what a batch held when it is released: the next one looks into the table', async () => {
    const invited = task('a', { eventType: 'POLICYHOLDER_INVITED' })
    const first = await process(stage, [invited])
    first.release?.()
    await process(stage, [invited])
    assert.deepEqual(api.calls, ['project 7', 'project 7'])
  })

  it('covers the project that only the answer of a task names', async () => {
    await haveProject('7')
    api.taskProjects.set('5', 99)
    const result = await process(stage, [
      task('a', { eventType: 'CUSTOM_TASK_ASSIGNED', taskAssignmentId: '5' })
    ])
    assert.deepEqual(api.calls, ['task 5', 'project 99'])
    assert.equal(rowsOf(result, 'claimx_projects')[0]?.['project_id'], '99')
    assert.equal(rowsOf(result, 'claimx_tasks')[0]?.['project_id'], '99')
    assert.equal(rowsOf(result, 'claimx_event_log')[0]?.['api_calls'], 2)
  })

  it('takes ids with leading zeros for the same project', async () => {
    const result = await process(stage, [
      task('a', { eventType: 'POLICYHOLDER_INVITED', projectId: '007' }),
      task('b', { eventType: 'POLICYHOLDER_INVITED', projectId: '7' })
    ])
    assert.deepEqual(api.calls, ['project 7'])
    const ids = rowsOf(result, 'claimx_projects').map(row => row['project_id'])
    assert.deepEqual([...new Set(ids)], ['7'])
  })
})

describe('enrichment: ends', () => {
  const created = (id: string, projectId = '7') =>
    task(id, { eventType: 'PROJECT_CREATED', projectId })

  it('stores the master file name alone when the project cannot be read for good', async () => {
    await haveProject('7')
    api.failures.set('project 7', notFound())
    const result = await process(stage, [
      task('a', { eventType: 'PROJECT_MFN_ADDED', masterFileName: 'MFN-9' })
    ])
    assert.deepEqual(kinds(result.outcomes), ['done'])
    const [row] = rowsOf(result, 'claimx_projects')
    assert.equal(row?.['master_file_name'], 'MFN-9')
    assert.ok(!('status' in (row ?? {})), 'a patch names no other column')
  })

  it('logs an unknown type as skipped, without call, retry or dead letter', async () => {
    const result = await process(stage, [task('a', { eventType: 'PROJECT_TELEPORTED' })])
    assert.deepEqual(kinds(result.outcomes), ['skipped'])
    assert.deepEqual(produced(result), [])
    assert.equal(rowsOf(result, 'claimx_event_log')[0]?.['status'], 'skipped')
    assert.deepEqual(api.calls, [])
  })

  it('needs no call to refuse ids that are missing or not numeric', async () => {
    const result = await process(stage, [
      task('a', { projectId: 'P-1', mediaId: '1' }),
      task('b'),
      task('c', { eventType: 'CUSTOM_TASK_ASSIGNED', taskAssignmentId: 'T' })
    ])
    assert.deepEqual(kinds(result.outcomes), ['dead', 'dead', 'dead'])
    assert.deepEqual(api.calls, [])
    assert.equal(rowsOf(result, 'claimx_event_log').length, 3)
  })

  it('retries with every header and the next attempt in the task', async () => {
    api.failures.set('project 7', serverError())
    const result = await process(stage, [created('a')])
    const [record] = produced(result)
    assert.equal(record?.topic, 'claimx.enrichment.retry.5m')
    assert.equal(record?.headers?.['target_topic'], topics.claimx.enrichment)
    assert.equal(record?.headers?.['retry_count'], '1')
    assert.equal(record?.headers?.['worker_type'], 'enrichment_worker')
    assert.equal(record?.headers?.['error_category'], 'transient')
    const body = json(record)
    assert.equal(body['retry_count'], 1)
    const metadata = body['metadata'] as Record<string, unknown>
    assert.equal(metadata['retry_at'], record?.headers?.['scheduled_retry_time'])
    assert.equal(rowsOf(result, 'claimx_event_log')[0]?.['status'], 'failed')
  })

  it('writes an exhausted task to the dead letters in the schema of failed tasks', async () => {
    api.failures.set('project 7', serverError())
    const tired = task('a', { eventType: 'PROJECT_CREATED', retryCount: 4 })
    const result = await process(stage, [tired])
    const [record] = produced(result, topics.claimx.enrichmentDlq)
    const letter = decodeFailedEnrichment(bytes(record?.value))
    assert.equal(letter.originalTask.eventId, 'a')
    assert.equal(letter.retryCount, 4)
    assert.equal(letter.errorCategory, 'transient')
    assert.equal(record?.headers?.['failed'], 'true')
    assert.equal(rowsOf(result, 'claimx_event_log')[0]?.['status'], 'failed_permanent')
  })

  it('charges a shared call to the first event that needed it', async () => {
    const result = await process(stage, [created('a'), created('b'), created('c', '8')])
    assert.deepEqual(
      rowsOf(result, 'claimx_event_log').map(row => row['api_calls']),
      [1, 0, 1]
    )
  })

  it('counts the floor and what the events would cost one by one', async () => {
    await haveProject('8')
    await process(stage, [media('a', '7', '1'), media('b', '7', '2'), created('c', '8')])
    assert.equal(api.calls.length, 3)
    assert.equal(telemetry.counted('claimx_api_calls_floor_total'), 3)
    assert.equal(telemetry.counted('claimx_api_calls_one_by_one_total'), 5)
  })

  it('keeps a child out when the call for its project failed in the same batch', async () => {
    api.failures.set('project 7', serverError())
    const result = await process(stage, [created('a'), media('b', '7', '1')])
    assert.deepEqual(kinds(result.outcomes), ['retried', 'retried'])
    assert.deepEqual(rowsOf(result, 'claimx_attachment_metadata'), [])
  })

  it('takes a foreign abort for a failure of its events, not for its own end', async () => {
    api.failures.set('project 7', new DOMException('someone else left', 'AbortError'))
    const result = await process(stage, [created('a')])
    assert.deepEqual(kinds(result.outcomes), ['retried'])
  })

  it('keeps the bytes of a task that cannot be decoded', () => {
    const record = recordOf(topics.claimx.enrichment, '{"event_id": 1')
    assert.throws(() => stage.decode(record), { code: 'MESSAGE_INVALID' })
    const letter = stage.undecodable(record, notFound())
    assert.equal(letter.topic, topics.claimx.enrichmentDlq)
    assert.equal(json(letter)['original_value'], '{"event_id": 1')
  })

  it('gives a message that fails by itself its end and its log row', () => {
    const [delivery] = [
      {
        record: recordOf(topics.claimx.enrichment, created('a')),
        message: stage.decode(recordOf('', created('a')))
      }
    ]
    assert.ok(delivery !== undefined)
    const result = stage.failed(delivery, new TypeError('bug'))
    assert.deepEqual(kinds(result.outcomes), ['retried'])
    assert.equal(rowsOf(result, 'claimx_event_log')[0]?.['status'], 'failed')
  })
})
