/** Dead letter of a record that cannot be parsed: its bytes, kept (claimx-events.md section 4.7). */
import { createHash } from 'node:crypto'
import { errorClassOf, isPipelineError, stringifyJson } from '../../../core/index.ts'
import { failureOf } from './failure.ts'

/** The parts of a log record that the envelope keeps. */
export interface EnvelopedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string>>
}

export interface EnvelopeContext {
  readonly consumerGroup: string
  readonly workerId: string
  readonly workerName: string
  readonly domain: string
  /** Clock reading in milliseconds. */
  readonly nowMs: number
  /** Bytes that the envelope may have. */
  readonly maxBytes: number
}

/** What stays of a value or key that does not fit. */
const EXCERPT_BYTES = 64 * 1024

/**
 * Value of the dead letter. Bytes that are not UTF-8 become base64, and
 * `original_key_encoding` / `original_value_encoding` say which of `utf-8` and `base64` it is.
 *
 * A record that would make the envelope larger than `maxBytes` leaves its first part, with
 * `original_value_truncated: true`, `original_value_bytes` and `original_value_sha256`; topic,
 * partition and offset say where the whole record is. The same holds for a large key. Headers that are
 * that large are left out: `original_headers_truncated: true`.
 */
export function deadLetterEnvelope(
  record: EnvelopedRecord,
  error: unknown,
  context: EnvelopeContext
): string {
  const whole = stringifyJson({
    ...place(record),
    ...field('original_key', keptBytes(record.key)),
    ...field('original_value', keptBytes(record.value)),
    original_headers: record.headers,
    ...circumstances(record, error, context)
  })
  if (Buffer.byteLength(whole) <= context.maxBytes) return whole
  const headers = stringifyJson({ ...record.headers })
  return stringifyJson({
    ...place(record),
    ...excerpt('original_key', record.key),
    ...excerpt('original_value', record.value),
    ...(Buffer.byteLength(headers) <= EXCERPT_BYTES
      ? { original_headers: record.headers }
      : { original_headers: {}, original_headers_truncated: true }),
    ...circumstances(record, error, context)
  })
}

function place({ topic, partition, offset }: EnvelopedRecord) {
  return { original_topic: topic, original_partition: partition, original_offset: offset }
}

function circumstances({ timestamp }: EnvelopedRecord, error: unknown, context: EnvelopeContext) {
  return {
    original_timestamp: timestamp,
    error_type: errorType(error),
    error_message: failureOf(error).message,
    error_category: errorClassOf(error),
    consumer_group: context.consumerGroup,
    worker_id: context.workerId,
    domain: context.domain,
    worker_name: context.workerName,
    dlq_timestamp: context.nowMs / 1000
  }
}

function field(name: string, { text, encoding }: Kept) {
  return { [name]: text, [`${name}_encoding`]: encoding }
}

/** The field whole when it is small; else its first part, and what identifies the rest. */
function excerpt(name: string, bytes: Uint8Array | null) {
  if (bytes === null || bytes.length <= EXCERPT_BYTES) return field(name, keptBytes(bytes))
  return {
    ...field(name, keptBytes(bytes.subarray(0, EXCERPT_BYTES))),
    [`${name}_truncated`]: true,
    [`${name}_bytes`]: bytes.length,
    [`${name}_sha256`]: createHash('sha256').update(bytes).digest('hex')
  }
}

function errorType(error: unknown): string {
  if (isPipelineError(error)) return error.code
  return error instanceof Error ? error.name : typeof error
}

interface Kept {
  readonly text: string | null
  readonly encoding: 'utf-8' | 'base64' | null
}

/** Up to this size bytes that are text stay readable, whatever escaping makes of them. */
const READABLE_BYTES = 64 * 1024

/**
 * A byte order mark is kept too, so that decoding and encoding give the same bytes back. Large values
 * take the smaller form: JSON escapes can make text six times as long, beyond what a log takes.
 */
function keptBytes(bytes: Uint8Array | null): Kept {
  if (bytes === null) return { text: null, encoding: null }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const text = decoder.decode(bytes)
    if (bytes.length <= READABLE_BYTES || !isLongerThanBase64(text, bytes)) {
      return { text, encoding: 'utf-8' }
    }
  } catch {
    // Not UTF-8.
  }
  return { text: Buffer.from(bytes).toString('base64'), encoding: 'base64' }
}

function isLongerThanBase64(text: string, bytes: Uint8Array): boolean {
  return Buffer.byteLength(JSON.stringify(text)) > (bytes.length / 3) * 4
}
