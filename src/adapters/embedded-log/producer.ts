/** Encodes records, chooses partitions and cuts a call into transactions of bounded size. */
import { BrokerError, InvariantError, partitionOfKey } from '../../core/index.ts'
import type { Clock, Ids, Producer, ProducerRecord, RecordMetadata } from '../../ports/index.ts'
import type { LogNotifier } from './notifier.ts'
import type { EncodedRecord, Records } from './records.ts'
import { closedError, unknownTopic } from './sqlite-errors.ts'
import type { Topics } from './topics.ts'
import { MAX_BYTES, MAX_ROWS, type Writer } from './writer.ts'

export interface ProducerPorts {
  readonly clock: Clock
  readonly ids: Ids
  readonly writer: Writer
  readonly topics: Topics
  readonly records: Records
  readonly notifier: LogNotifier
}

/**
 * Records without key or partition go round-robin, record by record and per topic, from a random
 * start, so that even single sends spread.
 */
export function createProducer(maxRecordBytes: number, ports: ProducerPorts): Producer {
  const { clock, ids, writer, topics, records, notifier } = ports
  const turns = new Map<string, number>()
  let closed = false

  function choosePartition(record: ProducerRecord, key: Uint8Array | null): number {
    const { partitionIds } = topics.require(record.topic)
    if (record.partition !== undefined) {
      if (partitionIds[record.partition] === undefined) {
        throw unknownTopic(record.topic, record.partition)
      }
      return record.partition
    }
    if (key !== null) return partitionOfKey(key, partitionIds.length)
    const turn = turns.get(record.topic) ?? Math.floor(ids.random() * partitionIds.length)
    turns.set(record.topic, (turn + 1) % partitionIds.length)
    return turn
  }

  function encode(record: ProducerRecord, now: number): Prepared {
    const key = toBytes(record.key)
    const value = toBytes(record.value)
    const headers = encodeHeaders(record)
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + (headers?.length ?? 0)
    if (bytes > maxRecordBytes) throw tooLarge(record.topic, bytes, maxRecordBytes)
    const partition = choosePartition(record, key)
    const partitionId = topics.partitionId(record.topic, partition)
    const timestamp = Math.trunc(record.timestamp ?? now)
    if (!Number.isSafeInteger(timestamp)) throw badTimestamp(record.topic, timestamp)
    return {
      topic: record.topic,
      partition,
      encoded: { partitionId, timestamp, key, value, headers, bytes }
    }
  }

  async function append(chunk: readonly Prepared[], bytes: number): Promise<RecordMetadata[]> {
    const encoded = chunk.map(entry => entry.encoded)
    const offsets = await writer.submit({
      rows: chunk.length,
      bytes,
      durable: true,
      run: () => records.append(encoded),
      done: () =>
        notifier.notify({
          kind: 'records',
          partitionIds: new Set(encoded.map(record => record.partitionId))
        })
    })
    return chunk.map((entry, index) => ({
      topic: entry.topic,
      partition: entry.partition,
      offset: BigInt(offsets[index] ?? 0)
    }))
  }

  return {
    async send(list) {
      if (closed) throw closedError('producer')
      if (list.length === 0) return []
      const now = clock.now()
      const prepared = await writer.read(() => list.map(record => encode(record, now)))
      const metadata: RecordMetadata[] = []
      // One after the other, so that a failure leaves a prefix of the call (G1: in order).
      for (const { chunk, bytes } of chunks(prepared))
        metadata.push(...(await append(chunk, bytes)))
      return metadata
    },
    async close() {
      closed = true
    }
  }
}

interface Prepared {
  readonly topic: string
  readonly partition: number
  readonly encoded: EncodedRecord
}

function* chunks(list: readonly Prepared[]): Generator<{ chunk: Prepared[]; bytes: number }> {
  let chunk: Prepared[] = []
  let bytes = 0
  for (const entry of list) {
    const size = entry.encoded.bytes
    if (chunk.length > 0 && (chunk.length >= MAX_ROWS || bytes + size > MAX_BYTES)) {
      yield { chunk, bytes }
      chunk = []
      bytes = 0
    }
    chunk.push(entry)
    bytes += size
  }
  if (chunk.length > 0) yield { chunk, bytes }
}

function toBytes(data: Uint8Array | string | null | undefined): Uint8Array | null {
  if (data === null || data === undefined) return null
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data
}

function encodeHeaders(record: ProducerRecord): string | null {
  if (record.headers === undefined || Object.keys(record.headers).length === 0) return null
  return JSON.stringify(record.headers)
}

function tooLarge(topic: string, bytes: number, limit: number): BrokerError {
  return new BrokerError(
    'BROKER_RECORD_TOO_LARGE',
    `A record for topic ${topic} has ${bytes} bytes; the embedded log takes at most ${limit}.`,
    { details: { topic, bytes, limit } }
  )
}

function badTimestamp(topic: string, timestamp: number): InvariantError {
  return new InvariantError(
    'INVARIANT',
    `A record for topic ${topic} has the timestamp ${timestamp}; it must be whole milliseconds.`
  )
}
