import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPipelineError, parseInstant } from '../../../../src/core/index.ts'
import { eventRow, parseRawEvent } from '../../../../src/domains/claimx/index.ts'
import { bytes, rawEvent } from '../../../helpers/claimx-fixtures.ts'

const parse = (value: unknown) => parseRawEvent(bytes(value))

function refusal(value: Uint8Array | null): string {
  try {
    parseRawEvent(value)
  } catch (error) {
    assert.ok(isPipelineError(error) && error.code === 'MESSAGE_INVALID' && !error.retryable)
    return error.message
  }
  return assert.fail('the event was accepted')
}

describe('parsing a raw event', () => {
  it('accepts every spelling of every field', () => {
    const spellings: [string, string[], unknown, (event: ReturnType<typeof parse>) => unknown][] = [
      ['event_id', ['event_id', 'eventId', 'trace_id', 'traceId'], 'x1', e => e.eventId],
      ['event_type', ['event_type', 'eventType'], 'PROJECT_CREATED', e => e.eventType],
      ['project_id', ['project_id', 'projectId'], '77', e => e.projectId],
      ['media_id', ['media_id', 'mediaId'], '78', e => e.mediaId],
      [
        'task_assignment_id',
        ['task_assignment_id', 'taskAssignmentId'],
        '79',
        e => e.taskAssignmentId
      ],
      [
        'video_collaboration_id',
        ['video_collaboration_id', 'videoCollaborationId'],
        '80',
        e => e.videoCollaborationId
      ],
      ['master_file_name', ['master_file_name', 'masterFileName'], 'M', e => e.masterFileName]
    ]
    for (const [canonical, names, value, get] of spellings) {
      for (const name of names) {
        const row = rawEvent({ [canonical]: null })
        assert.equal(get(parse({ ...row, [name]: value })), value, name)
      }
    }
  })

  it('accepts every spelling and form of the receipt time', () => {
    const micros = parseInstant('2026-01-10T22:15:51.123456Z')
    const forms = [
      '2026-01-10T22:15:51.123456Z',
      '2026-01-10T22:15:51.1234567Z',
      '2026-01-10T22:15:51.123456+00:00',
      '2026-01-11T00:15:51.123456+02:00',
      '2026-01-10T22:15:51.123456'
    ]
    const names = ['ingested_at', 'ingestedAt', 'IngestionTime', 'ingestion_time', '$IngestionTime']
    for (const name of names) {
      for (const form of forms) {
        const event = parse({ ...rawEvent({ ingested_at: null }), [name]: form })
        assert.equal(event.ingestedAt, micros, `${name}: ${form}`)
      }
    }
  })

  it('takes the first spelling that is neither null nor blank', () => {
    const event = parse(
      rawEvent({ media_id: '  ', mediaId: 5, project_id: null, projectId: ' 9 ' })
    )
    assert.equal(event.mediaId, '5')
    assert.equal(event.projectId, '9')
  })

  it('takes ids from raw_data as a last resort, as an object or as JSON text', () => {
    const raw = {
      eventType: 'PROJECT_CREATED',
      projectId: 1,
      mediaId: 2,
      taskAssignmentId: 3,
      videoCollaborationId: 4,
      masterFileName: 'M'
    }
    for (const raw_data of [raw, JSON.stringify(raw)]) {
      const event = parse({ event_id: 'e', raw_data })
      assert.deepEqual(
        [event.eventType, event.projectId, event.mediaId, event.taskAssignmentId],
        ['PROJECT_CREATED', '1', '2', '3']
      )
      assert.deepEqual([event.videoCollaborationId, event.masterFileName], ['4', 'M'])
      assert.deepEqual(JSON.parse(event.rawJson), raw)
    }
    assert.equal(parse(rawEvent({ mediaId: 6, media_id: 5, raw_data: raw })).mediaId, '5')
  })

  it('turns integers of any size into text without exponent and keeps zero', () => {
    const cases: [string, string][] = [
      ['1234567', '1234567'],
      ['12.0', '12'],
      ['1e3', '1000'],
      ['9007199254740993', '9007199254740993'],
      ['123456789012345678901234567890', '123456789012345678901234567890'],
      ['0', '0']
    ]
    for (const [literal, text] of cases) {
      const json = `{"event_id":"e","event_type":"T","project_id":${literal}}`
      assert.equal(parse(json).projectId, text)
    }
  })

  it('refuses what is not an event and says why, without quoting it', () => {
    const secret = 'SECRET-PAYLOAD'
    const cases: [Uint8Array | null, RegExp][] = [
      [null, /no value/],
      [new Uint8Array(), /no value/],
      [new Uint8Array([0x7b, 0xff, 0x7d]), /UTF-8/],
      [bytes(`{"a": ${secret}`), /not valid JSON/],
      [bytes([{ event_type: 'T' }]), /root must be a JSON object, not an array/],
      [bytes('"text"'), /not a string/],
      [bytes('null'), /not null/],
      [bytes(rawEvent({ project_id: ' ' })), /project_id is missing or blank/],
      [bytes(rawEvent({ event_type: null })), /event_type is missing or blank/],
      [bytes(rawEvent({ project_id: { id: 1 } })), /project_id is not text/],
      [bytes(rawEvent({ project_id: 1.5 })), /project_id is not text/],
      [bytes(rawEvent({ media_id: [secret] })), /media_id is not text/],
      [bytes(rawEvent({ event_type: true })), /event_type is not text/],
      [bytes(rawEvent({ ingested_at: secret })), /ingested_at is not an ISO/],
      [bytes(rawEvent({ ingested_at: '2026-02-30T00:00:00Z' })), /ingested_at is not an ISO/]
    ]
    for (const [value, reason] of cases) {
      const message = refusal(value)
      assert.match(message, reason)
      assert.ok(!message.includes(secret), message)
    }
  })

  it('refuses a payload that is nested too deeply to be written again', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const event = `{"event_id":"e","event_type":"T","project_id":1,"raw_data":{"a":${deep}}}`
    assert.match(refusal(bytes(event)), /nested too deeply|not valid JSON/)
    assert.match(refusal(bytes(event.replace('"event_id":"e",', ''))), /nested|not valid JSON/)
  })

  it('accepts an event type that nobody knows, for it is stored and skipped', () => {
    assert.equal(parse(rawEvent({ event_type: 'SOMETHING_NEW' })).eventType, 'SOMETHING_NEW')
  })

  it('parses an event of five megabytes', () => {
    const event = parse(rawEvent({ raw_data: { note: 'x'.repeat(5_000_000) } }))
    assert.equal(event.projectId, '1234567')
    assert.ok(event.rawJson.length > 5_000_000)
  })

  it('keeps raw_data one level deep when the event passes through again', () => {
    const first = parse(rawEvent({ raw_data: { projectId: 1, note: 'n' } }))
    const again = parse(rawEvent({ raw_data: JSON.parse(first.rawJson) }))
    assert.equal(again.rawJson, first.rawJson)
  })

  it('makes text well-formed, so that a stored key equals the key in memory', () => {
    const event = parse('{"event_id":"e\\ud800","event_type":"T","project_id":"1"}')
    assert.equal(event.eventId, 'e\ufffd')
  })
})

describe('the id of an event', () => {
  it('is kept unchanged when the source gives one', () => {
    const event = parse(rawEvent({ event_id: 'evt_0123456789ab' }))
    assert.deepEqual([event.eventId, event.idDerived], ['evt_0123456789ab', false])
  })

  it('is the SHA-256 of the normalised business parts otherwise', () => {
    const event = parse(rawEvent({ event_id: null }))
    assert.equal(event.idDerived, true)
    // sha256 of "1234567|PROJECT_FILE_ADDED|2026-01-10T22:15:51.580000Z|media:87654321"
    assert.equal(event.eventId, '57933adcf7f0f50428a99b6cc5cf006fd857de34c911b60828fc064b8687e045')
  })

  it('is the same for all spellings, types and zones of one event', () => {
    const id = parse(rawEvent({ event_id: null })).eventId
    const offset = fc.integer({ min: -12 * 60, max: 14 * 60 })
    const name = <T extends string>(...names: T[]) => fc.constantFrom(...names)
    fc.assert(
      fc.property(
        offset,
        name('project_id', 'projectId'),
        name('event_type', 'eventType'),
        name('media_id', 'mediaId'),
        name('ingested_at', 'ingestedAt', 'IngestionTime', '$IngestionTime'),
        fc.boolean(),
        fc.constantFrom('', '0', '000', '0000'),
        (minutes, project, type, media, ingested, asText, zeros) => {
          const local = new Date(Date.parse('2026-01-10T22:15:51.580Z') + minutes * 60_000)
          const size = Math.abs(minutes)
          const clock = [Math.floor(size / 60), size % 60].map(n => String(n).padStart(2, '0'))
          const zone = `${minutes < 0 ? '-' : '+'}${clock.join(':')}`
          const row = {
            [project]: asText ? ' 1234567 ' : 1234567,
            [type]: 'PROJECT_FILE_ADDED',
            [media]: asText ? '87654321' : 87654321,
            [ingested]: `${local.toISOString().slice(0, -1)}${zeros}${zone}`
          }
          assert.equal(parse(row).eventId, id)
        }
      )
    )
  })

  it('differs when any business part differs', () => {
    const variants = [
      {},
      { project_id: 2 },
      { event_type: 'PROJECT_CREATED' },
      { media_id: 3 },
      { media_id: null, task_assignment_id: 87654321 },
      { video_collaboration_id: 4 },
      { master_file_name: 'M' },
      { ingested_at: '2026-01-10T22:15:51.581Z' }
    ]
    const ids = variants.map(fields => parse(rawEvent({ event_id: null, ...fields })).eventId)
    assert.equal(new Set(ids).size, variants.length)
  })

  it('comes from the payload, not from any time, when the receipt time is missing', () => {
    const row = { event_type: 'T', project_id: 1, b: { y: 1, x: [2] }, a: 'n' }
    const shuffled = { a: 'n', b: { x: [2], y: 1 }, project_id: 1, event_type: 'T' }
    const first = parse(row)
    assert.equal(first.ingestedAt, undefined)
    assert.equal(parse(shuffled).eventId, first.eventId)
    assert.notEqual(parse({ ...row, a: 'm' }).eventId, first.eventId)
  })
})

describe('the row of claimx_events', () => {
  it('has the date of the receipt time in UTC as its partition', () => {
    const event = parse(rawEvent({ ingested_at: '2026-01-11T01:30:00+02:00' }))
    const row = eventRow(event, 99n)
    assert.equal(row['event_date'], '2026-01-10')
    assert.equal(row['ingested_at'], event.ingestedAt)
    assert.equal(row['created_at'], 99n)
  })

  it('takes the processing time for a missing receipt time', () => {
    const now = parseInstant('2026-03-04T05:06:07Z') ?? 0n
    const row = eventRow(parse(rawEvent({ ingested_at: null })), now)
    assert.equal(row['ingested_at'], now)
    assert.equal(row['event_date'], '2026-03-04')
  })
})
