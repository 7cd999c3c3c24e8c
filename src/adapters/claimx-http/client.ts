/** `ClaimxApi` over HTTP: which request each method sends and how its answer is read. */
import { ApiError, type JsonObject, type JsonValue, stringifyJson } from '../../core/index.ts'
import {
  Admission,
  AuthGate,
  CircuitBreaker,
  ConcurrencyLimiter,
  defaultConcurrency,
  type GateChange,
  RateController,
  SingleFlight,
  TokenBucket
} from '../../http/index.ts'
import type {
  ApiReply,
  ApiStatus,
  CallOptions,
  ClaimxApi,
  Clock,
  Ids,
  ProjectAnswer,
  Telemetry
} from '../../ports/index.ts'
import { type Answer, type ApiCall, Caller } from './caller.ts'
import { checkContract, contracts } from './contracts.ts'
import { Counters } from './counters.ts'
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
import { type ClaimxHttpOptions, type Settings, settingsOf } from './options.ts'
import { Transport } from './transport.ts'

export interface ClaimxHttpPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

/** Ids up to this many are asked for by name; more: the whole list (claimx-api.md section 3.3). */
const maxSelectiveIds = 5

/** Opens a client; `ConfigError` for a base URL or token that cannot work. Makes no call. */
export function openClaimxHttp(options: ClaimxHttpOptions, ports: ClaimxHttpPorts): ClaimxApi {
  return new ClaimxHttp(settingsOf(options), ports)
}

class ClaimxHttp implements ClaimxApi {
  readonly #settings: Settings
  readonly #ports: ClaimxHttpPorts
  readonly #counters = new Counters()
  readonly #breaker: CircuitBreaker
  readonly #auth: AuthGate
  readonly #rate = new RateController()
  readonly #concurrency: ConcurrencyLimiter
  readonly #admission: Admission
  readonly #transport: Transport
  readonly #caller: Caller
  /** Identical calls under way are one request; nothing is remembered afterwards. */
  readonly #flights = new SingleFlight<Answer<unknown>>()

  constructor(settings: Settings, ports: ClaimxHttpPorts) {
    this.#settings = settings
    this.#ports = ports
    this.#breaker = new CircuitBreaker(settings.breaker)
    this.#auth = new AuthGate({ trialEveryMs: settings.authTrialMs })
    this.#concurrency = new ConcurrencyLimiter({
      ...defaultConcurrency,
      max: settings.maxConcurrent
    })
    this.#admission = new Admission(
      {
        breaker: this.#breaker,
        auth: this.#auth,
        rate: this.#rate,
        concurrency: this.#concurrency,
        ...(settings.ratePerSecond === undefined
          ? {}
          : { bucket: new TokenBucket({ perSecond: settings.ratePerSecond }) })
      },
      { clock: ports.clock, onChange: change => this.#tell(change) }
    )
    this.#transport = new Transport({
      origin: settings.origin,
      connections: settings.maxConcurrent,
      timeoutMs: settings.timeoutMs,
      maxBodyBytes: settings.maxBodyBytes,
      headers: {
        authorization: settings.authorization,
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'identity'
      }
    })
    this.#caller = new Caller(
      {
        settings,
        admission: this.#admission,
        transport: this.#transport,
        counters: this.#counters,
        breakerClosed: () => this.#breaker.state === 'closed'
      },
      ports
    )
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
    return this.#share<string | undefined>(
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
    return {
      state: this.#state(),
      inFlight: this.#counters.inFlight,
      waiting: this.#admission.waiting,
      requests: this.#counters.requests(),
      answers: this.#counters.answers(),
      shared: this.#flights.shared,
      concurrencyLimit: this.#concurrency.limit,
      rateLimit: this.#rate.rate
    }
  }

  /** Rejects what waits and aborts what is under way. */
  async close(): Promise<void> {
    const error = new ApiError('API_UNREACHABLE', 'the ClaimX API client was closed')
    this.#admission.close(error)
    this.#flights.abortAll(error)
    await this.#transport.close()
  }

  #state(): ApiStatus['state'] {
    if (this.#auth.closed) return 'unauthorized'
    if (this.#breaker.state !== 'closed') return 'circuit_open'
    return this.#admission.held ? 'throttled' : 'ok'
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
    return this.#share({ endpoint, route, request, read }, options)
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
      return this.#share({ endpoint, route: '/data', request, read }, options)
    })
  }

  async #share<T>(call: ApiCall<T>, options: CallOptions | undefined): Promise<ApiReply<T>> {
    const { method, path, body } = call.request
    const urgent = options?.urgent === true
    // An urgent call does not join an ordinary one: that may still wait behind thousands.
    const { value: answer, joined } = await this.#flights.run(
      `${urgent ? 'urgent ' : ''}${method} ${path} ${body ?? ''}`,
      signal => this.#caller.call(call, signal, urgent),
      options?.signal
    )
    const { value, askedAt, calls } = answer as Answer<T>
    return { value, askedAt, calls: joined ? 0 : calls }
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

  #tell(change: GateChange): void {
    const { log, metrics } = this.#ports.telemetry
    if (change === 'auth_closed') {
      log.error('ClaimX API refuses the token (401); calls wait. Renew CLAIMX_API_TOKEN')
      metrics.gauge('claimx_api_reachable', 0)
    } else if (change === 'auth_opened') {
      log.info('ClaimX API accepts the token again')
      metrics.gauge('claimx_api_reachable', 1)
    } else if (change === 'breaker_opened') {
      log.warn('ClaimX API failed repeatedly; calls wait for a trial', {
        openMs: this.#settings.breaker.openMs
      })
      metrics.gauge('circuit_breaker_state', 1, { name: 'claimx_api' })
    } else {
      log.info('ClaimX API works again')
      metrics.gauge('circuit_breaker_state', 0, { name: 'claimx_api' })
    }
  }
}

/** Integer values of the numeric ids, each once. */
function wantedIds(ids: readonly string[]): ReadonlySet<bigint> {
  const values = ids.map(id => integerText(id)).filter(text => text !== undefined)
  return new Set(values.map(BigInt))
}
