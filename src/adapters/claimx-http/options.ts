/** Options of the ClaimX API client, their defaults (reference/claimx-api.md section 6) and the startup check. */
import { ConfigError } from '../../core/index.ts'
import type { BackoffOptions } from '../../http/index.ts'

export interface ClaimxHttpOptions {
  readonly baseUrl: string
  /** Base64 token; one leading `Basic ` is stripped. */
  readonly token: string
  readonly maxConcurrent?: number
  /** Total time of one request, body included. */
  readonly timeoutMs?: number
  /** Fixed upper rate beside the adaptive one; off by default. */
  readonly rateLimit?: { readonly perSecond?: number }
  /** Login that reports (E7, E8) are asked for with. */
  readonly senderUsername?: string
  readonly breaker?: {
    readonly failures?: number
    readonly openMs?: number
    readonly trialSlots?: number
    readonly successes?: number
  }
  /** Time between trial calls after a 401. */
  readonly authTrialMs?: number
  /** Attempts of one call before its transient failure reaches the caller. */
  readonly inProcessAttempts?: number
  readonly retry?: Partial<BackoffOptions>
  /** Longest `Retry-After` that is waited for in-process. */
  readonly maxRetryAfterMs?: number
  /** Pause after a 429 that names none. */
  readonly throttledHoldMs?: number
  /** A call that has been answered 429 for this long goes back to the caller. */
  readonly maxThrottledMs?: number
  /** Largest answer, decoded. */
  readonly maxBodyBytes?: number
  readonly slowCallMs?: number
}

export interface Settings {
  readonly origin: string
  /** Path part of the base URL, without trailing slash. */
  readonly basePath: string
  readonly authorization: string
  readonly maxConcurrent: number
  readonly timeoutMs: number
  readonly ratePerSecond: number | undefined
  readonly senderUsername: string
  readonly breaker: {
    readonly failureThreshold: number
    readonly openMs: number
    readonly trialSlots: number
    readonly successesToClose: number
  }
  readonly authTrialMs: number
  readonly inProcessAttempts: number
  readonly retry: BackoffOptions
  readonly maxRetryAfterMs: number
  readonly throttledHoldMs: number
  readonly maxThrottledMs: number
  readonly maxBodyBytes: number
  readonly slowCallMs: number
}

/** Options with defaults; `ConfigError` when the client must refuse to start. */
export function settingsOf(options: ClaimxHttpOptions): Settings {
  const base = baseUrlOf(options.baseUrl)
  const { breaker = {}, retry = {} } = options
  return {
    origin: base.origin,
    basePath: base.pathname.replace(/\/+$/, ''),
    authorization: `Basic ${tokenOf(options.token)}`,
    maxConcurrent: positive('maxConcurrent', options.maxConcurrent ?? 20),
    timeoutMs: positive('timeoutMs', options.timeoutMs ?? 30_000),
    ratePerSecond:
      options.rateLimit === undefined
        ? undefined
        : positive('rateLimit.perSecond', options.rateLimit.perSecond ?? 10),
    senderUsername: options.senderUsername ?? 'user@example.com',
    breaker: {
      failureThreshold: positive('breaker.failures', breaker.failures ?? 5),
      openMs: positive('breaker.openMs', breaker.openMs ?? 60_000),
      trialSlots: positive('breaker.trialSlots', breaker.trialSlots ?? 3),
      successesToClose: positive('breaker.successes', breaker.successes ?? 2)
    },
    authTrialMs: positive('authTrialMs', options.authTrialMs ?? 60_000),
    inProcessAttempts: positive('inProcessAttempts', options.inProcessAttempts ?? 3),
    retry: { baseMs: 1000, factor: 2, maxMs: 30_000, ...retry },
    maxRetryAfterMs: options.maxRetryAfterMs ?? 60_000,
    throttledHoldMs: options.throttledHoldMs ?? 200,
    maxThrottledMs: options.maxThrottledMs ?? 120_000,
    maxBodyBytes: options.maxBodyBytes ?? 32 * 1024 * 1024,
    slowCallMs: options.slowCallMs ?? 2000
  }
}

function baseUrlOf(text: string): URL {
  const trimmed = text.trim()
  if (!/^https?:\/\//i.test(trimmed) || !URL.canParse(trimmed)) {
    throw new ConfigError(
      'CONFIG_INVALID',
      'the base URL of the ClaimX API must start with http:// or https://: set CLAIMX_API_URL'
    )
  }
  const url = new URL(trimmed)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigError(
      'CONFIG_INVALID',
      'the base URL of the ClaimX API must not hold credentials, a query or a fragment: correct CLAIMX_API_URL'
    )
  }
  return url
}

function tokenOf(text: string): string {
  const token = text.trim().replace(/^basic(\s+|$)/i, '')
  if (token === '' || /[^\x21-\x7e]/.test(token)) {
    throw new ConfigError(
      'CONFIG_INVALID',
      'the token of the ClaimX API is empty or holds characters that no header may: set CLAIMX_API_TOKEN'
    )
  }
  return token
}

function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value
  throw new ConfigError('CONFIG_INVALID', `${name} of the ClaimX API client must be above 0`)
}
