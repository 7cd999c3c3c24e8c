/** Options of the file fetcher and their defaults (reference/operations.md sections 2.3, 2.5, 3). */
import type { BackoffOptions } from '../../http/index.ts'

export interface HttpFilesOptions {
  /** Exact host names that files may come from, redirects included. */
  readonly allowedHosts: readonly string[]
  /** For tests only: http to localhost. The configuration refuses it in production. */
  readonly allowInsecureLocalhost?: boolean
  readonly maxFileBytes?: number
  readonly connectTimeoutMs?: number
  /** Time until the headers of an answer. */
  readonly headersTimeoutMs?: number
  /** Longest pause between two pieces of a body. */
  readonly bodyTimeoutMs?: number
  /** One attempt, redirects and body included. */
  readonly totalTimeoutMs?: number
  readonly maxRedirects?: number
  /** Connections, and downloads at once, for each host. */
  readonly perHostConnections?: number
  readonly attempts?: number
  readonly retry?: Partial<BackoffOptions>
  /** Longest `Retry-After` that is waited for in-process. */
  readonly maxRetryAfterMs?: number
  readonly breaker?: {
    readonly failures?: number
    readonly openMs?: number
    readonly trialSlots?: number
    readonly successes?: number
  }
}

export interface FetchSettings {
  readonly maxFileBytes: number
  readonly connectTimeoutMs: number
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly maxRedirects: number
  readonly perHostConnections: number
  readonly attempts: number
  readonly retry: BackoffOptions
  readonly maxRetryAfterMs: number
  readonly breaker: {
    readonly failureThreshold: number
    readonly openMs: number
    readonly trialSlots: number
    readonly successesToClose: number
  }
}

export function settingsOf(options: HttpFilesOptions): FetchSettings {
  const { breaker = {} } = options
  return {
    maxFileBytes: options.maxFileBytes ?? 5 * 1024 ** 3,
    connectTimeoutMs: options.connectTimeoutMs ?? 30_000,
    headersTimeoutMs: options.headersTimeoutMs ?? 30_000,
    bodyTimeoutMs: options.bodyTimeoutMs ?? 30_000,
    totalTimeoutMs: options.totalTimeoutMs ?? 300_000,
    maxRedirects: options.maxRedirects ?? 5,
    perHostConnections: options.perHostConnections ?? 20,
    attempts: options.attempts ?? 3,
    retry: { baseMs: 500, factor: 2, maxMs: 2000, ...options.retry },
    maxRetryAfterMs: options.maxRetryAfterMs ?? 60_000,
    breaker: {
      failureThreshold: breaker.failures ?? 10,
      openMs: breaker.openMs ?? 30_000,
      trialSlots: breaker.trialSlots ?? 5,
      successesToClose: breaker.successes ?? 3
    }
  }
}
