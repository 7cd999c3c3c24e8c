/**
 * The API calls of one batch: every distinct thing is asked for once, media once per project. Failures
 * are answers too; they reach only the events that need them.
 */
import {
  ApiError,
  InvariantError,
  isPipelineError,
  type JsonObject,
  type Micros,
  microsFromMillis,
  type PipelineError
} from '../../core/index.ts'
import { type Answer, type Answers, type ApiNeed, mediaIdOf } from '../../domains/claimx/index.ts'
import type { ApiReply, ClaimxApi, ProjectAnswer } from '../../ports/index.ts'

/** Identity of the API call that serves a need; media needs of a project share one. */
export function callKey(need: ApiNeed): string {
  switch (need.kind) {
    case 'project':
      return `project/${need.projectId}`
    case 'media':
      return `media/${need.projectId}`
    case 'task':
      return `task/${need.assignmentId}`
    case 'video':
      return `video/${need.projectId}`
  }
}

export interface Gathered {
  readonly answers: Answers
  /** HTTP requests per call key, in-process retries included. */
  readonly calls: ReadonlyMap<string, number>
  /** Distinct calls that the batch needed: the floor. */
  readonly floor: number
}

type Settled = Answer<unknown> & { readonly calls: number }

/** Asks for all needs at once; the client bounds the concurrency. Rejects only when aborted. */
export async function gather(
  needs: readonly ApiNeed[],
  api: ClaimxApi,
  signal: AbortSignal
): Promise<Gathered> {
  const plans = new Map<string, () => Promise<ApiReply<unknown>>>()
  for (const need of needs) plans.set(callKey(need), () => call(need, api, signal))
  for (const [projectId, ids] of mediaByProject(needs)) {
    plans.set(`media/${projectId}`, () => api.getMedia(projectId, ids, { signal }))
  }
  const settled = new Map<string, Settled>()
  await Promise.all(
    [...plans].map(async ([key, ask]) => {
      settled.set(key, await settle(ask, signal))
    })
  )
  const calls = new Map([...settled].map(([key, { calls }]) => [key, calls] as const))
  return { answers: answersFrom(settled), calls, floor: plans.size }
}

function call(need: ApiNeed, api: ClaimxApi, signal: AbortSignal): Promise<ApiReply<unknown>> {
  switch (need.kind) {
    case 'project':
      return api.getProject(need.projectId, { signal })
    case 'task':
      return api.getTask(need.assignmentId, { signal })
    case 'video':
      return api.getVideoCollaborations(need.projectId, { signal })
    case 'media':
      return api.getMedia(need.projectId, [need.mediaId], { signal })
  }
}

function mediaByProject(needs: readonly ApiNeed[]): Map<string, string[]> {
  const byProject = new Map<string, Set<string>>()
  for (const need of needs) {
    if (need.kind !== 'media') continue
    const ids = byProject.get(need.projectId) ?? new Set()
    byProject.set(need.projectId, ids.add(need.mediaId))
  }
  return new Map([...byProject].map(([projectId, ids]) => [projectId, [...ids]]))
}

async function settle(
  ask: () => Promise<ApiReply<unknown>>,
  signal: AbortSignal
): Promise<Settled> {
  try {
    const { value, askedAt, calls } = await ask()
    return { ok: true, value, askedAt: microsFromMillis(askedAt), calls }
  } catch (cause) {
    if (signal.aborted) throw cause
    return { ok: false, error: asPipelineError(cause), calls: 1 }
  }
}

/** What is not one of our errors is a defect somewhere; the event is kept and tried again. */
export function asPipelineError(cause: unknown): PipelineError {
  if (isPipelineError(cause)) return cause
  return new ApiError('INVARIANT', 'the event could not be processed', {
    cause,
    errorClass: 'transient'
  })
}

function answersFrom(settled: ReadonlyMap<string, Settled>): Answers {
  const lists = new Map<string, ReadonlyMap<string, JsonObject>>()
  const get = <T>(key: string): Answer<T> => {
    const answer = settled.get(key)
    if (answer === undefined) throw new InvariantError('INVARIANT', `no call was made for ${key}`)
    return answer as Answer<T>
  }
  return {
    project: id => get<ProjectAnswer>(`project/${id}`),
    task: id => get<JsonObject>(`task/${id}`),
    video: id => get<readonly JsonObject[]>(`video/${id}`),
    media: (projectId, mediaId) => {
      const answer = get<readonly JsonObject[]>(`media/${projectId}`)
      if (!answer.ok) return answer
      const byId = lists.get(projectId) ?? indexById(answer.value)
      lists.set(projectId, byId)
      return found(byId.get(mediaId), answer.askedAt)
    }
  }
}

function found(
  item: JsonObject | undefined,
  askedAt: Micros
): { ok: true; value: JsonObject | undefined; askedAt: Micros } {
  return { ok: true, value: item, askedAt }
}

/** By integer id, never by position (reference/claimx-api.md section 3.3). */
function indexById(items: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  const byId = new Map<string, JsonObject>()
  for (const item of items) {
    const id = mediaIdOf(item)
    if (id !== null) byId.set(id, item)
  }
  return byId
}
