/** Records of the port as the library sends and returns them. */
import type { Headers, LogRecord, ProducerRecord } from '../../ports/index.ts'
import type { FetchedPartition, ProduceMessage, RecordsBatch } from './protocol.ts'

const CONTROL_BATCH = 1 << 5
/** Bit 3: the broker's own time counts, which is the same for the whole batch. */
const LOG_APPEND_TIME = 1 << 3
/** What a record, and the batch around it, have beside key, value and headers, at most. */
const OVERHEAD_BYTES = 100

/** `now` in milliseconds. */
export function messageOf(record: ProducerRecord, partition: number, now: number): ProduceMessage {
  const { topic, key, value, headers, timestamp } = record
  return {
    topic,
    partition,
    key: bytesOf(key ?? null),
    value: bytesOf(value),
    headers: new Map(
      Object.entries(headers ?? {}).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])
    ),
    timestamp: BigInt(timestamp ?? now)
  }
}

/** Bytes that the record takes in a batch, at most. */
export function sizeOf({ key, value, headers }: ProduceMessage): number {
  let bytes = OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, text] of headers) bytes += name.length + text.length + 10
  return bytes
}

export interface DecodedRecords {
  readonly records: LogRecord[]
  /** Where reading goes on: beyond what is here, also beyond marks of transactions. */
  readonly next: bigint
}

/** Records from an offset on: a batch may begin before it. */
export function decodeRecords(
  topic: string,
  { partitionIndex: partition, records: batches }: FetchedPartition,
  from: bigint
): DecodedRecords {
  const records: LogRecord[] = []
  let next = from
  for (const batch of batches ?? []) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
    if (end <= from) continue
    next = end
    if ((batch.attributes & CONTROL_BATCH) !== 0) continue
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta)
      if (offset < from) continue
      const timestamp = timestampOf(batch, record.timestampDelta)
      const { key, value } = record
      records.push({
        topic,
        partition,
        offset,
        timestamp,
        key,
        value,
        headers: headersOf(record.headers)
      })
    }
  }
  return { records, next }
}

function timestampOf(batch: RecordsBatch, delta: bigint): number {
  const appended = (batch.attributes & LOG_APPEND_TIME) !== 0
  return Number(appended ? batch.maxTimestamp : batch.firstTimestamp + delta)
}

function headersOf(pairs: readonly (readonly [Buffer | null, Buffer | null])[]): Headers {
  if (pairs.length === 0) return NONE
  return Object.fromEntries(
    pairs.map(([name, text]) => [name?.toString() ?? '', text?.toString() ?? ''])
  )
}

const NONE: Headers = {}

function bytesOf(value: Uint8Array | string | null): Buffer | null {
  if (value === null) return null
  if (typeof value === 'string') return Buffer.from(value)
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length)
}
