/**
 * Event ingester: every event becomes one row of `claimx_events` and one enrichment task. What cannot be
 * parsed goes to `claimx.events.dlq` with its bytes; an unknown type is stored and passed on, so that
 * its log row says `skipped`.
 */
import { isPipelineError, MessageError, microsFromMillis, type Row } from '../../core/index.ts'
import {
  type ClaimxEvent,
  claimxTables,
  encodeEnrichmentTask,
  enrichmentTaskOf,
  eventRow,
  parseRawEvent
} from '../../domains/claimx/index.ts'
import type { ProducerRecord } from '../../ports/index.ts'
import type { BatchResult, Delivery, Outcome, StageSpec } from '../../runtime/index.ts'
import { stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'

const stage = stages.ingester

export function eventIngester(options: StageOptions, ports: WorkerPorts): StageSpec<ClaimxEvent> {
  const undecodable = envelopesOf(
    stage,
    topics.claimx.eventsDlq,
    options.maxRecordBytes,
    ports.clock
  )
  return {
    worker: stage.worker,
    domain: 'claimx',
    inputs: stage.inputs,
    group: stage.group,
    ...options,
    batchesInFlight: 2,
    tables: [claimxTables.claimx_events],
    decode: record => parseRawEvent(record.value),
    process: async batch => ingest(batch, microsFromMillis(ports.clock.now())),
    failed: ({ record }, cause) => {
      const error = isPipelineError(cause)
        ? cause
        : new MessageError('EVENT_INVALID', 'the event cannot be stored', { cause })
      const records = [undecodable(record, error)]
      return { outcomes: [{ kind: 'dead', records, error }], writes: [] }
    },
    undecodable
  }
}

/** One row and one task a distinct event; a repetition within the batch needs neither. */
function ingest(batch: readonly Delivery<ClaimxEvent>[], now: bigint): BatchResult {
  const rows = new Map<string, Row>()
  const outcomes = batch.map(({ message }): Outcome => {
    if (rows.has(message.eventId)) return { kind: 'done', records: [] }
    rows.set(message.eventId, eventRow(message, now))
    return { kind: 'done', records: [taskRecord(message, now)] }
  })
  return { outcomes, writes: [{ table: claimxTables.claimx_events, rows: [...rows.values()] }] }
}

function taskRecord(event: ClaimxEvent, now: bigint): ProducerRecord {
  return {
    topic: topics.claimx.enrichment,
    key: event.eventId,
    value: encodeEnrichmentTask(enrichmentTaskOf(event, now)),
    headers: { event_id: event.eventId }
  }
}
