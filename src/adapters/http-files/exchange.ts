/**
 * One request to one host: waits at the host's gate, sends, and sorts the answer into a redirect, a
 * body to read, or a `TransferError`. No credentials, no cookies, no compression; redirects are the
 * caller's to follow. Errors name the host at most: the URL is a bearer secret.
 */
import type { Agent, Dispatcher } from 'undici'
import { isPipelineError, redactError, TransferError } from '../../core/index.ts'
import { type AdmissionOutcome, parseRetryAfter } from '../../http/index.ts'
import type { HostGate } from './host-gates.ts'

type Body = Dispatcher.ResponseData['body']

export type Exchange<T> =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'done'; readonly value: T }

export interface OpenBody {
  readonly body: Body
  readonly declaredType: string | undefined
  /** From `Content-Length`; undefined when the server does not say. */
  readonly declaredBytes: number | undefined
}

export interface ExchangeOptions {
  readonly url: URL
  readonly signal: AbortSignal
  /** Starts when the host's gate lets the request pass. */
  readonly totalTimeoutMs: number
  readonly maxRetryAfterMs: number
  /** Wall clock, in milliseconds. */
  readonly nowMs: () => number
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const EXPIRED_BODY = /<Code>\s*(AccessDenied|ExpiredToken)\s*<|Request has expired|AccessDenied/i
const explainBytes = 4096

/** True for the words with which storage refuses a presigned link. */
export function explainsExpiry(body: Buffer): boolean {
  return EXPIRED_BODY.test(body.toString('latin1', 0, explainBytes))
}

/** Sends a GET and lets `consume` read the body of a 200. */
export async function exchange<T>(
  agent: Agent,
  gate: HostGate,
  options: ExchangeOptions,
  consume: (open: OpenBody) => Promise<T>
): Promise<Exchange<T>> {
  const permit = await gate.admission.enter(options.signal)
  let outcome: AdmissionOutcome = { kind: 'abandoned' }
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), options.totalTimeoutMs)
  try {
    const signal = AbortSignal.any([options.signal, timeout.signal])
    const result = await request(agent, options, signal, consume)
    outcome = { kind: 'success', route: 'download' }
    return result
  } catch (error) {
    const failure = failureOf(error, options, timeout.signal.aborted)
    outcome = outcomeOf(failure, options)
    throw failure
  } finally {
    clearTimeout(timer)
    gate.admission.settle(permit, outcome)
  }
}

async function request<T>(
  agent: Agent,
  { url, nowMs }: ExchangeOptions,
  signal: AbortSignal,
  consume: (open: OpenBody) => Promise<T>
): Promise<Exchange<T>> {
  const { statusCode, headers, body } = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'claims-pipeline' },
    signal
  })
  try {
    if (statusCode === 200) {
      const length = one(headers['content-length'])
      const declaredBytes =
        length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
      const open = { body, declaredType: one(headers['content-type']), declaredBytes }
      return { kind: 'done', value: await consume(open) }
    }
    const location = one(headers['location'])
    if (REDIRECTS.has(statusCode) && location !== undefined) {
      await body.dump({ limit: 64 * 1024 })
      return { kind: 'redirect', location }
    }
    throw statusError(url, statusCode, await start(body), one(headers['retry-after']), nowMs())
  } finally {
    // An unread body would keep its connection; destroying a finished one does nothing.
    body.on('error', () => {}).destroy()
  }
}

function statusError(
  url: URL,
  status: number,
  body: Buffer,
  retryAfter: string | undefined,
  nowMs: number
): TransferError {
  const details = { status, host: url.hostname }
  const message = `the file server ${url.hostname} answered ${status}`
  if (status === 401 || status === 403 || status === 410 || explainsExpiry(body)) {
    return new TransferError('DOWNLOAD_EXPIRED', `${message}: the link is no longer valid`, {
      details
    })
  }
  if (status === 408 || status === 425 || status === 429 || status >= 500 || status < 400) {
    const retryAfterMs = parseRetryAfter(retryAfter, nowMs)
    return new TransferError('DOWNLOAD_FAILED', message, {
      details,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs })
    })
  }
  return new TransferError('DOWNLOAD_REJECTED', message, { details })
}

function failureOf(error: unknown, { url, signal }: ExchangeOptions, timedOut: boolean): unknown {
  const own = isPipelineError(error) ? error : (error as { cause?: unknown } | null)?.cause
  if (isPipelineError(own)) return own
  if (signal.aborted) return signal.reason
  const why = timedOut ? 'took too long' : 'broke off'
  return new TransferError('DOWNLOAD_FAILED', `the download from ${url.hostname} ${why}`, {
    cause: redactError(error),
    details: { host: url.hostname, timedOut }
  })
}

/** What the failure says about the host. An expired link or a wrong file is no fault of the host. */
function outcomeOf(failure: unknown, { maxRetryAfterMs }: ExchangeOptions): AdmissionOutcome {
  if (!isPipelineError(failure) || failure.code === 'STORAGE_UNAVAILABLE') {
    return { kind: 'abandoned' }
  }
  if (failure.code !== 'DOWNLOAD_FAILED') return { kind: 'rejected', route: 'download' }
  if (failure.details['status'] === 429) {
    return { kind: 'throttled', holdMs: Math.min(failure.retryAfterMs ?? 200, maxRetryAfterMs) }
  }
  return { kind: 'failure', timedOut: failure.details['timedOut'] === true }
}

/** The beginning of an error's body, only to recognise an expired link. */
async function start(body: Body): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= explainBytes) break
  }
  return Buffer.concat(chunks)
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0]
}
