/** The world: everything the API and the event stream say, as a pure function of its options. */
import { type JsonObject, PipelineError } from '../core/index.ts'
import {
  type BadSort,
  badSort,
  hugeNote,
  hugeSort,
  isUnreadable,
  unreadableBytes,
  unusableEvent
} from './bad-events.ts'
import { fromId, inShare, numberOfUuid, toId } from './ids.ts'
import { type MediaFacts, mediaAnswer, mediaFacts } from './media.ts'
import { makeFiller, mediaChunks, mediaDigest } from './media-bytes.ts'
import { type Claim, makeClaim, projectAnswer, projectIdIn } from './people.ts'
import { type EntityList, kinds, makePlan, type Plan } from './plan.ts'
import { hash32, Rng } from './rng.ts'
import { eventTime, type Identity, spell } from './spelling.ts'
import { taskAnswer, videoAnswer } from './tasks.ts'
import type { AcceptedEvent, ExpectedEvent, World, WorldEvent, WorldOptions } from './types.ts'

const unknownTypes = ['PROJECT_ARCHIVED', 'CUSTOM_TASK_REASSIGNED', 'ESTIMATE_EXPORTED'] as const

/** Throws `USAGE` when the sizes are out of range. Holds about 60 bytes an event. */
export function createWorld(options: WorldOptions): World {
  const full: Required<WorldOptions> = {
    malformed: 0,
    missing: 0.004,
    refused: 0.003,
    mediaScale: 1,
    ...options
  }
  checkOptions(full)
  return new SeededWorld(full)
}

function checkOptions({ seed, projects, events }: WorldOptions): void {
  const whole = (value: number, from: number, to: number): boolean =>
    Number.isSafeInteger(value) && value >= from && value <= to
  if (!Number.isSafeInteger(seed)) throw new PipelineError('USAGE', `seed ${seed}: not an integer`)
  if (!whole(projects, 1, 200_000)) {
    throw new PipelineError('USAGE', `projects ${projects}: must be between 1 and 200000`)
  }
  if (!whole(events, 0, 2_000_000)) {
    throw new PipelineError('USAGE', `events ${events}: must be between 0 and 2000000`)
  }
}

class SeededWorld implements World {
  readonly options: Required<WorldOptions>
  readonly eventCount: number
  readonly #seed: number
  readonly #plan: Plan
  readonly #filler: ReturnType<typeof makeFiller>
  readonly #digests = new Map<number, string>()

  constructor(options: Required<WorldOptions>) {
    this.options = options
    this.#seed = options.seed
    this.eventCount = options.events
    this.#plan = makePlan(options, p => this.#missing('project', p))
    this.#filler = makeFiller(options.seed)
  }

  // --- event stream

  expectedEvent(index: number): ExpectedEvent {
    return this.#expected(this.#sequence(index))
  }

  event(index: number): WorldEvent {
    const sequence = this.#sequence(index)
    const expected = this.#expected(sequence)
    const projectNumber = this.#plan.project[sequence] ?? 0
    const projectId = String(toId('project', projectNumber))
    if (expected.kind === 'malformed') {
      const sort = this.#badSort(sequence)
      const value = unreadableBytes(sort, this.#eventId(sequence), projectId)
      return { index, key: sequence % 2 === 0 ? projectId : null, value, expected }
    }
    const identity = this.#identity(sequence)
    const rng = new Rng(this.#seed, 0x5e, identity === 'timeless' ? sequence : index)
    const claim = makeClaim(this.#seed, projectNumber)
    const details = this.#details(sequence, claim, expected)
    // Without id and time, only the payload tells two events of one entity apart.
    if (identity === 'timeless') details['revision'] = sequence
    const text = spell({ event: expected, claim, identity, details }, rng)
    return {
      index,
      key: rng.chance(0.2) ? null : (expected.eventId ?? projectId),
      value: Buffer.from(text),
      expected
    }
  }

  #sequence(index: number): number {
    const sequence = this.#plan.order[index]
    if (sequence === undefined) throw new RangeError(`no event ${index}`)
    return sequence
  }

  #badSort(sequence: number): BadSort {
    return badSort(this.#plan.entity[sequence] ?? 0)
  }

  #expected(sequence: number): ExpectedEvent {
    const kind = kinds[this.#plan.kind[sequence] ?? 0] ?? 'UNKNOWN'
    const project = this.#plan.project[sequence] ?? 0
    const base: AcceptedEvent = {
      kind: 'accepted',
      sequence,
      eventId: this.#eventId(sequence),
      eventType: kind,
      projectId: String(toId('project', project)),
      mediaId: null,
      taskAssignmentId: null,
      videoCollaborationId: null,
      masterFileName: null,
      ingestedAt: eventTime(sequence),
      outcome: this.#missing('project', project) ? 'failed_permanent' : 'success'
    }
    if (kind === 'BAD') {
      const sort = this.#badSort(sequence)
      if (isUnreadable(sort)) return { kind: 'malformed', sequence, reason: sort }
      return unusableEvent(sort, base)
    }
    const event = { ...base, ...this.#ids(sequence, kind, base) }
    if (event.outcome === 'failed_permanent') return event
    const identity = this.#identity(sequence)
    return {
      ...event,
      eventId: identity === 'none' || identity === 'timeless' ? undefined : event.eventId,
      ingestedAt: identity === 'timeless' ? undefined : event.ingestedAt
    }
  }

  #ids(sequence: number, kind: string, base: AcceptedEvent): Partial<AcceptedEvent> {
    const entity = this.#plan.entity[sequence] ?? 0
    const failed = (missing: boolean): AcceptedEvent['outcome'] =>
      missing ? 'failed_permanent' : base.outcome
    switch (kind) {
      case 'PROJECT_FILE_ADDED':
        return {
          mediaId: String(toId('media', entity)),
          outcome: failed(this.#missing('media', entity))
        }
      case 'CUSTOM_TASK_ASSIGNED':
      case 'CUSTOM_TASK_COMPLETED':
        return {
          taskAssignmentId: String(toId('task', entity)),
          outcome: failed(this.#missing('task', entity))
        }
      case 'VIDEO_COLLABORATION_INVITE_SENT':
      case 'VIDEO_COLLABORATION_COMPLETED':
        return inShare(0.05, this.#seed, 0xf0, sequence)
          ? {}
          : { videoCollaborationId: String(toId('video', entity)) }
      case 'PROJECT_MFN_ADDED':
        return inShare(0.06, this.#seed, 0xf1, sequence)
          ? {}
          : { masterFileName: this.#claim(base.projectId).masterFileName }
      case 'UNKNOWN':
        return {
          eventType: unknownTypes[sequence % unknownTypes.length] ?? 'UNKNOWN',
          outcome: 'skipped'
        }
      default:
        return {}
    }
  }

  /** Half of the producers send short ids, the others UUIDs; both carry the sequence: no collisions. */
  #eventId(sequence: number): string {
    const low = (sequence ^ hash32(this.#seed, 0x1d)) & 0xffffff
    const tail = low.toString(16).padStart(6, '0')
    const rng = new Rng(this.#seed, 0x1e, sequence)
    if (rng.chance(0.5)) return `evt_${rng.hex(6)}${tail}`
    return `${rng.hex(8)}-${rng.hex(4)}-4${rng.hex(3)}-9${rng.hex(3)}-${rng.hex(6)}${tail}`
  }

  /** Which producer: most send ids. Bad, failing and project-patching events always carry theirs. */
  #identity(sequence: number): Identity {
    const kind = kinds[this.#plan.kind[sequence] ?? 0]
    const roll = hash32(this.#seed, 0x1f, sequence) % 1000
    if (kind === 'BAD') return 'event_id'
    const entity = this.#plan.entity[sequence] ?? 0
    const fails =
      this.#missing('project', this.#plan.project[sequence] ?? 0) ||
      (kind === 'PROJECT_FILE_ADDED' && this.#missing('media', entity)) ||
      (kind?.startsWith('CUSTOM_TASK') === true && this.#missing('task', entity))
    if (!fails && kind !== 'UNKNOWN') {
      if (roll < 2 && (kind === 'PROJECT_FILE_ADDED' || kind === 'PROJECT_CREATED')) {
        return 'timeless'
      }
      if (roll < 40) return 'none'
    }
    return roll < 300 ? 'trace_id' : 'event_id'
  }

  #details(sequence: number, claim: Claim, event: AcceptedEvent): JsonObject {
    const plan = this.#plan
    if (kinds[plan.kind[sequence] ?? 0] === 'BAD') {
      if (this.#badSort(sequence) !== hugeSort) return {}
      return { transcript: hugeNote(new Rng(this.#seed, 0x5b)) }
    }
    switch (event.eventType) {
      case 'PROJECT_CREATED':
        return {
          projectName: `${claim.insured.last} – ${claim.loss[1]}`,
          insuredName: `${claim.insured.first} ${claim.insured.last}`,
          propertyAddress: `${claim.street}, ${claim.place[0]}, ${claim.place[1]}`,
          lossType: claim.loss[0]
        }
      case 'PROJECT_FILE_ADDED': {
        const file = this.#media(plan.entity[sequence] ?? 0)
        return {
          fileName: file.name,
          fileSize: file.size,
          contentType: file.contentType,
          uploadedBy: claim.insured.email
        }
      }
      case 'PROJECT_MFN_ADDED':
        return { version: 1, lineItemCount: sequence % 80 }
      case 'POLICYHOLDER_INVITED':
        return { inviteeEmail: claim.insured.email, invitedBy: claim.adjusters[0]?.email ?? null }
      case 'POLICYHOLDER_JOINED':
        return { userEmail: claim.insured.email, userName: claim.insured.first }
      default:
        return {}
    }
  }

  // --- API

  projectAnswer(projectId: number): JsonObject | undefined {
    const number = this.#projectNumber(projectId)
    if (number === undefined) return undefined
    return projectAnswer(this.#seed, makeClaim(this.#seed, number))
  }

  projectIdOf(claimNumber: string): number | undefined {
    const projectId = projectIdIn(claimNumber)
    const number = projectId === undefined ? undefined : this.#projectNumber(projectId)
    if (number === undefined) return undefined
    const claim = makeClaim(this.#seed, number)
    return claim.claimNumber === claimNumber ? claim.projectId : undefined
  }

  mediaIdsOf(projectId: number): number[] {
    return this.#entitiesOf(projectId, this.#plan.media)
      .filter(number => !this.#missing('media', number))
      .map(number => toId('media', number))
  }

  mediaAnswer(mediaId: number): JsonObject | undefined {
    const number = fromId('media', mediaId, this.#plan.media.count)
    if (number === undefined || this.#missing('media', number)) return undefined
    const project = this.#plan.media.project[number] ?? 0
    const task = this.#plan.tasks.head[project] ?? -1
    const ofTask = task >= 0 && hash32(this.#seed, 0x7a, number) % 4 === 0
    return mediaAnswer(this.#seed, this.#media(number), ofTask ? toId('task', task) : null)
  }

  mediaFile(mediaId: number): MediaFacts | undefined {
    const number = fromId('media', mediaId, this.#plan.media.count)
    return number === undefined ? undefined : this.#media(number)
  }

  mediaFileByUuid(uuid: string): MediaFacts | undefined {
    const number = numberOfUuid(this.#seed, uuid)
    return number === undefined || number >= this.#plan.media.count
      ? undefined
      : this.#media(number)
  }

  mediaChunks(mediaId: number): Iterable<Uint8Array> {
    const file = this.mediaFile(mediaId)
    return file === undefined ? [] : mediaChunks(this.#seed, file, this.#filler)
  }

  mediaDigest(mediaId: number): string {
    const known = this.#digests.get(mediaId)
    if (known !== undefined) return known
    const file = this.mediaFile(mediaId)
    if (file === undefined) throw new RangeError(`no media ${mediaId}`)
    const digest = mediaDigest(this.#seed, file, this.#filler)
    this.#digests.set(mediaId, digest)
    return digest
  }

  taskProject(assignmentId: number): number | undefined {
    const number = this.#taskNumber(assignmentId)
    return number === undefined ? undefined : toId('project', this.#projectOfTask(number))
  }

  taskAnswer(assignmentId: number): JsonObject | undefined {
    const number = this.#taskNumber(assignmentId)
    if (number === undefined) return undefined
    const { taskCompleted } = this.#plan
    const claim = makeClaim(this.#seed, this.#projectOfTask(number))
    return taskAnswer(this.#seed, {
      number,
      claim,
      completed: taskCompleted[number] === 1
    })
  }

  taskIdsOf(projectId: number): number[] {
    return this.#entitiesOf(projectId, this.#plan.tasks)
      .filter(number => !this.#missing('task', number))
      .map(number => toId('task', number))
  }

  videoAnswers(projectId: number): JsonObject[] {
    const project = this.#projectNumber(projectId)
    if (project === undefined) return []
    const claim = makeClaim(this.#seed, project)
    return this.#entitiesOf(projectId, this.#plan.videos)
      .filter(number => !this.#missing('video', number))
      .map(number => videoAnswer(this.#seed, number, claim))
  }

  #taskNumber(assignmentId: number): number | undefined {
    const { tasks } = this.#plan
    const number = fromId('task', assignmentId, tasks.count)
    if (number === undefined || this.#missing('task', number)) return undefined
    return this.#missing('project', tasks.project[number] ?? 0) ? undefined : number
  }

  /** Now and then a task moved to another claim since the event. */
  #projectOfTask(number: number): number {
    const own = this.#plan.tasks.project[number] ?? 0
    if (!inShare(0.01, this.#seed, 0xab, number)) return own
    const other = hash32(this.#seed, 0xac, number) % this.options.projects
    return this.#missing('project', other) ? own : other
  }

  #claim(projectId: string): Claim {
    const number = fromId('project', Number(projectId), this.options.projects)
    return makeClaim(this.#seed, number ?? 0)
  }

  #projectNumber(projectId: number): number | undefined {
    const number = fromId('project', projectId, this.options.projects)
    return number === undefined || this.#missing('project', number) ? undefined : number
  }

  #media(number: number): MediaFacts {
    const projectId = toId('project', this.#plan.media.project[number] ?? 0)
    const { refused, mediaScale } = this.options
    return mediaFacts(this.#seed, number, projectId, { refused, scale: mediaScale })
  }

  #entitiesOf(projectId: number, list: EntityList): number[] {
    const project = this.#projectNumber(projectId)
    const numbers: number[] = []
    if (project === undefined) return numbers
    for (let n = list.head[project] ?? -1; n >= 0; n = list.next[n] ?? -1) numbers.push(n)
    return numbers
  }

  #missing(kind: 'project' | 'media' | 'task' | 'video', number: number): boolean {
    const salt = { project: 0xd0, media: 0xd1, task: 0xd2, video: 0xd3 }[kind]
    return inShare(this.options.missing, this.#seed, salt, number)
  }
}
