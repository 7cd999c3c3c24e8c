/** Events that cannot be read, and events that can be read but not be used. */
import { stringifyJson } from '../core/index.ts'
import type { Rng } from './rng.ts'
import type { AcceptedEvent, FaultLevel } from './types.ts'

/** Not acceptable at all: these end in `claimx.events.dlq`, with their bytes. */
const unreadable = [
  'not JSON',
  'cut off',
  'root is a list',
  'root is a text',
  'root is null',
  'no project id',
  'no event type',
  'wrong types',
  'invalid UTF-8',
  'empty'
] as const
/** Readable, but their ids are not: event row, failed log row, enrichment dead letter. */
const unusable = [
  'project id is not numeric',
  'project id is zero',
  'media id is missing',
  'media id is not numeric',
  'task id is missing',
  'task id is not numeric'
] as const
const huge = 'five megabytes'

export type BadSort = (typeof unreadable)[number] | (typeof unusable)[number] | typeof huge

/** The n-th bad event's sort: all sorts in turn; the very large one comes once. */
export function badSort(n: number): BadSort {
  if (n === 4) return huge
  const sorts = [...unreadable, ...unusable]
  return sorts[(n > 4 ? n - 1 : n) % sorts.length] ?? 'not JSON'
}

export function isUnreadable(sort: BadSort): boolean {
  return (unreadable as readonly string[]).includes(sort)
}

/** Bytes of an unreadable event; no two are equal. */
export function unreadableBytes(sort: BadSort, eventId: string, projectId: string): Uint8Array {
  const good = {
    event_id: eventId,
    event_type: 'PROJECT_CREATED',
    project_id: projectId,
    ingested_at: '2026-01-05T08:00:00Z'
  }
  const text = stringifyJson(good)
  switch (sort) {
    case 'not JSON':
      return Buffer.from(`<event id="${eventId}"/>`)
    case 'cut off':
      return Buffer.from(text.slice(0, -20))
    case 'root is a list':
      return Buffer.from(`[${text}]`)
    case 'root is a text':
      return Buffer.from(stringifyJson(text))
    case 'root is null':
      return Buffer.from(`null${' '.repeat(1 + (Number(projectId) % 97))}`)
    case 'no project id':
      return Buffer.from(stringifyJson({ ...good, project_id: '  ' }))
    case 'no event type':
      return Buffer.from(stringifyJson({ ...good, event_type: null }))
    case 'wrong types':
      return Buffer.from(stringifyJson({ ...good, event_type: ['X'], project_id: { id: 1 } }))
    case 'empty':
      return new Uint8Array(0)
    default: {
      const bytes = Buffer.from(text.replace('PROJECT_CREATED', 'PROJECT_CREAT?D'))
      bytes[bytes.indexOf('?')] = 0xff
      return bytes
    }
  }
}

/** The readable bad ones, as the pipeline should see them. */
export function unusableEvent(sort: BadSort, base: AcceptedEvent): AcceptedEvent {
  const failed = { ...base, outcome: 'failed_permanent' as const }
  const digits = base.sequence
  switch (sort) {
    case 'project id is not numeric':
      return { ...failed, eventType: 'PROJECT_CREATED', projectId: `proj_${digits}a` }
    case 'project id is zero':
      return { ...failed, eventType: 'PROJECT_CREATED', projectId: '0' }
    case 'media id is missing':
      return { ...failed, eventType: 'PROJECT_FILE_ADDED' }
    case 'media id is not numeric':
      return { ...failed, eventType: 'PROJECT_FILE_ADDED', mediaId: `media_${digits}a` }
    case 'task id is missing':
      return { ...failed, eventType: 'CUSTOM_TASK_ASSIGNED' }
    case 'task id is not numeric':
      return { ...failed, eventType: 'CUSTOM_TASK_COMPLETED', taskAssignmentId: `task-${digits}` }
    default:
      return { ...base, eventType: 'PROJECT_CREATED' }
  }
}

/** A note of 5 MB, for the payload of the very large event. */
export function hugeNote(rng: Rng): string {
  return `Transcript ${rng.hex(8)}: ${'and then the water came in again. '.repeat(154_000)}`
}

export const hugeSort: BadSort = huge

/** Share of bad events that goes with a level of faults. */
export function malformedShare(faults: FaultLevel): number {
  return { none: 0, light: 0.002, heavy: 0.005 }[faults]
}
