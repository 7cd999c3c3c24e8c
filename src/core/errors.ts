/**
 * Errors of the program. Each has a code from one closed table (`error-codes.ts`), says whether a
 * retry can help, and keeps its cause. Who throws decides `retryable`; nobody parses message text.
 */
import { type ErrorCode, errorCodes } from './error-codes.ts'

/** Wire values of `error_category` (reference/claimx-api.md section 5.1). */
export type ErrorClass = 'transient' | 'permanent' | 'auth' | 'circuit_open' | 'unknown'

/** What an error carries beside its code and message. */
export interface ErrorOptions {
  /** The error behind it. */
  readonly cause?: unknown
  /** Overrides the default of the code. */
  readonly errorClass?: ErrorClass
  /** Lower bound for the delay before the next attempt. */
  readonly retryAfterMs?: number
  /** Facts for the log: ids, sizes, paths. Never payloads, secrets or presigned URLs. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

const brand = Symbol.for('claims-pipeline.error')

/** What every error of the program is. */
export class PipelineError extends Error {
  readonly [brand] = true
  /** What it is, for programs: docs/errors.md has the list. */
  readonly code: ErrorCode
  /** What kind of trouble it is; decides `retryable`. */
  readonly errorClass: ErrorClass
  /** Lower bound for the delay before the next attempt, in milliseconds. */
  readonly retryAfterMs: number | undefined
  /** Facts for a log. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.errorClass = options.errorClass ?? errorCodes[code].errorClass
    this.retryAfterMs = options.retryAfterMs
    this.details = options.details ?? {}
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.errorClass !== 'permanent'
  }
}

/** Wrong configuration or command line; exit code 2. */
export class ConfigError extends PipelineError {}
/** The message log: embedded or Kafka. */
export class BrokerError extends PipelineError {}
/** The Delta engine and the stores below it. */
export class DeltaError extends PipelineError {}
/** The ClaimX API. */
export class ApiError extends PipelineError {}
/** Downloads, uploads, files. */
export class TransferError extends PipelineError {}
/** A message that is not what its topic carries. */
export class MessageError extends PipelineError {}
/** A bug of ours; a retry is not expected to help, but the message is kept. */
export class InvariantError extends PipelineError {}

export function isPipelineError(error: unknown): error is PipelineError {
  return typeof error === 'object' && error !== null && brand in error
}

/** Class of any thrown value; what is not ours is `unknown`. */
export function errorClassOf(error: unknown): ErrorClass {
  return isPipelineError(error) ? error.errorClass : 'unknown'
}

/** Text for messages and tables: at most 500 characters (reference/claimx-events.md section 4). */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.length <= 500 ? text : `${text.slice(0, 497)}...`
}

/** True for the rejection that an aborted `AbortSignal` causes. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted === true) return true
  return error instanceof Error && error.name === 'AbortError'
}
