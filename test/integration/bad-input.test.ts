/** Input that is wrong in every way: each ends where the reference says, its neighbours pass. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { CellValue, JsonObject } from '../../src/core/index.ts'
import { claimxTables, type TableName } from '../../src/domains/claimx/index.ts'
import { topics } from '../../src/topology.ts'
import { openWhole, recordsOf, type WholePipeline } from '../helpers/whole-pipeline.ts'

const MEGABYTE = 1024 ** 2
const good = (id: string, fields: JsonObject = {}): JsonObject => ({
  event_id: id,
  event_type: 'POLICYHOLDER_INVITED',
  project_id: 0,
  ingested_at: '2026-01-05T08:00:00Z',
  ...fields
})

let whole: WholePipeline
let letters: { topic: string; body: Record<string, unknown> }[]
let events: Record<string, CellValue>[]
let log: Record<string, CellValue>[]

/** Bytes that no parser accepts, and which dead letter they must become. */
const unreadable: Record<string, Uint8Array | null> = {
  'not JSON': Buffer.from('<event/>'),
  'cut off': Buffer.from('{"event_id": "x", "event_type"'),
  'a list at the root': Buffer.from(JSON.stringify([good('in-list')])),
  'a text at the root': Buffer.from('"PROJECT_CREATED"'),
  'null at the root': Buffer.from('null'),
  'wrong types': Buffer.from(JSON.stringify(good('wrong', { event_type: { a: 1 } }))),
  'a wrong time': Buffer.from(JSON.stringify(good('time', { ingested_at: 'yesterday' }))),
  'no project id': Buffer.from('{"event_id": "p", "event_type": "PROJECT_CREATED"}'),
  'no event type': Buffer.from('{"event_id": "t", "project_id": 1}'),
  'invalid UTF-8': Uint8Array.of(0x7b, 0xff, 0xfe, 0x80, 0x7d),
  'no value': null,
  'five megabytes of noise': Buffer.alloc(5 * MEGABYTE, 'x'),
  'five megabytes of control characters': Buffer.alloc(5 * MEGABYTE, 1)
}

/** As large as the log takes; their dead letters would be larger still. */
const oversized = Buffer.alloc(15 * MEGABYTE, 0xff)

before(async () => {
  whole = await openWhole({ events: 40, projects: 6 })
  const projectId = firstProject()
  const usable = [
    good('unknown-type', { event_type: 'PROJECT_TELEPORTED', project_id: projectId }),
    good('no-media-id', { event_type: 'PROJECT_FILE_ADDED', project_id: projectId }),
    good('odd-media-id', {
      event_type: 'PROJECT_FILE_ADDED',
      project_id: projectId,
      media_id: 'm'
    }),
    good('no-task-id', { event_type: 'CUSTOM_TASK_ASSIGNED', project_id: projectId }),
    good('odd-project-id', { project_id: 'project-1' }),
    good('leading-zeros', { project_id: `000${projectId}` }),
    good('five-megabytes', { project_id: projectId, note: 'y'.repeat(5 * MEGABYTE) })
  ]
  await whole.feed()
  const producer = await whole.pipeline.log.producer()
  await producer.send([
    ...Object.entries(unreadable).map(([key, value]) => ({ topic: topics.claimx.raw, key, value })),
    { topic: topics.claimx.raw, key: 'oversized', value: oversized },
    ...usable.map(event => ({ topic: topics.claimx.raw, value: JSON.stringify(event) }))
  ])
  await producer.close()
  const running = whole.start()
  await whole.idle(running)
  await running.stop({ deadlineMs: 5_000 })
  const { eventsDlq, enrichmentDlq, downloadsDlq } = topics.claimx
  letters = []
  for (const topic of [eventsDlq, enrichmentDlq, downloadsDlq]) {
    for (const { value } of await recordsOf(whole.pipeline, topic)) {
      letters.push({ topic, body: JSON.parse(Buffer.from(value ?? []).toString()) })
    }
  }
  events = await read('claimx_events')
  log = await read('claimx_event_log')
})

after(() => whole.close())

function read(name: TableName): Promise<Record<string, CellValue>[]> {
  return whole.pipeline.tables.read(claimxTables[name])
}

function firstProject(): string {
  for (let index = 0; index < whole.world.eventCount; index += 1) {
    const event = whole.world.expectedEvent(index)
    if (event.kind === 'accepted' && event.outcome === 'success') return event.projectId
  }
  return assert.fail('the world has no event that succeeds')
}

function logOf(id: string): Record<string, CellValue> {
  const rows = log.filter(row => row['event_id'] === id)
  assert.equal(rows.length, 1, `one log row for ${id}`)
  return rows[0] ?? {}
}

describe('bad input', () => {
  for (const [name, value] of Object.entries(unreadable)) {
    it(`${name}: ends in claimx.events.dlq with its bytes`, () => {
      const found = letters.filter(({ body }) => body['original_key'] === name)
      assert.equal(found.length, 1)
      const { topic, body } = found[0] ?? assert.fail()
      assert.equal(topic, topics.claimx.eventsDlq)
      assert.equal(body['original_topic'], topics.claimx.raw)
      assert.equal(body['error_category'], 'permanent')
      assert.equal(body['error_type'], 'MESSAGE_INVALID')
      if (value === null) {
        assert.equal(body['original_value'], null)
        return
      }
      const encoding = body['original_value_encoding'] === 'base64' ? 'base64' : 'utf8'
      const kept = Buffer.from(String(body['original_value']), encoding)
      assert.ok(kept.equals(value), 'the bytes are kept')
    })
  }

  it('fifteen megabytes of noise: a dead letter with the first part, the hash and the place', () => {
    const found = letters.filter(({ body }) => body['original_key'] === 'oversized')
    assert.equal(found.length, 1)
    const body = found[0]?.body ?? assert.fail()
    assert.equal(body['original_value_truncated'], true)
    assert.equal(body['original_value_bytes'], oversized.length)
    assert.equal(
      body['original_value_sha256'],
      createHash('sha256').update(oversized).digest('hex')
    )
    assert.equal(typeof body['original_offset'], 'number')
  })

  it('an unknown event type: stored, logged as skipped, no retry and no dead letter', () => {
    assert.equal(events.filter(row => row['event_id'] === 'unknown-type').length, 1)
    assert.equal(logOf('unknown-type')['status'], 'skipped')
    assert.ok(letters.every(({ body }) => body['event_id'] !== 'unknown-type'))
  })

  for (const id of ['no-media-id', 'odd-media-id', 'no-task-id', 'odd-project-id']) {
    it(`${id}: stored, failed for good, its task in claimx.enrichment.dlq`, () => {
      assert.equal(events.filter(row => row['event_id'] === id).length, 1)
      assert.equal(logOf(id)['status'], 'failed_permanent')
      assert.equal(logOf(id)['api_calls'], 0)
      const found = letters.filter(({ body }) => body['event_id'] === id)
      assert.deepEqual(
        found.map(({ topic }) => topic),
        [topics.claimx.enrichmentDlq]
      )
      assert.equal(typeof found[0]?.body['original_task'], 'object')
    })
  }

  it('a project id with leading zeros is the same project', async () => {
    assert.equal(logOf('leading-zeros')['status'], 'success')
    const ids = (await read('claimx_projects')).map(row => String(row['project_id']))
    assert.deepEqual(
      ids.filter(id => id.startsWith('0')),
      []
    )
  })

  it('an event of five megabytes is stored whole and enriched', () => {
    const row = events.find(event => event['event_id'] === 'five-megabytes')
    const raw = JSON.parse(String(row?.['raw_json'])) as JsonObject
    assert.equal(String(raw['note']).length, 5 * MEGABYTE)
    assert.equal(logOf('five-megabytes')['status'], 'success')
  })

  it('neighbours pass: every event of the world has its end', () => {
    for (let index = 0; index < whole.world.eventCount; index += 1) {
      const event = whole.world.expectedEvent(index)
      if (event.kind !== 'accepted' || event.eventId === undefined) continue
      assert.equal(logOf(event.eventId)['status'], event.outcome)
    }
  })
})
