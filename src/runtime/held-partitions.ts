/**
 * Delay inside the log (retry topics): a partition whose head record is not due yet is paused and
 * sought back to it; it is resumed when the record is due. Nothing waits in memory, so a restart loses
 * nothing (reference/operations.md section 2.3).
 */
import type { Clock, Consumer, LogRecord, TopicPartition } from '../ports/index.ts'

interface Held extends TopicPartition {
  readonly dueAt: number
}

export class HeldPartitions {
  readonly #notBefore: ((record: LogRecord) => number) | undefined
  readonly #clock: Clock
  readonly #held = new Map<string, Held>()

  constructor(spec: { notBefore?(record: LogRecord): number }, clock: Clock) {
    this.#notBefore = spec.notBefore?.bind(spec)
    this.#clock = clock
  }

  /** The records that are due; each partition with one that is not is paused at that record. */
  cut(records: readonly LogRecord[], consumer: Consumer): readonly LogRecord[] {
    const notBefore = this.#notBefore
    if (notBefore === undefined) return records
    const now = this.#clock.now()
    return records.filter(record => {
      const { topic, partition, offset } = record
      const id = `${topic}/${partition}`
      if (this.#held.has(id)) return false
      const dueAt = notBefore(record)
      if (dueAt <= now) return true
      this.#held.set(id, { topic, partition, dueAt })
      consumer.pause([{ topic, partition }])
      consumer.seek([{ topic, partition, offset }])
      return false
    })
  }

  /** Resumes what is due. Returns how long a poll may wait before the next one is: at most `limitMs`. */
  resumeDue(consumer: Consumer, limitMs: number): number {
    const now = this.#clock.now()
    let wait = limitMs
    for (const [id, held] of this.#held) {
      if (held.dueAt <= now) {
        this.#held.delete(id)
        consumer.resume([held])
      } else {
        wait = Math.min(wait, held.dueAt - now)
      }
    }
    return wait
  }

  /**
   * After a rebalance: positions are the committed ones again. What stays ours is resumed, because a log
   * may keep a partition paused across generations; its head record is looked at anew.
   */
  clear(consumer: Consumer): void {
    if (this.#held.size > 0) consumer.resume([...this.#held.values()])
    this.#held.clear()
  }
}
