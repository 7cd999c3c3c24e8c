/** Dead letters of records that have no task to wrap (reference/claimx-events.md section 4.7). */
import type { PipelineError } from '../core/index.ts'
import { deadLetterEnvelope } from '../domains/claimx/index.ts'
import type { Clock, LogRecord, ProducerRecord } from '../ports/index.ts'

export interface EnvelopeContext {
  readonly dlqTopic: string
  readonly consumerGroup: string
  readonly workerName: string
}

/** The record's bytes, wrapped, for the dead-letter topic of a stage. */
export function envelopeRecord(
  record: LogRecord,
  error: PipelineError,
  context: EnvelopeContext,
  clock: Clock
): ProducerRecord {
  const { dlqTopic, consumerGroup, workerName } = context
  const value = deadLetterEnvelope(record, error, {
    consumerGroup,
    workerId: workerName,
    workerName,
    domain: 'claimx',
    nowMs: clock.now()
  })
  return {
    topic: dlqTopic,
    key: record.key,
    value,
    headers: {
      dlq_source_topic: record.topic,
      dlq_error_category: error.errorClass,
      dlq_consumer_group: consumerGroup
    }
  }
}
