/**
 * Where a failed message goes: a delayed retry topic or the dead-letter topic
 * (reference/operations.md sections 2.1 and 2.2). One authority for exhaustion: the worker that fails.
 */
import {
  type ErrorClass,
  InvariantError,
  isoFromMillis,
  millisFromMicros,
  type PipelineError,
  parseInstant
} from '../core/index.ts'
import type { Clock, Headers, LogRecord, ProducerRecord } from '../ports/index.ts'
import { retrySuffixes } from '../topology.ts'

export type FailureRoute =
  | {
      readonly kind: 'retry'
      readonly suffix: string
      readonly delayMs: number
      /** Clock reading (ms) at which the message is due. */
      readonly dueAt: number
      /** Value after the increment. */
      readonly retryCount: number
    }
  | { readonly kind: 'dead'; readonly reason: 'permanent' | 'exhausted' }

export class RetryRouter {
  readonly #delaysMs: readonly number[]
  readonly #clock: Clock

  /** `delaysMs`: one to four delays, in the order of the topic suffixes. */
  constructor(delaysMs: readonly number[], clock: Clock) {
    if (delaysMs.length === 0 || delaysMs.length > retrySuffixes.length) {
      throw new InvariantError('INVARIANT', `1 to ${retrySuffixes.length} retry delays are needed`)
    }
    this.#delaysMs = delaysMs
    this.#clock = clock
  }

  /** Delay of a bucket by its topic suffix; undefined for an unknown suffix. */
  delayOf(suffix: string): number | undefined {
    const index = (retrySuffixes as readonly string[]).indexOf(suffix)
    return index < 0 ? undefined : (this.#delaysMs[index] ?? this.#delaysMs.at(-1))
  }

  route(error: PipelineError, retryCount: number): FailureRoute {
    if (error.errorClass === 'permanent') return { kind: 'dead', reason: 'permanent' }
    const bucket = this.#delaysMs[retryCount]
    const suffix = retrySuffixes[retryCount]
    if (bucket === undefined || suffix === undefined) return { kind: 'dead', reason: 'exhausted' }
    const delayMs = Math.max(bucket, error.retryAfterMs ?? 0)
    const dueAt = this.#clock.now() + delayMs
    return { kind: 'retry', suffix, delayMs, dueAt, retryCount: retryCount + 1 }
  }
}

export interface RetryRecordOptions {
  readonly base: string
  readonly target: string
  readonly domain: string
  readonly workerType: string
  readonly key: string
  readonly value: string
  readonly eventId: string
  readonly errorClass: ErrorClass
}

/** The record on a retry topic, with the headers of reference/claimx-events.md section 4.8. */
export function retryRecord(
  route: Extract<FailureRoute, { kind: 'retry' }>,
  options: RetryRecordOptions
): ProducerRecord {
  return {
    topic: `${options.base}.retry.${route.suffix}`,
    key: options.key,
    value: options.value,
    headers: {
      event_id: options.eventId,
      retry_count: String(route.retryCount),
      scheduled_retry_time: isoFromMillis(route.dueAt),
      retry_delay_seconds: String(route.delayMs / 1000),
      target_topic: options.target,
      worker_type: options.workerType,
      original_key: options.key,
      error_category: options.errorClass,
      domain: options.domain
    }
  }
}

/** Headers of a dead letter that keeps its task (section 4.8). */
export function deadLetterHeaders(
  eventId: string,
  retryCount: number,
  errorClass: ErrorClass
): Headers {
  return {
    event_id: eventId,
    retry_count: String(retryCount),
    error_category: errorClass,
    failed: 'true'
  }
}

/** When a record of a retry topic is due, in milliseconds (reference/operations.md section 2.3). */
export function retryDueAt(
  record: LogRecord,
  bucketDelayMs: number,
  metadataRetryAt?: string
): number {
  for (const text of [record.headers['scheduled_retry_time'], metadataRetryAt]) {
    const instant = text === undefined ? undefined : parseInstant(text)
    if (instant !== undefined) return millisFromMicros(instant)
  }
  return record.timestamp + bucketDelayMs
}
