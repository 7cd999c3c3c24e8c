/** A ClaimX API by its port: answers from maps, calls recorded, failures and pauses on demand. */
import { ApiError, type JsonObject } from '../../src/core/index.ts'
import type { ApiReply, CallOptions, ClaimxApi, ProjectAnswer } from '../../src/ports/index.ts'
import { mediaItem, projectAnswer, taskAnswer, videoItem } from './claimx-fixtures.ts'
import type { FakeClock } from './fake-clock.ts'

export class FakeClaimx implements ClaimxApi {
  readonly #clock: FakeClock
  /** Calls in order: `project 7`, `media 7 [1,2]`, `task 5`, `video 7`. */
  readonly calls: string[] = []
  /** Those of them that asked to go first. */
  readonly urgent: string[] = []
  readonly failures = new Map<string, Error>()
  /** Media of each project; default: whatever is asked for. */
  readonly media = new Map<string, JsonObject[]>()
  /** Project that a task belongs to; default: the project of its event is not known here, 7. */
  readonly taskProjects = new Map<string, number>()
  /** Awaited before each answer. */
  onCall: (call: string, signal?: AbortSignal) => void | Promise<void> = () => undefined

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  getProject(id: string, options?: CallOptions): Promise<ApiReply<ProjectAnswer>> {
    return this.#answer(`project ${id}`, options, () => projectAnswer(Number(id)))
  }

  findProjectId(number: string): Promise<ApiReply<string | undefined>> {
    return this.#answer(`find ${number}`, undefined, () => undefined)
  }

  getMedia(
    projectId: string,
    ids: readonly string[] | 'all',
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    const asked = ids === 'all' ? 'all' : [...ids].sort().join()
    return this.#answer(`media ${projectId} [${asked}]`, options, () => {
      const wanted = ids === 'all' ? [] : ids
      return this.media.get(projectId) ?? wanted.map(id => mediaItem(Number(id)))
    })
  }

  getTask(id: string, options?: CallOptions): Promise<ApiReply<JsonObject>> {
    return this.#answer(`task ${id}`, options, () =>
      taskAnswer(Number(id), this.taskProjects.get(id) ?? 7)
    )
  }

  getVideoCollaborations(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#answer(`video ${projectId}`, options, () => [videoItem(5001, Number(projectId))])
  }

  getContacts(): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#answer('contacts', undefined, () => [])
  }

  getConversations(): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#answer('conversations', undefined, () => [])
  }

  getProjectTasks(): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#answer('tasks', undefined, () => [])
  }

  status(): ReturnType<ClaimxApi['status']> {
    return {
      state: 'ok',
      inFlight: 0,
      waiting: 0,
      requests: {},
      answers: {},
      shared: 0,
      concurrencyLimit: 1,
      rateLimit: undefined
    }
  }

  async close(): Promise<void> {}

  async #answer<T>(call: string, options: CallOptions | undefined, value: () => T) {
    options?.signal?.throwIfAborted()
    this.calls.push(call)
    if (options?.urgent === true) this.urgent.push(call)
    const askedAt = this.#clock.now()
    await this.onCall(call, options?.signal)
    const failure = this.failures.get(call.replace(/ \[.*/, ''))
    if (failure !== undefined) throw failure
    return { value: value(), askedAt, calls: 1 }
  }
}

export const notFound = () => new ApiError('API_NOT_FOUND', 'the API answered 404')
export const serverError = () => new ApiError('API_SERVER_ERROR', 'the API answered 503')
