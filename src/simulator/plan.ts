/**
 * Which event happens when to what: a simulated stream of bursts over all projects, kept as a few
 * typed arrays (about 20 bytes an event). Everything else is generated from these numbers on demand.
 */
import { Rng } from './rng.ts'
import type { WorldOptions } from './types.ts'

/** Kinds of business events; positions are stored in `Plan.kind`. */
export const kinds = [
  'PROJECT_CREATED',
  'PROJECT_FILE_ADDED',
  'PROJECT_MFN_ADDED',
  'CUSTOM_TASK_ASSIGNED',
  'CUSTOM_TASK_COMPLETED',
  'POLICYHOLDER_INVITED',
  'POLICYHOLDER_JOINED',
  'VIDEO_COLLABORATION_INVITE_SENT',
  'VIDEO_COLLABORATION_COMPLETED',
  'PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL',
  'UNKNOWN',
  'BAD'
] as const
export type Kind = (typeof kinds)[number]

/** Weights of operations.md section 9, and a few of the rest. */
const weights = [15, 50, 5, 30, 30, 15, 15, 5, 5, 3, 2] as const
/** Mean length of a burst of photos; other kinds come alone. */
const FILES = 1
const MEAN_BURST = 7

/** Entities of one sort, numbered in order of appearance, chained by project. */
export interface EntityList {
  readonly project: Int32Array
  readonly next: Int32Array
  readonly head: Int32Array
  count: number
}

export interface Plan {
  /** Position in the stream to the number of the business event. */
  readonly order: Int32Array
  readonly eventCount: number
  /** By business event: kind, project and entity (media, task, session; for BAD the sort). */
  readonly kind: Uint8Array
  readonly project: Int32Array
  readonly entity: Int32Array
  readonly media: EntityList
  readonly tasks: EntityList
  readonly videos: EntityList
  /** By task: a CUSTOM_TASK_COMPLETED event exists. */
  readonly taskCompleted: Uint8Array
}

interface Draft extends Plan {
  readonly options: Required<WorldOptions>
  readonly rng: Rng
  /** By project: bits of the events it had. */
  readonly had: Uint8Array
  /** Projects with an event so far, in order of appearance. */
  readonly seen: Int32Array
  seenCount: number
  businessCount: number
}

const CREATED = 1
/** Has an event that makes the pipeline ask for the project. */
const ASKED = 2

export function makePlan(options: Required<WorldOptions>, isMissing: (p: number) => boolean): Plan {
  const draft = newDraft(options)
  const { rng, order } = draft
  const duplicates = Math.floor(options.events * 0.02)
  const business = options.events - duplicates
  const bad = badCount(options, business)
  const bursts: { project: number; left: number }[] = []
  for (let n = 0; n < business; n++) {
    if (bad > 0 && isBadTurn(n, bad, business)) addBad(draft, Math.floor((n * bad) / business))
    else addEvent(draft, bursts, isMissing)
    order[n] = n
  }
  for (let n = business; n < options.events; n++) order[n] = rng.int(Math.max(1, business))
  disorder(order, rng, business)
  return draft
}

function newDraft(options: Required<WorldOptions>): Draft {
  const events = options.events
  const entities = (): EntityList => ({
    project: new Int32Array(events + 3 * options.projects),
    next: new Int32Array(events + 3 * options.projects),
    head: new Int32Array(options.projects).fill(-1),
    count: 0
  })
  return {
    options,
    rng: new Rng(options.seed, 0x91a7),
    eventCount: events,
    order: new Int32Array(events),
    kind: new Uint8Array(events),
    project: new Int32Array(events),
    entity: new Int32Array(events).fill(-1),
    media: entities(),
    tasks: entities(),
    videos: entities(),
    taskCompleted: new Uint8Array(events + options.projects),
    had: new Uint8Array(options.projects),
    seen: new Int32Array(options.projects),
    seenCount: 0,
    businessCount: 0
  }
}

function badCount(options: Required<WorldOptions>, business: number): number {
  if (options.malformed <= 0) return 0
  return Math.min(Math.max(1, Math.round(business * options.malformed)), Math.floor(business / 2))
}

function isBadTurn(n: number, bad: number, business: number): boolean {
  return Math.floor(((n + 1) * bad) / business) > Math.floor((n * bad) / business)
}

function add(draft: Draft, kind: Kind, project: number, entity: number): void {
  const n = draft.businessCount++
  draft.kind[n] = kinds.indexOf(kind)
  draft.project[n] = project
  draft.entity[n] = entity
  const bits = kind === 'PROJECT_CREATED' ? CREATED | ASKED : ASKED
  if (kind !== 'BAD') draft.had[project] = (draft.had[project] ?? 0) | bits
}

function addBad(draft: Draft, sort: number): void {
  const project = draft.seenCount > 0 ? (draft.seen[draft.rng.int(draft.seenCount)] ?? 0) : 0
  add(draft, 'BAD', project, sort)
}

function addEvent(
  draft: Draft,
  bursts: { project: number; left: number }[],
  isMissing: (p: number) => boolean
): void {
  const { rng } = draft
  if (bursts.length > 0 && rng.chance(0.75)) {
    const at = rng.int(bursts.length)
    const burst = bursts[at]
    if (burst !== undefined) {
      addFile(draft, burst.project)
      burst.left--
      if (burst.left <= 0) bursts.splice(at, 1)
      return
    }
  }
  const perEvent = weights.map((weight, i) => (i === FILES ? weight / MEAN_BURST : weight))
  const kind = kinds[rng.weighted(perEvent)] ?? 'PROJECT_FILE_ADDED'
  if (kind === 'PROJECT_FILE_ADDED') {
    const project = pickProject(draft)
    const length = rng.chance(0.1) ? rng.between(15, 45) : rng.between(1, 7)
    addFile(draft, project)
    if (length > 1) bursts.push({ project, left: length - 1 })
    return
  }
  addSingle(draft, kind, isMissing)
}

/** Mostly a project that is active already; new ones appear evenly over the stream. */
function pickProject(draft: Draft): number {
  const { rng, options } = draft
  const due = Math.ceil(((draft.businessCount + 1) / options.events) * options.projects * 1.15)
  if (draft.seenCount < options.projects && draft.seenCount < due) {
    const project = draft.seenCount++
    draft.seen[project] = project
    // A few photos were there before the stream began: listed by the API, never announced.
    if (rng.chance(0.5)) for (let i = rng.between(1, 3); i > 0; i--) addEntity(draft.media, project)
    return project
  }
  const recent = Math.min(draft.seenCount, 40)
  const at = rng.chance(0.6) ? draft.seenCount - 1 - rng.int(recent) : rng.int(draft.seenCount)
  return draft.seen[at] ?? 0
}

function addEntity(list: EntityList, project: number): number {
  const id = list.count++
  list.project[id] = project
  list.next[id] = list.head[project] ?? -1
  list.head[project] = id
  return id
}

function addFile(draft: Draft, project: number): void {
  const again = draft.rng.chance(0.03) ? (draft.media.head[project] ?? -1) : -1
  add(draft, 'PROJECT_FILE_ADDED', project, again >= 0 ? again : addEntity(draft.media, project))
}

function addSingle(draft: Draft, kind: Kind, isMissing: (p: number) => boolean): void {
  const project = pickProject(draft)
  const entity = entityFor(draft, kind, project, isMissing)
  if (entity === undefined) addFile(draft, project)
  else add(draft, kind, project, entity)
}

/** The task or session of an event, -1 when it has none; undefined: no such event for this project. */
function entityFor(
  draft: Draft,
  kind: Kind,
  project: number,
  isMissing: (p: number) => boolean
): number | undefined {
  const had = draft.had[project] ?? 0
  switch (kind) {
    case 'PROJECT_CREATED':
      return (had & CREATED) === 0 ? -1 : undefined
    case 'CUSTOM_TASK_ASSIGNED':
      return addEntity(draft.tasks, project)
    case 'CUSTOM_TASK_COMPLETED': {
      const open = draft.tasks.head[project] ?? -1
      const task = open >= 0 && draft.rng.chance(0.85) ? open : addEntity(draft.tasks, project)
      draft.taskCompleted[task] = 1
      return task
    }
    case 'VIDEO_COLLABORATION_INVITE_SENT':
      return addEntity(draft.videos, project)
    case 'VIDEO_COLLABORATION_COMPLETED': {
      const open = draft.videos.head[project] ?? -1
      return open >= 0 ? open : addEntity(draft.videos, project)
    }
    case 'PROJECT_MFN_ADDED':
    case 'PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL':
    case 'UNKNOWN':
      // For a project that the API does not know, or that nothing else asks for, the reference leaves
      // the result of these open.
      return isMissing(project) || (had & ASKED) === 0 ? undefined : -1
    default:
      return -1
  }
}

/** Swaps neighbours over short distances, and spreads the duplicates over the stream. */
function disorder(order: Int32Array, rng: Rng, business: number): void {
  const swap = (a: number, b: number): void => {
    const kept = order[a] ?? 0
    order[a] = order[b] ?? 0
    order[b] = kept
  }
  for (let i = 0; i < business; i++) {
    if (rng.chance(0.1)) swap(i, Math.min(business - 1, i + rng.between(1, 30)))
  }
  for (let i = business; i < order.length; i++) swap(i, rng.int(order.length))
}
