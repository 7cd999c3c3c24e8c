/**
 * One API call until it has an answer that concerns this call: waits at the shared gate, sends,
 * classifies (reference/claimx-api.md section 5.1), repeats what may be repeated. Failures that concern
 * the whole API (429, 401, breaker open) send the call back to the gate and burn no attempt.
 */
import { ApiError, type JsonValue, parseJson } from '../../core/index.ts'
import {
  type Admission,
  type AdmissionPermit,
  backoffMs,
  parseRetryAfter
} from '../../http/index.ts'
import type { Clock, Ids, Telemetry } from '../../ports/index.ts'
import type { Counters } from './counters.ts'
import type { Settings } from './options.ts'
import type { Transport, TransportRequest, TransportResult } from './transport.ts'

export interface ApiCall<T> {
  /** `E1` … `E8`. */
  readonly endpoint: string
  /** Route template, for labels and logs: never ids. */
  readonly route: string
  readonly request: TransportRequest
  /** Checks and unwraps the JSON of a 200; throws `BadAnswer` when its root is wrong. */
  readonly read: (json: JsonValue) => T
  /** What a 404 means; without it a 404 is `API_NOT_FOUND`. */
  readonly onNotFound?: () => T
}

export interface Answer<T> {
  readonly value: T
  readonly askedAt: number
  readonly calls: number
}

/** A 200 whose content is not the documented shape. The message names the shape, never the content. */
export class BadAnswer extends Error {}

interface CallPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

interface CallParts {
  readonly settings: Settings
  readonly admission: Admission
  readonly transport: Transport
  readonly counters: Counters
  readonly breakerClosed: () => boolean
}

interface Progress {
  calls: number
  attempts: number
  /** Failures during an outage of the whole API, which are not attempts of this call. */
  outages: number
  throttledSince: number | undefined
}

type Step<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'fatal'; readonly error: ApiError }
  /** `retryAfterMs`: lower bound named by the server. */
  | {
      readonly kind: 'transient'
      readonly error: ApiError
      readonly unreachable: boolean
      readonly retryAfterMs: number
    }
  | { readonly kind: 'gate' }

/** An outage seen by one call this often may be the call's own fault, unless nothing was reachable. */
const maxOutages = 10

export class Caller {
  readonly #parts: CallParts
  readonly #ports: CallPorts

  constructor(parts: CallParts, ports: CallPorts) {
    this.#parts = parts
    this.#ports = ports
  }

  /** Rejects with `ApiError`, or with the signal's reason. `urgent`: before others that wait. */
  async call<T>(call: ApiCall<T>, signal?: AbortSignal, urgent = false): Promise<Answer<T>> {
    const { admission, transport, counters } = this.#parts
    const { clock } = this.#ports
    const progress: Progress = { calls: 0, attempts: 0, outages: 0, throttledSince: undefined }
    for (;;) {
      const permit = await admission.enter(signal, urgent)
      const askedAt = clock.now()
      progress.calls += 1
      counters.sent(call.endpoint)
      const result = await transport.send(call.request, signal)
      counters.ended()
      this.#measure(call, result, clock.monotonic() - permit.enteredAt)
      const step = this.#settle(call, permit, result, progress, signal)
      if (step.kind === 'done') return { value: step.value, askedAt, calls: progress.calls }
      if (step.kind === 'fatal') throw step.error
      if (step.kind === 'transient') await this.#beforeRetry(step, progress, signal)
    }
  }

  /** Waits for the next attempt, or rejects when there is none left. */
  async #beforeRetry<T>(
    step: Step<T> & { readonly kind: 'transient' },
    progress: Progress,
    signal: AbortSignal | undefined
  ): Promise<void> {
    const { settings, breakerClosed } = this.#parts
    if (!breakerClosed() && (step.unreachable || progress.outages < maxOutages)) {
      progress.outages += 1
      return
    }
    progress.attempts += 1
    if (progress.attempts >= settings.inProcessAttempts) throw step.error
    if (step.retryAfterMs > settings.maxRetryAfterMs) throw step.error
    const backoff = backoffMs(settings.retry, progress.attempts, this.#ports.ids.random())
    await this.#ports.clock.sleep(Math.max(backoff, step.retryAfterMs), signal)
  }

  #settle<T>(
    call: ApiCall<T>,
    permit: AdmissionPermit,
    result: TransportResult,
    progress: Progress,
    signal: AbortSignal | undefined
  ): Step<T> {
    const { admission } = this.#parts
    if (result.kind === 'aborted') {
      admission.settle(permit, { kind: 'abandoned' })
      signal?.throwIfAborted()
      throw new ApiError('API_UNREACHABLE', `${call.endpoint} was aborted`)
    }
    if (result.kind === 'too_large') return this.#bad(call, permit, 'the answer is too large')
    if (result.kind !== 'answer') {
      const text = result.kind === 'timeout' ? 'timed out' : 'got no answer'
      admission.settle(permit, { kind: 'failure', timedOut: result.kind === 'timeout' })
      return {
        kind: 'transient',
        unreachable: result.kind === 'unreachable',
        retryAfterMs: 0,
        error: new ApiError('API_UNREACHABLE', `${name(call)} ${text}`, { cause: result.cause })
      }
    }
    if (result.status === 200) return this.#read(call, permit, result.text)
    return this.#refused(call, permit, result.status, result.retryAfter, progress)
  }

  #read<T>(call: ApiCall<T>, permit: AdmissionPermit, text: string): Step<T> {
    let value: T
    try {
      value = call.read(parseJson(text))
    } catch (error) {
      if (error instanceof BadAnswer) return this.#bad(call, permit, error.message)
      if (error instanceof SyntaxError) return this.#bad(call, permit, 'the answer is not JSON')
      this.#parts.admission.settle(permit, { kind: 'abandoned' })
      throw error
    }
    this.#parts.admission.settle(permit, { kind: 'success', route: call.route })
    return { kind: 'done', value }
  }

  #refused<T>(
    call: ApiCall<T>,
    permit: AdmissionPermit,
    status: number,
    retryAfter: string | string[] | undefined,
    progress: Progress
  ): Step<T> {
    const { admission } = this.#parts
    if (status === 401) {
      admission.settle(permit, { kind: 'unauthorized' })
      return { kind: 'gate' }
    }
    const waitMs = parseRetryAfter(retryAfter, this.#ports.clock.now())
    if (status === 429) return this.#throttled(call, permit, waitMs, progress)
    if (status >= 400 && status < 500) {
      admission.settle(permit, { kind: 'rejected', route: call.route })
      if (status === 404 && call.onNotFound !== undefined) {
        return { kind: 'done', value: call.onNotFound() }
      }
      const code = status === 404 ? 'API_NOT_FOUND' : 'API_REJECTED'
      return { kind: 'fatal', error: statusError(call, code, status) }
    }
    admission.settle(permit, { kind: 'failure', timedOut: false })
    return {
      kind: 'transient',
      unreachable: false,
      retryAfterMs: waitMs ?? 0,
      error: statusError(call, 'API_SERVER_ERROR', status, waitMs)
    }
  }

  #throttled<T>(
    call: ApiCall<T>,
    permit: AdmissionPermit,
    waitMs: number | undefined,
    progress: Progress
  ): Step<T> {
    const { admission, settings } = this.#parts
    const holdMs = Math.min(waitMs ?? settings.throttledHoldMs, settings.maxRetryAfterMs)
    admission.settle(permit, { kind: 'throttled', holdMs })
    const now = this.#ports.clock.monotonic()
    progress.throttledSince ??= now
    const tooLong = now - progress.throttledSince + holdMs > settings.maxThrottledMs
    if (tooLong || (waitMs ?? 0) > settings.maxRetryAfterMs) {
      return { kind: 'fatal', error: statusError(call, 'API_THROTTLED', 429, waitMs) }
    }
    return { kind: 'gate' }
  }

  #bad<T>(call: ApiCall<T>, permit: AdmissionPermit, why: string): Step<T> {
    this.#parts.admission.settle(permit, { kind: 'failure', timedOut: false })
    return {
      kind: 'transient',
      unreachable: false,
      retryAfterMs: 0,
      error: new ApiError('API_BAD_ANSWER', `${name(call)}: ${why}`)
    }
  }

  #measure<T>(call: ApiCall<T>, result: TransportResult, ms: number): void {
    if (result.kind === 'aborted') return
    const { metrics, log } = this.#ports.telemetry
    const status = result.kind === 'answer' ? String(result.status) : 'error'
    const labels = { method: call.request.method, endpoint: call.route }
    this.#parts.counters.answered(status)
    metrics.count('claimx_api_requests_total', 1, { ...labels, status })
    metrics.observe('claimx_api_request_duration_seconds', ms / 1000, labels)
    if (ms > this.#parts.settings.slowCallMs) {
      log.warn('slow ClaimX API call', { endpoint: call.endpoint, route: call.route, status, ms })
    }
  }
}

function name(call: { readonly endpoint: string; readonly route: string }): string {
  return `ClaimX API ${call.endpoint} (${call.route})`
}

function statusError<T>(
  call: ApiCall<T>,
  code: 'API_NOT_FOUND' | 'API_REJECTED' | 'API_SERVER_ERROR' | 'API_THROTTLED',
  status: number,
  retryAfterMs?: number
): ApiError {
  return new ApiError(code, `${name(call)} answered ${status}`, {
    details: { status, endpoint: call.endpoint },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs })
  })
}
