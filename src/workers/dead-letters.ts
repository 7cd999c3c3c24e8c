/** Dead letters of records that have no task to wrap (reference/claimx-events.md section 4.7). */
import type { PipelineError } from '../core/index.ts'
import { deadLetterEnvelope } from '../domains/claimx/index.ts'
import type { Clock, LogRecord, ProducerRecord } from '../ports/index.ts'

interface EnvelopeContext {
  readonly dlqTopic: string
  readonly consumerGroup: string
  readonly workerName: string
  /** What the log takes: key, value and headers of one record together. */
  readonly maxRecordBytes: number
}

/** Wraps undecodable records of a stage for its dead-letter topic. */
export function envelopesOf(
  stage: { readonly group: string; readonly worker: string },
  dlqTopic: string,
  maxRecordBytes: number,
  clock: Clock
): (record: LogRecord, error: PipelineError) => ProducerRecord {
  const context = { dlqTopic, consumerGroup: stage.group, workerName: stage.worker, maxRecordBytes }
  return (record, error) => envelopeRecord(record, error, context, clock)
}

/** Room for the headers of a dead letter. */
const HEADER_BYTES = 4 * 1024

/** A longer key does not become the dead letter's key; the envelope has it. */
const KEY_BYTES = 64 * 1024

/**
 * The record's bytes, wrapped, for the dead-letter topic of a stage. It never exceeds what the log
 * takes: a dead letter that cannot be stored would stop the stage at its record for ever.
 */
function envelopeRecord(
  record: LogRecord,
  error: PipelineError,
  context: EnvelopeContext,
  clock: Clock
): ProducerRecord {
  const { dlqTopic, consumerGroup, workerName, maxRecordBytes } = context
  const key = record.key !== null && record.key.length > KEY_BYTES ? null : record.key
  const value = deadLetterEnvelope(record, error, {
    consumerGroup,
    workerId: workerName,
    workerName,
    domain: 'claimx',
    nowMs: clock.now(),
    maxBytes: maxRecordBytes - HEADER_BYTES - (key?.length ?? 0)
  })
  return {
    topic: dlqTopic,
    key,
    value,
    headers: {
      dlq_source_topic: record.topic,
      dlq_error_category: error.errorClass,
      dlq_consumer_group: consumerGroup
    }
  }
}
