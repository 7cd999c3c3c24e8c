/** Checks of the event tables and of the dead letters: every event in exactly one end state. */
import { dateOf, isJsonObject, type JsonObject, parseJson } from '../core/index.ts'
import { Differences, show } from './differences.ts'
import { businessKey, sha256, type Truth } from './truth.ts'
import type { AcceptedEvent, Check, EndStateView, World } from './types.ts'

type ActualRow = Record<string, string | number | bigint | boolean | null>

const eventColumns = [
  'event_id',
  'event_type',
  'project_id',
  'media_id',
  'task_assignment_id',
  'video_collaboration_id',
  'master_file_name',
  'ingested_at',
  'event_date'
]
const logColumns = [
  'event_id',
  'event_type',
  'project_id',
  'status',
  'error_message',
  'error_category',
  'retry_count'
]

export async function checkEvents(
  world: World,
  truth: Truth,
  view: EndStateView
): Promise<Check[]> {
  const found = await checkEventTable(world, truth, view)
  const logged = await checkEventLog(world, truth, view, found.derivedIds)
  return [found.check, logged]
}

/** Also returns the ids that the pipeline derived, with the event each belongs to. */
async function checkEventTable(
  world: World,
  truth: Truth,
  view: EndStateView
): Promise<{ check: Check; derivedIds: Map<string, number> }> {
  const differences = new Differences()
  const seen = new Set<string>()
  const derivedIds = new Map<string, number>()
  const left = new Map(truth.derived)
  for (const row of await view.readTable('claimx_events', [...eventColumns])) {
    const id = String(row['event_id'])
    if (seen.has(id)) {
      differences.add(`event ${id} occurs more than once`)
      continue
    }
    seen.add(id)
    const index = truth.byId.get(id) ?? takeDerived(left, row)
    if (index === undefined) {
      differences.add(`event ${id} was never sent`)
      continue
    }
    if (!truth.byId.has(id)) derivedIds.set(id, index)
    compareEvent(id, accepted(world, index), row, differences)
  }
  for (const id of truth.byId.keys()) if (!seen.has(id)) differences.add(`event ${id} is missing`)
  for (const key of left.keys()) differences.add(`event without id (${key}) is missing`)
  const summary = `${seen.size} events, each once; ${derivedIds.size} of them with derived id`
  return { check: differences.check('claimx_events', summary), derivedIds }
}

function accepted(world: World, index: number): AcceptedEvent {
  const event = world.expectedEvent(index)
  if (event.kind !== 'accepted') throw new RangeError(`event ${index} is not an accepted one`)
  return event
}

/** An event without id is found by what it says; each is taken once. */
function takeDerived(left: Map<string, number>, row: ActualRow): number | undefined {
  const parts = ['project_id', 'event_type', 'media_id', 'task_assignment_id']
  const rest = ['video_collaboration_id', 'master_file_name']
  const said = [...parts, ...rest].map(column => row[column])
  for (const time of [row['ingested_at'], '']) {
    const key = businessKey([...said, time])
    const index = left.get(key)
    if (index !== undefined) {
      left.delete(key)
      return index
    }
  }
  return undefined
}

function compareEvent(
  id: string,
  event: AcceptedEvent,
  row: ActualRow,
  differences: Differences
): void {
  const expected: Record<string, string | bigint | null> = {
    event_type: event.eventType,
    project_id: event.projectId,
    media_id: event.mediaId,
    task_assignment_id: event.taskAssignmentId,
    video_collaboration_id: event.videoCollaborationId,
    master_file_name: event.masterFileName
  }
  if (event.ingestedAt !== undefined) {
    expected['ingested_at'] = event.ingestedAt
    expected['event_date'] = dateOf(event.ingestedAt)
  }
  for (const [column, value] of Object.entries(expected)) {
    if (row[column] !== value) {
      differences.add(`${id} ${column}: expected ${show(value)}, found ${show(row[column])}`)
    }
  }
}

async function checkEventLog(
  world: World,
  truth: Truth,
  view: EndStateView,
  derivedIds: ReadonlyMap<string, number>
): Promise<Check> {
  const differences = new Differences()
  const seen = new Set<string>()
  const states = new Map<string, number>()
  for (const row of await view.readTable('claimx_event_log', [...logColumns])) {
    const id = String(row['event_id'])
    if (seen.has(id)) {
      differences.add(`event ${id} is logged more than once`)
      continue
    }
    seen.add(id)
    const index = truth.byId.get(id) ?? derivedIds.get(id)
    if (index === undefined) {
      differences.add(`event ${id} is logged but was never sent`)
      continue
    }
    const status = String(row['status'])
    states.set(status, (states.get(status) ?? 0) + 1)
    compareLog(id, accepted(world, index), row, differences)
  }
  for (const id of [...truth.byId.keys(), ...derivedIds.keys()]) {
    if (!seen.has(id)) differences.add(`event ${id} is not logged`)
  }
  const counts = [...states].map(([status, count]) => `${count} ${status}`).join(', ')
  return differences.check('claimx_event_log', `${seen.size} events: ${counts}`)
}

function compareLog(
  id: string,
  event: AcceptedEvent,
  row: ActualRow,
  differences: Differences
): void {
  const failed = event.outcome === 'failed_permanent'
  const expected = {
    event_type: event.eventType,
    project_id: event.projectId,
    status: event.outcome
  }
  for (const [column, value] of Object.entries(expected)) {
    if (row[column] !== value) {
      differences.add(`${id} ${column}: expected ${show(value)}, found ${show(row[column])}`)
    }
  }
  if (row['retry_count'] === null || Number(row['retry_count']) < 0) {
    differences.add(`${id} retry_count: expected a count, found ${show(row['retry_count'])}`)
  }
  for (const column of ['error_message', 'error_category']) {
    if ((row[column] !== null) !== failed && row['status'] === event.outcome) {
      const wanted = failed ? 'a text' : 'null'
      differences.add(`${id} ${column}: expected ${wanted}, found ${show(row[column])}`)
    }
  }
}

/** Three lines: unreadable events, failed events, refused media. */
export function checkDeadLetters(
  world: World,
  truth: Truth,
  letters: readonly { topic: string; value: string }[]
): Check[] {
  const events = new Differences()
  const enrichment = new Differences()
  const downloads = new Differences()
  const refused = refusedMedia(world, truth)
  const seen = {
    events: new Set<string>(),
    enrichment: new Set<string>(),
    media: new Set<string>()
  }
  for (const { topic, value } of letters) {
    const letter = parse(value)
    if (topic.includes('download')) {
      const id = letter === undefined ? '(unreadable letter)' : String(letter['media_id'])
      seen.media.add(id)
      if (!refused.has(id)) downloads.add(`media ${id} should not be here${reason(letter)}`)
    } else if (topic.includes('enrichment')) {
      const id = letter === undefined ? '(unreadable letter)' : String(letter['event_id'])
      seen.enrichment.add(id)
      if (!truth.failed.has(id)) enrichment.add(`event ${id} should not be here${reason(letter)}`)
    } else {
      const digest = malformedDigest(truth, letter)
      if (digest === undefined) events.add(`a letter that keeps no event sent${reason(letter)}`)
      else seen.events.add(digest)
    }
  }
  for (const [digest, what] of truth.malformed) {
    if (!seen.events.has(digest)) events.add(`the bytes of an event (${what}) are not kept`)
  }
  for (const id of truth.failed) {
    if (!seen.enrichment.has(id)) enrichment.add(`event ${id} is missing`)
  }
  for (const id of refused) if (!seen.media.has(id)) downloads.add(`media ${id} is missing`)
  return [
    events.check('claimx.events.dlq', `${seen.events.size} unreadable events, bytes kept`),
    enrichment.check('claimx.enrichment.dlq', `${seen.enrichment.size} events, all as expected`),
    downloads.check('claimx.downloads.dlq', `${seen.media.size} media, all as expected`)
  ]
}

function parse(value: string): JsonObject | undefined {
  try {
    const letter = parseJson(value)
    return isJsonObject(letter) ? letter : undefined
  } catch {
    return undefined
  }
}

function reason(letter: JsonObject | undefined): string {
  const text = letter?.['final_error'] ?? letter?.['error_message']
  return typeof text === 'string' ? ` (${text.slice(0, 120)})` : ''
}

/** The envelope keeps text, or base64 where the bytes are not UTF-8. */
function malformedDigest(truth: Truth, letter: JsonObject | undefined): string | undefined {
  const kept = letter?.['original_value']
  if (typeof kept !== 'string') return undefined
  const decoded = Buffer.from(kept, 'base64')
  const isBase64 = kept !== '' && decoded.toString('base64') === kept
  return [Buffer.from(kept), ...(isBase64 ? [decoded] : [])]
    .map(sha256)
    .find(digest => truth.malformed.has(digest))
}

export function refusedMedia(world: World, truth: Truth): Set<string> {
  const refused = new Set<string>()
  for (const mediaId of truth.media.keys()) {
    const file = world.mediaFile(mediaId)
    if (file?.refused === true && file.hasLink) refused.add(String(mediaId))
  }
  return refused
}
