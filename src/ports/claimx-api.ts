/**
 * The ClaimX REST API (reference/claimx-api.md). Envelopes are unwrapped; entity objects keep the
 * API's own spelling, unknown fields included, so that the domain maps them and sees additions.
 *
 * Every method rejects with `ApiError`. While the API as a whole is unavailable (breaker open, 401,
 * `Retry-After`), calls wait at a shared gate instead of failing (design.md D6), until their signal
 * aborts; so `circuit_open` and `auth` do not reach a worker.
 */
import type { JsonObject } from '../core/index.ts'

export interface ApiReply<T> {
  readonly value: T
  /** Clock reading, in milliseconds, when the request was sent: the row's `last_enriched_at`. */
  readonly askedAt: number
  /** HTTP requests it took, in-process retries included; 0 for a caller that shared another's call. */
  readonly calls: number
}

export interface ProjectAnswer {
  readonly project: JsonObject
  readonly teamMembers: readonly JsonObject[]
  readonly companyName: string | null
}

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Goes before the calls that wait: renewals of links whose life is short. */
  readonly urgent?: boolean
}

export interface ClaimxApi {
  /** E1. 404: `API_NOT_FOUND`. */
  getProject(projectId: string, options?: CallOptions): Promise<ApiReply<ProjectAnswer>>
  /** E2. Project id of a claim number; undefined when there is none. */
  findProjectId(projectNumber: string, options?: CallOptions): Promise<ApiReply<string | undefined>>
  /**
   * E3. 1 to 5 ids (after removing duplicates and non-numeric ones): selective; 6 and more, or `'all'`:
   * the whole list, filtered to the ids. No ids: no call. Match by id, never by position.
   */
  getMedia(
    projectId: string,
    mediaIds: readonly string[] | 'all',
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>>
  /** E4. */
  getContacts(projectId: string, options?: CallOptions): Promise<ApiReply<readonly JsonObject[]>>
  /** E5. */
  getConversations(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>>
  /** E6. */
  getTask(assignmentId: string, options?: CallOptions): Promise<ApiReply<JsonObject>>
  /** E7. */
  getProjectTasks(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>>
  /** E8. */
  getVideoCollaborations(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>>
  /** What the client is doing now, for health, progress and reports. */
  status(): ApiStatus
  close(): Promise<void>
}

export interface ApiStatus {
  readonly state: 'ok' | 'throttled' | 'circuit_open' | 'unauthorized'
  readonly inFlight: number
  readonly waiting: number
  /** Requests sent so far, by endpoint (`E1` … `E8`), in-process retries included. */
  readonly requests: Readonly<Record<string, number>>
  /** Answers so far, by status or `error`. */
  readonly answers: Readonly<Record<string, number>>
  /** Callers that shared an identical call under way. */
  readonly shared: number
  readonly concurrencyLimit: number
  /** Calls per second allowed now; undefined while no limit is known. */
  readonly rateLimit: number | undefined
}
