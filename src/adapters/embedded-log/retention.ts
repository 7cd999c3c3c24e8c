/**
 * Deletes records: below an offset (purge), and by age what every group has consumed. All in bounded
 * transactions.
 */
import type { Clock } from '../../ports/index.ts'
import type { Groups } from './groups.ts'
import type { Records } from './records.ts'
import type { Topics } from './topics.ts'
import type { Writer } from './writer.ts'

/** Rows that one transaction deletes. */
const CHUNK_ROWS = 256

export interface RetentionPorts {
  readonly clock: Clock
  readonly writer: Writer
  readonly topics: Topics
  readonly records: Records
  readonly groups: Groups
  /** A round that failed; the next one tries again. */
  failed(error: unknown): void
}

/**
 * Removes all records of the partition below `offset()`, which is asked inside the transaction. They are invisible from the first transaction
 * on; a crash leaves rows behind that the next removal takes along.
 */
export async function deletePrefix(
  partitionId: number,
  offset: () => number,
  ports: Pick<RetentionPorts, 'writer' | 'records'>
): Promise<void> {
  const { writer, records } = ports
  for (let deleted = CHUNK_ROWS; deleted === CHUNK_ROWS; ) {
    deleted = await writer.submit({
      rows: CHUNK_ROWS,
      bytes: 0,
      durable: true,
      run: () => {
        records.raiseEarliest(partitionId, offset())
        return records.deleteBelowEarliest(partitionId, CHUNK_ROWS)
      }
    })
  }
}

/**
 * One round over all topics that have a retention time. What a group has not committed stays, however
 * old it is, and so does everything in a topic that no group has read yet: workers that were stopped
 * for longer than the retention time must not lose events (design.md D9).
 */
export async function deleteExpired(ports: RetentionPorts): Promise<void> {
  const { clock, writer, topics, records, groups } = ports
  for (const topic of await writer.read(() => topics.all())) {
    if (topic.retentionMs === undefined) continue
    const before = clock.now() - topic.retentionMs
    for (const partitionId of topic.partitionIds) {
      for (;;) {
        const expired = (): number => {
          const consumed = groups.consumedUntil(topic.id, partitionId) ?? 0
          return Math.min(consumed, records.expiredUntil(partitionId, before, CHUNK_ROWS) ?? 0)
        }
        const { earliest } = await writer.read(() => topics.state(partitionId))
        if ((await writer.read(expired)) <= earliest) break
        await deletePrefix(partitionId, expired, ports)
      }
    }
  }
}

export interface Retention {
  /** Stops the timer and waits for the round that runs. */
  close(): Promise<void>
}

export function startRetention(intervalMs: number, ports: RetentionPorts): Retention {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= deleteExpired(ports)
      .catch(error => ports.failed(error))
      .finally(() => {
        running = undefined
      })
  }, intervalMs).unref()
  return {
    async close() {
      clearInterval(timer)
      await running
    }
  }
}
