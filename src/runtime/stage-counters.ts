/** Counters of one running stage, for progress and metrics (reference/operations.md section 7). */
import type { Clock, Telemetry } from '../ports/index.ts'
import type { Batch } from './batch.ts'
import type { WorkerProgress } from './progress.ts'
import type { Outcome } from './stage.ts'

type Counts = Omit<WorkerProgress, 'worker' | 'instance' | 'state' | 'lastError'>

export class StageCounters {
  readonly #stage: { readonly group: string; readonly domain: string }
  readonly #clock: Clock
  readonly #telemetry: Telemetry
  readonly #ends = { done: 0, skipped: 0, retried: 0, dead: 0 }
  #received = 0
  #batches = 0
  #abandoned = 0
  #active = 0
  #busyMs = 0
  #busySince = 0

  constructor(
    stage: { readonly group: string; readonly domain: string },
    ports: { clock: Clock; telemetry: Telemetry }
  ) {
    this.#stage = stage
    this.#clock = ports.clock
    this.#telemetry = ports.telemetry
  }

  began(batch: Batch<unknown>): void {
    if (this.#active === 0) this.#busySince = this.#clock.monotonic()
    this.#active += 1
    this.#received += batch.records.length
    this.#perTopic(batch, 'kafka_messages_consumed_total', { status: 'success' })
  }

  ended(): void {
    this.#active -= 1
    if (this.#active === 0) this.#busyMs += this.#clock.monotonic() - this.#busySince
  }

  committed(batch: Batch<unknown>, outcomes: readonly Outcome[]): void {
    this.#batches += 1
    const { metrics } = this.#telemetry
    const { domain, group } = this.#stage
    for (const { kind, error } of outcomes) {
      this.#ends[kind] += 1
      if (error === undefined) continue
      const errorCategory = error.errorClass
      if (kind === 'retried') {
        metrics.count('kafka_retry_attempts_total', 1, { domain, error_category: errorCategory })
      } else if (kind === 'dead') {
        const reason = errorCategory === 'permanent' ? 'permanent' : 'exhausted'
        metrics.count('kafka_dlq_messages_total', 1, { domain, reason })
      }
    }
    const seconds = (this.#clock.monotonic() - batch.startedAt) / 1000
    const topic = batch.records[0]?.topic ?? ''
    metrics.observe('kafka_batch_processing_duration_seconds', seconds, { topic })
    metrics.observe('pipeline_batch_records', batch.records.length, { consumer_group: group })
  }

  abandoned(batch: Batch<unknown>): void {
    this.#abandoned += 1
    this.#perTopic(batch, 'pipeline_records_abandoned_total', {})
  }

  snapshot(): Counts {
    const open = this.#active > 0 ? this.#clock.monotonic() - this.#busySince : 0
    return {
      received: this.#received,
      ...this.#ends,
      batches: this.#batches,
      abandoned: this.#abandoned,
      busySeconds: (this.#busyMs + open) / 1000
    }
  }

  #perTopic(batch: Batch<unknown>, metric: string, labels: Record<string, string>): void {
    const counts = new Map<string, number>()
    for (const { topic } of batch.records) counts.set(topic, (counts.get(topic) ?? 0) + 1)
    for (const [topic, count] of counts) {
      this.#telemetry.metrics.count(metric, count, {
        topic,
        consumer_group: this.#stage.group,
        ...labels
      })
    }
  }
}
