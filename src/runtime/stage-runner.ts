/**
 * The loop of every worker (design.md section 2): poll, decode, process, write tables, produce, commit.
 * Several batches may be processed at once (the next one's API calls run while this one's tables are
 * written), but they are applied and committed strictly in order, so the committed offset is always
 * the only progress marker. Specification: docs/specs/worker-lifecycle.md.
 */
import { BrokerError, errorText, isPipelineError } from '../core/index.ts'
import type {
  Clock,
  Consumer,
  Ids,
  LogRecord,
  MessageLog,
  PolledRecords,
  PollOptions,
  Producer,
  TableStore,
  Telemetry
} from '../ports/index.ts'
import { applyBatch, type Batch, beginBatch, nextOffsets } from './batch.ts'
import { DependencyGate } from './dependency-gate.ts'
import { HeldPartitions } from './held-partitions.ts'
import type { WorkerProgress, WorkerState } from './progress.ts'
import type { Outcome, StageSpec } from './stage.ts'
import { StageCounters } from './stage-counters.ts'

export interface StagePorts {
  readonly log: MessageLog
  readonly tables: TableStore
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

const POLL_MS = 1_000
const RETRY_POLL_MS = 1_000

export class StageRunner<M> {
  readonly #spec: StageSpec<M>
  readonly #ports: StagePorts
  readonly #instance: number
  readonly #gate: DependencyGate
  readonly #counters: StageCounters
  readonly #held: HeldPartitions
  readonly #stopPolling = new AbortController()
  readonly #abandonAll = new AbortController()
  readonly #inFlight = new Set<Batch<M>>()
  #state: WorkerState = 'starting'
  #lastError = ''
  #failure: unknown
  /** Batches of generations up to this one must not be committed any more. */
  #fenced = -1
  #generation = -1
  #tail: Promise<void> = Promise.resolve()
  #slotFreed: (() => void) | undefined

  constructor(spec: StageSpec<M>, ports: StagePorts, instance = 0) {
    this.#spec = spec
    this.#ports = {
      ...ports,
      telemetry: {
        metrics: ports.telemetry.metrics,
        log: ports.telemetry.log.child({ worker: spec.worker, domain: spec.domain, instance })
      }
    }
    this.#instance = instance
    this.#gate = new DependencyGate(ports)
    this.#counters = new StageCounters(spec, ports)
    this.#held = new HeldPartitions(spec, ports.clock)
  }

  progress(): WorkerProgress {
    const blocked = this.#gate.blockedBy
    const waitingFor =
      blocked === undefined ? (this.#spec.waitingFor?.() ?? '') : errorText(blocked)
    const waiting = this.#state === 'running' && waitingFor !== ''
    return {
      worker: this.#spec.worker,
      instance: this.#instance,
      state: waiting ? 'waiting' : this.#state,
      ...this.#counters.snapshot(),
      lastError: waiting ? waitingFor : this.#lastError
    }
  }

  /** Works until `stop`. Resolves when everything is closed; rejects when the stage cannot go on. */
  async run(): Promise<void> {
    const { log, telemetry } = this.#ports
    let consumer: Consumer | undefined
    let producer: Producer | undefined
    try {
      await this.#prepareTables()
      producer = await this.#whenAvailable(() => log.producer({ clientId: this.#spec.worker }))
      consumer = await this.#whenAvailable(() => this.#join())
      this.#state = 'running'
      telemetry.log.info('worker started', { group: this.#spec.group })
      await this.#loop(consumer, producer)
      await this.#tail
    } catch (error) {
      if (!this.#stopPolling.signal.aborted) this.#fail(error)
    } finally {
      this.#abandonAll.abort()
      await this.#tail
      await consumer?.close().catch((error: unknown) => this.#note('closing the consumer', error))
      await producer?.close().catch((error: unknown) => this.#note('closing the producer', error))
      this.#state = this.#failure === undefined ? 'stopped' : 'failed'
      telemetry.log.info('worker stopped', { ...this.#counters.snapshot() })
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /**
   * Stops polling; batches in flight may finish until the deadline, then they are abandoned (others
   * repeat them). `run` resolves afterwards.
   */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'running') this.#state = 'draining'
    this.#stopPolling.abort()
    const timer = new AbortController()
    const expiry = this.#ports.clock.sleep(deadlineMs, timer.signal).catch(() => undefined)
    await Promise.race([this.#drained(), expiry])
    timer.abort()
    this.#abandonAll.abort()
  }

  async #drained(): Promise<void> {
    while (this.#inFlight.size > 0) await this.#tail
  }

  async #prepareTables(): Promise<void> {
    for (const table of this.#spec.tables) {
      await this.#gate.run(() => this.#ports.tables.ensure(table), this.#stopPolling.signal)
    }
  }

  #join(): Promise<Consumer> {
    const { group: groupId, inputs: topics, worker } = this.#spec
    return this.#ports.log.consumer({
      groupId,
      topics,
      clientId: `${worker}-${this.#instance}-${this.#ports.ids.uuid().slice(0, 8)}`
    })
  }

  /** Repeats while the log is not reachable; other errors, such as a missing topic, come out. */
  #whenAvailable<T>(open: () => Promise<T>): Promise<T> {
    return this.#gate.run(open, this.#stopPolling.signal)
  }

  async #loop(consumer: Consumer, producer: Producer): Promise<void> {
    while (!this.#stopPolling.signal.aborted && this.#failure === undefined) {
      await this.#slot()
      if (this.#stopPolling.signal.aborted) break
      const polled = await this.#poll(consumer)
      if (polled === undefined) continue
      const records = this.#held.cut(polled.records, consumer)
      if (records.length === 0 || this.#stopPolling.signal.aborted) continue
      this.#begin(polled.generation, records, consumer, producer)
    }
  }

  async #slot(): Promise<void> {
    while (this.#inFlight.size >= this.#spec.batchesInFlight) {
      await new Promise<void>(resolve => {
        this.#slotFreed = resolve
      })
    }
  }

  async #poll(consumer: Consumer): Promise<PolledRecords | undefined> {
    const { batchRecords, batchBytes, lingerMs } = this.#spec
    const { signal } = this.#stopPolling
    const timeoutMs = this.#held.resumeDue(consumer, POLL_MS)
    const first = await this.#tryPoll(consumer, {
      maxRecords: batchRecords,
      maxBytes: batchBytes,
      timeoutMs,
      signal
    })
    const room = batchRecords - (first?.records.length ?? 0)
    if (first === undefined || first.records.length === 0 || room <= 0 || lingerMs === 0) {
      return first
    }
    await this.#ports.clock.sleep(lingerMs, signal).catch(() => undefined)
    if (signal.aborted) return undefined
    const rest = { maxRecords: room, maxBytes: batchBytes, timeoutMs: 0 }
    const more = await this.#tryPoll(consumer, rest)
    // The position is behind the first records already: they are worked on whatever became of the rest.
    if (more === undefined) return first
    // After a rebalance the first records are no longer ours; their owner reads them again.
    if (more.generation !== first.generation) return more
    return { generation: first.generation, records: [...first.records, ...more.records] }
  }

  /** Undefined after a failure that passes, or when stopped. */
  async #tryPoll(consumer: Consumer, options: PollOptions): Promise<PolledRecords | undefined> {
    const { signal } = this.#stopPolling
    try {
      const polled = await consumer.poll(options)
      this.#noticeGeneration(polled.generation, consumer)
      return polled
    } catch (error) {
      if (signal.aborted) return undefined
      if (!isPipelineError(error) || !error.retryable) throw error
      this.#note('reading from the message log', error)
      await this.#ports.clock.sleep(RETRY_POLL_MS, signal).catch(() => undefined)
      return undefined
    }
  }

  #noticeGeneration(generation: number, consumer: Consumer): void {
    if (generation === this.#generation) return
    this.#generation = generation
    this.#held.clear(consumer)
    this.#fence(generation - 1)
  }

  #fence(generation: number): void {
    this.#fenced = Math.max(this.#fenced, generation)
    for (const batch of this.#inFlight) {
      if (batch.generation <= this.#fenced) batch.controller.abort()
    }
  }

  #begin(
    generation: number,
    records: readonly LogRecord[],
    consumer: Consumer,
    producer: Producer
  ): void {
    const batch = beginBatch(this.#spec, generation, records, this.#ports.clock.monotonic())
    const abandon = (): void => batch.controller.abort()
    this.#abandonAll.signal.addEventListener('abort', abandon, { once: true })
    this.#inFlight.add(batch)
    this.#counters.began(batch)
    this.#tail = this.#tail
      .then(() => this.#finish(batch, consumer, producer))
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#abandonAll.signal.removeEventListener('abort', abandon)
        this.#inFlight.delete(batch)
        this.#counters.ended()
        this.#slotFreed?.()
      })
  }

  async #finish(batch: Batch<M>, consumer: Consumer, producer: Producer): Promise<void> {
    const { clock, tables, telemetry } = this.#ports
    let outcomes: readonly Outcome[]
    try {
      if (batch.generation <= this.#fenced || this.#failure !== undefined) {
        batch.controller.abort()
      }
      const gate = this.#gate
      outcomes = await applyBatch(this.#spec, batch, { clock, tables, telemetry, producer, gate })
      await this.#commit(batch, consumer)
    } catch (error) {
      if (isPipelineError(error) && error.code === 'BROKER_FENCED') this.#fence(batch.generation)
      // Only our own abort may drop a batch: after any other the next batch's commit would cover it.
      else if (!batch.controller.signal.aborted) throw error
      this.#counters.abandoned(batch)
      return
    }
    this.#lastError = ''
    this.#counters.committed(batch, outcomes)
  }

  #commit(batch: Batch<M>, consumer: Consumer): Promise<void> {
    const offsets = nextOffsets(batch.records)
    return this.#gate.run(async () => {
      try {
        await consumer.commit(batch.generation, offsets)
      } catch (error) {
        if (!isPipelineError(error) || error.code !== 'BROKER_FENCED') throw error
        // Waiting does not help: someone else owns the partitions now.
        throw new BrokerError('BROKER_FENCED', error.message, {
          cause: error,
          errorClass: 'permanent'
        })
      }
    }, batch.controller.signal)
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = error
      this.#lastError = errorText(error)
      this.#ports.telemetry.log.error('worker cannot go on', {}, error)
    }
    this.#stopPolling.abort()
    this.#abandonAll.abort()
  }

  #note(what: string, error: unknown): void {
    this.#lastError = `${what}: ${errorText(error)}`
    this.#ports.telemetry.log.warn(`${what} failed`, { error_text: errorText(error) })
  }
}
