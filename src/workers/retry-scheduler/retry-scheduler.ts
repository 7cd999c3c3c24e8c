/**
 * Retry scheduler: records of the retry topics go back to their pending topic when they are due. The
 * delay lives in the topics (the loop pauses a partition at its head record), so nothing is lost by a
 * restart. It never decides that a message is exhausted: the worker that fails does.
 */
import {
  errorText,
  isJsonObject,
  type JsonObject,
  MessageError,
  type PipelineError,
  parseJson
} from '../../core/index.ts'
import type { LogRecord, ProducerRecord } from '../../ports/index.ts'
import { type RetryRouter, retryDueAt, type StageSpec } from '../../runtime/index.ts'
import { retryTargets, stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'

const stage = stages['retry-scheduler']

export interface RetrySchedulerPorts extends WorkerPorts {
  readonly router: RetryRouter
}

/** A record with a target that is known; anything else is a dead letter. */
interface Due {
  readonly target: string
}

export function retryScheduler(options: StageOptions, ports: RetrySchedulerPorts): StageSpec<Due> {
  const dead = (record: LogRecord, error: PipelineError): ProducerRecord =>
    schedulerDeadLetter(record, error, options.maxRecordBytes, ports)
  return {
    worker: stage.worker,
    domain: 'claimx',
    inputs: stage.inputs,
    group: stage.group,
    ...options,
    lingerMs: 0,
    batchesInFlight: 1,
    tables: [],
    notBefore: record => dueAt(record, ports.router),
    decode: record => ({ target: targetOf(record) }),
    process: async batch => ({
      outcomes: batch.map(({ record, message }) => ({
        kind: 'done' as const,
        records: [redelivery(record, message.target)]
      })),
      writes: []
    }),
    failed: ({ record }, cause) => {
      const error = new MessageError('MESSAGE_INVALID', errorText(cause), { cause })
      return { outcomes: [{ kind: 'dead', records: [dead(record, error)], error }], writes: [] }
    },
    undecodable: (record, error) => dead(record, error)
  }
}

/** The header must name the topic that the retry topic belongs to; never an arbitrary one. */
function targetOf(record: LogRecord): string {
  const expected = retryTargets[record.topic]
  const named = record.headers['target_topic']
  if (named === undefined) {
    throw new MessageError('MESSAGE_INVALID', 'the header target_topic is missing')
  }
  if (expected === undefined || named !== expected) {
    throw new MessageError('MESSAGE_INVALID', 'the header target_topic names another topic')
  }
  if (record.value === null) throw new MessageError('MESSAGE_INVALID', 'the record has no value')
  return expected
}

function redelivery(record: LogRecord, target: string): ProducerRecord {
  const { event_id: eventId, original_key: key, retry_count: retryCount } = record.headers
  return {
    topic: target,
    key: key ?? record.key,
    value: record.value,
    headers: {
      ...(eventId === undefined ? {} : { event_id: eventId }),
      ...(retryCount === undefined ? {} : { retry_count: retryCount }),
      redelivered_from: record.topic
    }
  }
}

function dueAt(record: LogRecord, router: RetryRouter): number {
  const suffix = record.topic.slice(record.topic.lastIndexOf('.') + 1)
  const header = record.headers['scheduled_retry_time']
  const text = header === undefined ? retryAtOf(record) : undefined
  return retryDueAt(record, router.delayOf(suffix) ?? 0, text)
}

/** `metadata.retry_at` of the task; only looked at when the header is missing. */
function retryAtOf(record: LogRecord): string | undefined {
  try {
    const root = parseJson(new TextDecoder().decode(record.value ?? new Uint8Array()))
    const metadata: JsonObject | undefined =
      isJsonObject(root) && isJsonObject(root['metadata']) ? root['metadata'] : undefined
    const retryAt = metadata?.['retry_at']
    return typeof retryAt === 'string' ? retryAt : undefined
  } catch {
    return undefined
  }
}

function schedulerDeadLetter(
  record: LogRecord,
  error: PipelineError,
  maxRecordBytes: number,
  ports: WorkerPorts
): ProducerRecord {
  const dlqTopic = record.topic.startsWith('claimx.downloads.')
    ? topics.claimx.downloadsDlq
    : topics.claimx.enrichmentDlq
  const letter = envelopesOf(stage, dlqTopic, maxRecordBytes, ports.clock)(record, error)
  return {
    ...letter,
    headers: {
      ...letter.headers,
      dlq_reason: error.message,
      original_topic: record.topic,
      original_partition: String(record.partition),
      original_offset: String(record.offset)
    }
  }
}
