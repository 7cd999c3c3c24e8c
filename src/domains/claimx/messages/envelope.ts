/** Dead letter of a record that cannot be parsed: its bytes, kept (claimx-events.md section 4.7). */
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
}

/**
 * Value of the dead letter. Bytes that are not UTF-8 become base64, and
 * `original_key_encoding` / `original_value_encoding` say which of `utf-8` and `base64` it is.
 */
export function deadLetterEnvelope(
  record: EnvelopedRecord,
  error: unknown,
  context: EnvelopeContext
): string {
  const key = keptBytes(record.key)
  const value = keptBytes(record.value)
  return stringifyJson({
    original_topic: record.topic,
    original_partition: record.partition,
    original_offset: record.offset,
    original_key: key.text,
    original_key_encoding: key.encoding,
    original_value: value.text,
    original_value_encoding: value.encoding,
    original_headers: record.headers,
    original_timestamp: record.timestamp,
    error_type: errorType(error),
    error_message: failureOf(error).message,
    error_category: errorClassOf(error),
    consumer_group: context.consumerGroup,
    worker_id: context.workerId,
    domain: context.domain,
    worker_name: context.workerName,
    dlq_timestamp: context.nowMs / 1000
  })
}

function errorType(error: unknown): string {
  if (isPipelineError(error)) return error.code
  return error instanceof Error ? error.name : typeof error
}

/** Up to this size bytes that are text stay readable, whatever escaping makes of them. */
const READABLE_BYTES = 64 * 1024

/**
 * A byte order mark is kept too, so that decoding and encoding give the same bytes back. Large values
 * take the smaller form: JSON escapes can make text six times as long, beyond what a log takes.
 */
function keptBytes(bytes: Uint8Array | null): {
  text: string | null
  encoding: 'utf-8' | 'base64' | null
} {
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
