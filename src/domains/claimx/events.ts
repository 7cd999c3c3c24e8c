/**
 * Raw events (reference/claimx-events.md section 2): every accepted spelling and type becomes one
 * shape, and an event without an id gets one that is the same on every redelivery.
 */
import { createHash } from 'node:crypto'
import {
  dateOf,
  formatInstant,
  isJsonObject,
  type JsonObject,
  type Micros,
  parseJson,
  type Row,
  stringifyJson
} from '../../core/index.ts'
import { decodeObject, FieldReader, invalid, pick } from './json-record.ts'
import { canonicalJson } from './text.ts'

export interface ClaimxEvent {
  readonly eventId: string
  /** True when the source gave no id and it was derived (section 2.5). */
  readonly idDerived: boolean
  readonly eventType: string
  readonly projectId: string
  readonly mediaId: string | null
  readonly taskAssignmentId: string | null
  readonly videoCollaborationId: string | null
  readonly masterFileName: string | null
  /** Undefined: missing on the wire. */
  readonly ingestedAt: Micros | undefined
  /** The original payload: `raw_data`, or the whole row when there is none. */
  readonly rawJson: string
}

const WHAT = 'raw event'
const idNames = ['event_id', 'eventId', 'trace_id', 'traceId']
const ingestedNames = [
  'ingested_at',
  'ingestedAt',
  'IngestionTime',
  'ingestion_time',
  '$IngestionTime'
]
const rawNames = ['raw_data', 'rawData']

/**
 * Parses one record of `claimx.events.raw`. Throws `MessageError` MESSAGE_INVALID: no value, not UTF-8,
 * not JSON, root not an object, a field of a wrong type, or no event type or project id.
 */
export function parseRawEvent(value: Uint8Array | null): ClaimxEvent {
  const row = decodeObject(value, WHAT)
  const reader = new FieldReader(row, WHAT)
  const raw = rawDataOf(row)
  const nested = raw === undefined ? undefined : new FieldReader(raw, `${WHAT}: raw_data`)
  const field = (name: string, camel: string): string | null =>
    reader.text(name, camel) ?? nested?.text(camel) ?? null
  const required = (name: string, camel: string): string => {
    const text = field(name, camel)
    if (text === null) throw invalid(`${WHAT}: ${name} is missing or blank`)
    return text
  }
  const parts = {
    eventType: required('event_type', 'eventType'),
    projectId: required('project_id', 'projectId'),
    mediaId: field('media_id', 'mediaId'),
    taskAssignmentId: field('task_assignment_id', 'taskAssignmentId'),
    videoCollaborationId: field('video_collaboration_id', 'videoCollaborationId'),
    masterFileName: field('master_file_name', 'masterFileName'),
    ingestedAt: reader.instant(...ingestedNames) ?? undefined
  }
  const given = reader.text(...idNames)
  return {
    ...parts,
    eventId: given ?? shallow(() => derivedId(parts, row)),
    idDerived: given === null,
    rawJson: shallow(() => stringifyJson(raw ?? row))
  }
}

/** Text can be parsed that is nested too deeply to be written again; that is the event's fault. */
function shallow(write: () => string): string {
  try {
    return write()
  } catch (cause) {
    throw invalid(`${WHAT}: the payload is nested too deeply`, cause)
  }
}

/** Row of `claimx_events`. `now` stands in for a missing receipt time. */
export function eventRow(event: ClaimxEvent, now: Micros): Row {
  const ingestedAt = event.ingestedAt ?? now
  return {
    event_id: event.eventId,
    event_type: event.eventType,
    project_id: event.projectId,
    media_id: event.mediaId,
    task_assignment_id: event.taskAssignmentId,
    video_collaboration_id: event.videoCollaborationId,
    master_file_name: event.masterFileName,
    ingested_at: ingestedAt,
    created_at: now,
    event_date: dateOf(ingestedAt),
    raw_json: event.rawJson
  }
}

/** `raw_data` as object or JSON text; text that is not an object carries no fields. */
function rawDataOf(row: JsonObject): JsonObject | undefined {
  const raw = pick(row, rawNames)
  if (isJsonObject(raw)) return raw
  if (typeof raw !== 'string') return undefined
  try {
    const parsed = parseJson(raw)
    return isJsonObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/**
 * Section 2.5, rules 2 and 3: SHA-256 over the normalised business parts; without a receipt time over
 * the payload without the columns that differ between reads of one event. Never over the clock.
 */
function derivedId(parts: Omit<ClaimxEvent, 'eventId' | 'idDerived' | 'rawJson'>, row: JsonObject) {
  const business = [parts.projectId, parts.eventType]
  if (parts.ingestedAt === undefined) {
    const volatile = new Set([...idNames, ...ingestedNames])
    const stable = Object.entries(row).filter(([name]) => !volatile.has(name))
    return sha256([...business, '', canonicalJson(Object.fromEntries(stable))].join('|'))
  }
  business.push(formatInstant(parts.ingestedAt))
  if (parts.mediaId !== null) business.push(`media:${parts.mediaId}`)
  if (parts.taskAssignmentId !== null) business.push(`task:${parts.taskAssignmentId}`)
  if (parts.videoCollaborationId !== null) business.push(`video:${parts.videoCollaborationId}`)
  if (parts.masterFileName !== null) business.push(`file:${parts.masterFileName}`)
  return sha256(business.join('|'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
