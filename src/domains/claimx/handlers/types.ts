/**
 * A handler says which API answers an event needs, then decides from them which rows and downloads the
 * event becomes. It does no I/O: the worker gathers the needs of a batch, shares identical calls, asks
 * for media once per project, and hands the answers in.
 */
import type { JsonObject, Micros, PipelineError } from '../../../core/index.ts'
import type { HandlerName } from '../event-types.ts'
import type { DownloadTask, EnrichmentTask } from '../messages/types.ts'
import type { EntityRows } from '../table-names.ts'

/** One API answer that an event needs. Ids are canonical decimal text. */
export type ApiNeed =
  /** E1. */
  | { readonly kind: 'project'; readonly projectId: string }
  /** E3; the worker groups by project. */
  | { readonly kind: 'media'; readonly projectId: string; readonly mediaId: string }
  /** E6. */
  | { readonly kind: 'task'; readonly assignmentId: string }
  /** E8. */
  | { readonly kind: 'video'; readonly projectId: string }

/** E1, envelope removed; same shape as `ProjectAnswer` of the API port. */
export interface ProjectAnswer {
  readonly project: JsonObject
  readonly teamMembers: readonly JsonObject[]
  readonly companyName: string | null
}

/** `askedAt`: when the request was sent; becomes `last_enriched_at`. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T; readonly askedAt: Micros }
  | { readonly ok: false; readonly error: PipelineError }

/** Answers to the needs that the handler declared; asking for another is a defect (`INVARIANT`). */
export interface Answers {
  project(projectId: string): Answer<ProjectAnswer>
  /** Undefined value: the project's media list does not have it. */
  media(projectId: string, mediaId: string): Answer<JsonObject | undefined>
  task(assignmentId: string): Answer<JsonObject>
  video(projectId: string): Answer<readonly JsonObject[]>
}

export interface Decision {
  readonly rows: EntityRows
  readonly downloads: readonly DownloadTask[]
  /** Ids whose project row must exist before these rows are written (pre-flight, section 3.2). */
  readonly projects: readonly string[]
  /** For log and counters; the event succeeds all the same. */
  readonly warnings: readonly string[]
  /** API fields without a column, as paths (`project.newField`); their values are in `extra`. */
  readonly unknownFields: readonly string[]
}

export interface Handler {
  readonly name: HandlerName
  /** Throws `MessageError` EVENT_INVALID for missing or non-numeric ids. */
  needs(task: EnrichmentTask): readonly ApiNeed[]
  /** Throws the `PipelineError` with which the event fails. */
  decide(task: EnrichmentTask, answers: Answers, now: Micros): Decision
}
