/** What every call goes through: single flight, the gates that admit it, the connection; and what they say. */
import { ApiError } from '../../core/index.ts'
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
import type { ApiReply, ApiStatus, CallOptions, Clock, Ids, Telemetry } from '../../ports/index.ts'
import { type Answer, type ApiCall, Caller } from './caller.ts'
import { Counters } from './counters.ts'
import type { Settings } from './options.ts'
import { Transport } from './transport.ts'

export interface ClaimxHttpPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

export class Exchange {
  readonly #settings: Settings
  readonly #telemetry: Telemetry
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
    this.#telemetry = ports.telemetry
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

  /** The answer to a call, shared with identical calls under way. */
  async ask<T>(call: ApiCall<T>, options?: CallOptions): Promise<ApiReply<T>> {
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

  #tell(change: GateChange): void {
    const { log, metrics } = this.#telemetry
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
