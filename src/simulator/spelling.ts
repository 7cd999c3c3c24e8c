/** The spellings in which producers write one and the same event (claimx-events.md section 2). */
import { formatInstant, type JsonObject, type JsonValue, stringifyJson } from '../core/index.ts'
import { type Claim, epochMs } from './people.ts'
import type { Rng } from './rng.ts'
import type { AcceptedEvent } from './types.ts'

export type Identity = 'event_id' | 'trace_id' | 'none' | 'timeless'

export interface Spelling {
  readonly event: AcceptedEvent
  readonly claim: Claim
  /** Where the id goes; `none` and `timeless` carry none, and `timeless` carries no time either. */
  readonly identity: Identity
  /** Details for `raw_data`. */
  readonly details: JsonObject
}

type Style = 'snake' | 'camel' | 'poller' | 'nested'

/** JSON text of the event. `rng` picks the producer; an event without time is always written alike. */
export function spell(spelling: Spelling, rng: Rng): string {
  const style =
    spelling.identity === 'timeless'
      ? 'snake'
      : (['snake', 'camel', 'poller', 'nested'] as const)[rng.weighted([40, 35, 20, 5])]
  const row = writers[style ?? 'snake'](spelling, rng)
  return stringifyJson(row)
}

const writers: Readonly<Record<Style, (spelling: Spelling, rng: Rng) => JsonObject>> = {
  snake: ({ event, claim, identity, details }, rng) => {
    const row: JsonObject = {}
    if (identity === 'event_id') row['event_id'] = event.eventId ?? null
    if (identity === 'trace_id') row['trace_id'] = event.eventId ?? null
    row['event_type'] = event.eventType
    row['project_id'] = event.projectId
    if (event.ingestedAt !== undefined) row['ingested_at'] = timeText(event.ingestedAt, rng)
    row['media_id'] = event.mediaId
    row['task_assignment_id'] = event.taskAssignmentId
    row['video_collaboration_id'] = event.videoCollaborationId
    row['master_file_name'] = event.masterFileName
    row['raw_data'] = rawData(event, claim, details)
    return row
  },
  camel: ({ event, claim, identity, details }, rng) => {
    const number = rng.chance(0.7)
    const row: JsonObject = { eventType: event.eventType, projectId: id(event.projectId, number) }
    if (identity === 'event_id') row['eventId'] = event.eventId ?? null
    if (identity === 'trace_id') row['traceId'] = event.eventId ?? null
    row['ingestedAt'] = timeText(event.ingestedAt ?? 0n, rng)
    if (event.mediaId !== null) row['mediaId'] = id(event.mediaId, number)
    if (event.taskAssignmentId !== null) {
      row['taskAssignmentId'] = id(event.taskAssignmentId, number)
    }
    if (event.videoCollaborationId !== null) {
      row['videoCollaborationId'] = id(event.videoCollaborationId, number)
    }
    if (event.masterFileName !== null) row['masterFileName'] = event.masterFileName
    if (rng.chance(0.5)) row['rawData'] = rawData(event, claim, details)
    if (rng.chance(0.2)) row['schemaVersion'] = 2
    return row
  },
  poller: ({ event, claim, identity, details }, rng) => {
    const row: JsonObject = { event_type: ` ${event.eventType} `.trim() }
    if (identity === 'event_id') row['event_id'] = ` ${event.eventId ?? ''}`
    if (identity === 'trace_id') row['trace_id'] = event.eventId ?? null
    row['project_id'] = id(event.projectId, rng.chance(0.5))
    if (event.mediaId !== null) row['media_id'] = id(event.mediaId, rng.chance(0.5))
    if (event.taskAssignmentId !== null) row['task_assignment_id'] = event.taskAssignmentId
    if (event.videoCollaborationId !== null) {
      row['video_collaboration_id'] = event.videoCollaborationId
    }
    if (event.masterFileName !== null) row['master_file_name'] = event.masterFileName
    row['raw_data'] = stringifyJson(rawData(event, claim, details))
    const kusto = `${formatInstant(event.ingestedAt ?? 0n).slice(0, 26)}7Z`
    row[rng.pick(['ingestion_time', '$IngestionTime', 'IngestionTime'])] = kusto
    return row
  },
  /** Only the payload knows the ids. */
  nested: ({ event, claim, identity, details }, rng) => {
    const raw = rawData(event, claim, details)
    raw['projectId'] = id(event.projectId, true)
    const row: JsonObject = { raw_data: raw, ingested_at: timeText(event.ingestedAt ?? 0n, rng) }
    row['event_type'] = rng.chance(0.5) ? event.eventType : ' '
    if (identity === 'event_id') row['event_id'] = event.eventId ?? null
    if (identity === 'trace_id') row['traceId'] = event.eventId ?? null
    return row
  }
}

function id(text: string, asNumber: boolean): JsonValue {
  return asNumber && /^\d{1,15}$/.test(text) ? Number(text) : text
}

/** `raw_data` of claimx-events.md section 2.6. */
function rawData(event: AcceptedEvent, claim: Claim, details: JsonObject): JsonObject {
  const raw: JsonObject = {
    projectId: event.projectId,
    eventType: event.eventType,
    claimNumber: claim.claimNumber,
    policyNumber: claim.policyNumber,
    ...details
  }
  if (event.mediaId !== null) raw['mediaId'] = id(event.mediaId, true)
  if (event.taskAssignmentId !== null) raw['taskAssignmentId'] = id(event.taskAssignmentId, true)
  if (event.videoCollaborationId !== null) {
    raw['videoCollaborationId'] = id(event.videoCollaborationId, true)
  }
  if (event.masterFileName !== null) raw['masterFileName'] = event.masterFileName
  return raw
}

/** Time of a business event: unique, and with microseconds that rounding would lose. */
export function eventTime(sequence: number): bigint {
  return BigInt(epochMs + sequence * 7_001) * 1000n + BigInt((sequence * 389) % 1000)
}

/** One of the accepted forms (section 2.4); all of them name the same microsecond. */
function timeText(micros: bigint, rng: Rng): string {
  const text = formatInstant(micros)
  switch (rng.int(5)) {
    case 0:
      return text
    case 1:
      return text.replace('Z', '+00:00')
    case 2:
      return text.slice(0, -1)
    case 3:
      return `${text.slice(0, -1)}9Z`
    default: {
      const west = formatInstant(micros - 7n * 3_600_000_000n)
      return `${west.slice(0, -1)}-07:00`
    }
  }
}
