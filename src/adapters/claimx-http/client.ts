/** `ClaimxApi` over HTTP: which request each method sends and how its answer is read. */
import { ApiError, type JsonObject, type JsonValue, stringifyJson } from '../../core/index.ts'
import type {
  ApiReply,
  ApiStatus,
  CallOptions,
  ClaimxApi,
  ProjectAnswer
} from '../../ports/index.ts'
import { checkContract, contracts } from './contracts.ts'
import {
  integerText,
  type ListEnvelope,
  listEnvelopes,
  mediaIdOf,
  readList,
  readProject,
  readProjectId,
  readTask,
  readTaskReport
} from './envelopes.ts'
import { type ClaimxHttpPorts, Exchange } from './exchange.ts'
import { type ClaimxHttpOptions, type Settings, settingsOf } from './options.ts'

/** Ids up to this many are asked for by name; more: the whole list (claimx-api.md section 3.3). */
const maxSelectiveIds = 5

/** Opens a client; `ConfigError` for a base URL or token that cannot work. Makes no call. */
export function openClaimxHttp(options: ClaimxHttpOptions, ports: ClaimxHttpPorts): ClaimxApi {
  return new ClaimxHttp(settingsOf(options), ports)
}

class ClaimxHttp implements ClaimxApi {
  readonly #settings: Settings
  readonly #ports: ClaimxHttpPorts
  readonly #exchange: Exchange

  constructor(settings: Settings, ports: ClaimxHttpPorts) {
    this.#settings = settings
    this.#ports = ports
    this.#exchange = new Exchange(settings, ports)
  }

  getProject(projectId: string, options?: CallOptions): Promise<ApiReply<ProjectAnswer>> {
    const endpoint = 'E1'
    return this.#checked(projectId, endpoint, id =>
      this.#get(endpoint, '/export/project/{projectId}', `/export/project/${id}`, options, json => {
        const answer = readProject(json, id)
        this.#check(endpoint, contracts.E1, answer as unknown as JsonObject)
        return answer
      })
    )
  }

  findProjectId(
    projectNumber: string,
    options?: CallOptions
  ): Promise<ApiReply<string | undefined>> {
    const query = `?projectNumber=${encodeURIComponent(projectNumber)}`
    return this.#exchange.ask<string | undefined>(
      {
        endpoint: 'E2',
        route: '/export/project/projectId',
        request: { method: 'GET', path: this.#path(`/export/project/projectId${query}`) },
        read: readProjectId,
        onNotFound: () => undefined
      },
      options
    )
  }

  async getMedia(
    projectId: string,
    mediaIds: readonly string[] | 'all',
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    const wanted = mediaIds === 'all' ? undefined : wantedIds(mediaIds)
    if (wanted?.size === 0) return { value: [], askedAt: this.#ports.clock.now(), calls: 0 }
    const selective = wanted !== undefined && wanted.size <= maxSelectiveIds
    const query = selective ? `?mediaIds=${[...wanted].join(',')}` : ''
    const reply = await this.#list('E3', 'media', projectId, options, query)
    if (wanted === undefined) return reply
    // The server may return more than was asked for; ids decide, not positions.
    const value = reply.value.filter(media => {
      const id = mediaIdOf(media)
      return id !== undefined && wanted.has(id)
    })
    return { ...reply, value }
  }

  getContacts(projectId: string, options?: CallOptions): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#list('E4', 'contacts', projectId, options)
  }

  getConversations(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#list('E5', 'conversations', projectId, options)
  }

  getTask(assignmentId: string, options?: CallOptions): Promise<ApiReply<JsonObject>> {
    const route = '/customTasks/assignment/{assignmentId}'
    return this.#checked(assignmentId, 'E6', id =>
      this.#get('E6', route, `/customTasks/assignment/${id}?full=true`, options, json => {
        const task = readTask(json, id)
        this.#check('E6', contracts.E6, task)
        return task
      })
    )
  }

  getProjectTasks(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#askReport('E7', 'CUSTOM_TASK_HIGH_LEVEL', projectId, options, json =>
      readTaskReport(json, () => this.#broken('E7', '[]'))
    )
  }

  getVideoCollaborations(
    projectId: string,
    options?: CallOptions
  ): Promise<ApiReply<readonly JsonObject[]>> {
    return this.#askReport('E8', 'VIDEO_COLLABORATION', projectId, options, json => {
      const list = readList(json, listEnvelopes.E8, () => this.#broken('E8', '[]'))
      for (const item of list) this.#check('E8', contracts.E8, item)
      return list
    })
  }

  status(): ApiStatus {
    return this.#exchange.status()
  }

  close(): Promise<void> {
    return this.#exchange.close()
  }

  #list(
    endpoint: 'E3' | 'E4' | 'E5',
    name: string,
    projectId: string,
    options: CallOptions | undefined,
    query = ''
  ): Promise<ApiReply<readonly JsonObject[]>> {
    const envelope: ListEnvelope = listEnvelopes[endpoint]
    const route = `/export/project/{projectId}/${name}`
    return this.#checked(projectId, endpoint, id =>
      this.#get(endpoint, route, `/export/project/${id}/${name}${query}`, options, json => {
        const list = readList(json, envelope, () => this.#broken(endpoint, '[]'))
        if (endpoint === 'E3') for (const item of list) this.#check('E3', contracts.E3, item)
        return list
      })
    )
  }

  #get<T>(
    endpoint: string,
    route: string,
    path: string,
    options: CallOptions | undefined,
    read: (json: JsonValue) => T
  ): Promise<ApiReply<T>> {
    const request = { method: 'GET', path: this.#path(path) } as const
    return this.#exchange.ask({ endpoint, route, request, read }, options)
  }

  #askReport<T>(
    endpoint: string,
    reportType: string,
    projectId: string,
    options: CallOptions | undefined,
    read: (json: JsonValue) => T
  ): Promise<ApiReply<T>> {
    return this.#checked(projectId, endpoint, id => {
      const senderUsername = this.#settings.senderUsername
      const body = stringifyJson({ reportType, projectId: BigInt(id), senderUsername })
      const request = { method: 'POST', path: this.#path('/data'), body } as const
      return this.#exchange.ask({ endpoint, route: '/data', request, read }, options)
    })
  }

  /** Ids become part of a path: only digits, checked before any call (section 2). */
  async #checked<T>(id: string, endpoint: string, call: (id: string) => Promise<T>): Promise<T> {
    const digits = integerText(id)
    if (digits === undefined) {
      throw new ApiError('API_REJECTED', `ClaimX API ${endpoint}: the id is not numeric`)
    }
    return call(digits)
  }

  #path(path: string): string {
    return `${this.#settings.basePath}${path}`
  }

  #check(endpoint: string, shape: Parameters<typeof checkContract>[0], value: JsonObject): void {
    checkContract(shape, value, field => this.#broken(endpoint, field))
  }

  #broken(endpoint: string, field: string): void {
    this.#ports.telemetry.metrics.count('claimx_api_contract_breaks_total', 1, { endpoint, field })
  }
}

/** Integer values of the numeric ids, each once. */
function wantedIds(ids: readonly string[]): ReadonlySet<bigint> {
  const values = ids.map(id => integerText(id)).filter(text => text !== undefined)
  return new Set(values.map(BigInt))
}
