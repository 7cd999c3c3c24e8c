/** One pass over the event stream: what the end state must hold. A few numbers an event. */
import { createHash } from 'node:crypto'
import { isJsonObject } from '../core/index.ts'
import { long } from './coercion.ts'
import type { AcceptedEvent, World } from './types.ts'

export interface ProjectPatch {
  invitedAt?: bigint
  joinedAt?: bigint
  autolinkFailedAt?: bigint
  masterFileName?: string
}

export interface Truth {
  /** Id to index in the stream, of events that carry an id. */
  readonly byId: Map<string, number>
  /** Business key to index, of events whose id the pipeline derives. */
  readonly derived: Map<string, number>
  /** SHA-256 of unreadable events to what is wrong with them. */
  readonly malformed: Map<string, string>
  /** Ids of events that end in the enrichment dead letters. */
  readonly failed: Set<string>
  readonly projects: Set<number>
  /** Projects that may have a row although nothing demands it. */
  readonly optionalProjects: Set<number>
  readonly patches: Map<number, ProjectPatch>
  /** Media that the API listed for an event, with its project. */
  readonly media: Map<number, number>
  readonly tasks: Set<number>
  /** Sessions that an event asked for, and all of their projects, which may be stored too. */
  readonly videos: Map<number, number>
  readonly videoProjects: Set<number>
  deliveries: number
  malformedDeliveries: number
}

export function collectTruth(world: World): Truth {
  const truth: Truth = {
    byId: new Map(),
    derived: new Map(),
    malformed: new Map(),
    failed: new Set(),
    projects: new Set(),
    optionalProjects: new Set(),
    patches: new Map(),
    media: new Map(),
    tasks: new Set(),
    videos: new Map(),
    videoProjects: new Set(),
    deliveries: world.eventCount,
    malformedDeliveries: 0
  }
  const seen = new Set<number>()
  for (let index = 0; index < world.eventCount; index++) {
    const expected = world.expectedEvent(index)
    if (expected.kind === 'malformed') {
      truth.malformedDeliveries++
      truth.malformed.set(sha256(world.event(index).value), expected.reason)
    } else if (!seen.has(expected.sequence)) {
      seen.add(expected.sequence)
      addEvent(world, truth, expected, index)
    }
  }
  return truth
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What tells events without id apart. */
export function businessKey(parts: readonly unknown[]): string {
  return parts.map(part => String(part ?? '')).join('|')
}

export function keyOfEvent(event: AcceptedEvent): string {
  const ids = [event.mediaId, event.taskAssignmentId, event.videoCollaborationId]
  const time = event.ingestedAt ?? ''
  return businessKey([event.projectId, event.eventType, ...ids, event.masterFileName, time])
}

function addEvent(world: World, truth: Truth, event: AcceptedEvent, index: number): void {
  if (event.eventId === undefined) truth.derived.set(keyOfEvent(event), index)
  else truth.byId.set(event.eventId, index)
  if (event.outcome === 'failed_permanent') truth.failed.add(event.eventId ?? '')
  const projectId = Number(event.projectId)
  if (!truth.optionalProjects.has(projectId)) {
    if (world.projectAnswer(projectId) === undefined) return
    truth.optionalProjects.add(projectId)
  }
  if (event.outcome === 'skipped' || !asksForProject(event)) return
  truth.projects.add(projectId)
  if (event.outcome === 'success') addEffects(world, truth, event, projectId)
}

/** Ids that are no numbers are refused before anything is asked. */
function asksForProject(event: AcceptedEvent): boolean {
  const numeric = (id: string | null): boolean => id !== null && /^\d+$/.test(id)
  if (event.eventType === 'PROJECT_FILE_ADDED') return numeric(event.mediaId)
  if (event.eventType.startsWith('CUSTOM_TASK')) return numeric(event.taskAssignmentId)
  return true
}

function addEffects(world: World, truth: Truth, event: AcceptedEvent, projectId: number): void {
  const patch = (): ProjectPatch => {
    const known = truth.patches.get(projectId) ?? {}
    truth.patches.set(projectId, known)
    return known
  }
  const time = event.ingestedAt ?? 0n
  switch (event.eventType) {
    case 'PROJECT_FILE_ADDED':
      truth.media.set(Number(event.mediaId), projectId)
      break
    case 'CUSTOM_TASK_ASSIGNED':
    case 'CUSTOM_TASK_COMPLETED': {
      const assignmentId = Number(event.taskAssignmentId)
      if (truth.tasks.has(assignmentId)) break
      truth.tasks.add(assignmentId)
      const owner = world.taskProject(assignmentId)
      if (owner !== undefined) truth.projects.add(owner)
      break
    }
    case 'PROJECT_MFN_ADDED':
      if (event.masterFileName !== null) patch().masterFileName = event.masterFileName
      break
    case 'POLICYHOLDER_INVITED':
      patch().invitedAt = earlier(patch().invitedAt, time)
      break
    case 'POLICYHOLDER_JOINED':
      patch().joinedAt = earlier(patch().joinedAt, time)
      break
    case 'PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL':
      patch().autolinkFailedAt = earlier(patch().autolinkFailedAt, time)
      break
    case 'VIDEO_COLLABORATION_INVITE_SENT':
    case 'VIDEO_COLLABORATION_COMPLETED':
      addVideo(world, truth, event, projectId)
      break
  }
}

/** The session of the event when the report has it, else the report's first (claimx-api.md 3.7). */
function addVideo(world: World, truth: Truth, event: AcceptedEvent, projectId: number): void {
  truth.videoProjects.add(projectId)
  const items = world.videoAnswers(projectId).filter(isJsonObject)
  const idOf = (item: (typeof items)[number]): number =>
    long(item['videoCollaborationId'] ?? item['id']) ?? 0
  const wanted = Number(event.videoCollaborationId ?? Number.NaN)
  const chosen = items.find(item => idOf(item) === wanted) ?? items[0]
  if (chosen !== undefined) truth.videos.set(idOf(chosen), projectId)
}

function earlier(known: bigint | undefined, time: bigint): bigint {
  return known === undefined || time < known ? time : known
}
