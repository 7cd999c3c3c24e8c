/** Writes the world's events to the message log, and continues where an earlier run stopped. */
import { setTimeout as sleep } from 'node:timers/promises'
import { BrokerError } from '../core/index.ts'
import type { MessageLog, ProducerRecord } from '../ports/index.ts'
import type { World } from './types.ts'

export interface FeedOptions {
  readonly topic: string
  /** Records a send. */
  readonly batch: number
  /**
   * First event to send. Default: what the topic does not hold yet. Event `i` goes to partition
   * `i mod partitions`, so each partition's end says exactly which of its events are stored, even when
   * a send was cut off in the middle.
   */
  readonly from?: number
  readonly signal?: AbortSignal
  /** Default: as fast as the log takes them. */
  readonly ratePerSecond?: number
  readonly onProgress?: (fed: number) => void
}

/** Number of events sent. Stops early, without error, when the signal aborts. */
export async function feedEvents(
  world: World,
  log: MessageLog,
  options: FeedOptions
): Promise<number> {
  const { topic, batch, signal, ratePerSecond } = options
  const next = await nextByPartition(log, topic, options.from)
  const producer = await log.producer({ clientId: 'simulator' })
  const startedAt = performance.now()
  let sent = 0
  let index = Math.min(...next)
  try {
    while (index < world.eventCount && signal?.aborted !== true) {
      const records: ProducerRecord[] = []
      for (; index < world.eventCount && records.length < batch; index++) {
        const partition = index % next.length
        if (index >= (next[partition] ?? 0)) records.push(recordOf(world, topic, index, partition))
      }
      if (records.length > 0) await producer.send(records)
      sent += records.length
      options.onProgress?.(index)
      if (ratePerSecond !== undefined) await pace(sent, ratePerSecond, startedAt, signal)
    }
  } finally {
    await producer.close()
  }
  return sent
}

async function nextByPartition(
  log: MessageLog,
  topic: string,
  from: number | undefined
): Promise<number[]> {
  const [description] = await log.describeTopics([topic])
  if (description === undefined || description.partitions.length === 0) {
    throw new BrokerError('BROKER_UNKNOWN_TOPIC', `topic ${topic} does not exist: create it first`)
  }
  const count = description.partitions.length
  return description.partitions.map(({ partition, end }) =>
    from === undefined ? partition + Number(end) * count : from
  )
}

function recordOf(world: World, topic: string, index: number, partition: number): ProducerRecord {
  const { key, value } = world.event(index)
  return { topic, key, value, partition }
}

async function pace(
  sent: number,
  ratePerSecond: number,
  startedAt: number,
  signal: AbortSignal | undefined
): Promise<void> {
  const aheadMs = (sent / ratePerSecond) * 1000 - (performance.now() - startedAt)
  if (aheadMs <= 0) return
  try {
    await sleep(aheadMs, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    if (signal?.aborted !== true) throw error
  }
}
