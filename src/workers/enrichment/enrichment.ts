/**
 * Enrichment worker: a batch of tasks becomes API calls (each distinct thing once), entity rows (parents
 * before children) and download tasks. A failure touches only the tasks that need the failed answer.
 */
import { microsFromMillis, type PipelineError } from '../../core/index.ts'
import {
  type Answer,
  type ApiNeed,
  claimxTables,
  type Decision,
  decodeEnrichmentTask,
  type EnrichmentTask,
  type EntityRows,
  type Handler,
  handlers,
  oneByOneCalls,
  projectRows,
  route,
  writeOrder
} from '../../domains/claimx/index.ts'
import type { ClaimxApi, ProjectAnswer, TableStore } from '../../ports/index.ts'
import type { BatchResult, Delivery, RetryRouter, StageSpec } from '../../runtime/index.ts'
import { stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'
import { EnrichmentEnds, type TaskEnd } from './ends.ts'
import { asPipelineError, callKey, type Gathered, gather } from './gather.ts'
import { type Claim, ProjectRows } from './project-rows.ts'
import { RowCollector } from './row-collector.ts'

const stage = stages.enricher

export interface EnrichmentPorts extends WorkerPorts {
  readonly api: ClaimxApi
  readonly tables: TableStore
  readonly router: RetryRouter
}

export function enrichmentWorker(
  options: StageOptions,
  ports: EnrichmentPorts
): StageSpec<EnrichmentTask> {
  const projects = new ProjectRows(ports.tables)
  const ends = new EnrichmentEnds(ports.router, ports.clock)
  const undecodable = envelopesOf(
    stage,
    topics.claimx.enrichmentDlq,
    options.maxRecordBytes,
    ports.clock
  )
  return {
    worker: stage.worker,
    domain: 'claimx',
    inputs: stage.inputs,
    group: stage.group,
    ...options,
    // One writes its tables, two ask: with one, the API would idle while its last calls come in.
    batchesInFlight: 3,
    tables: writeOrder.map(name => claimxTables[name]),
    decode: record => decodeEnrichmentTask(record.value),
    process: (batch, signal) => new EnrichmentBatch(batch, ports, projects, ends, signal).run(),
    failed: ({ message }, cause) => {
      const end = ends.failure(message, asPipelineError(cause), { apiCalls: 0, durationMs: 0 })
      const writes = [{ table: claimxTables.claimx_event_log, rows: [end.logRow] }]
      return { outcomes: [end.outcome], writes }
    },
    undecodable,
    waitingFor: () => apiState(ports.api)
  }
}

function apiState(api: ClaimxApi): string {
  const { state } = api.status()
  if (state === 'circuit_open') return 'the ClaimX API fails; trial calls go out'
  if (state === 'unauthorized') return 'the ClaimX API answers 401; renew CLAIMX_API_TOKEN'
  return ''
}

/** A task with its handler, or with the failure that it has before any call. */
type Planned =
  | {
      readonly task: EnrichmentTask
      readonly handler: Handler
      readonly needs: readonly ApiNeed[]
      /** Canonical. */
      readonly projectId: string
    }
  | { readonly task: EnrichmentTask; readonly error: PipelineError }
  | { readonly task: EnrichmentTask; readonly skipped: true }

type Decided =
  | { readonly task: EnrichmentTask; readonly decision: Decision }
  | { readonly task: EnrichmentTask; readonly error: PipelineError }
  | { readonly task: EnrichmentTask; readonly skipped: true }

/** The work on one batch; an object because its steps share the answers and the clock reading. */
class EnrichmentBatch {
  readonly #planned: readonly Planned[]
  readonly #ports: EnrichmentPorts
  readonly #projects: ProjectRows
  readonly #ends: EnrichmentEnds
  readonly #signal: AbortSignal
  readonly #startedAt: number
  readonly #claims: Claim[] = []
  #released = false
  /** HTTP requests by call, not yet charged to an event. */
  readonly #uncharged = new Map<string, number>()
  /** Answers to the pre-flight, by project id. */
  readonly #ensured = new Map<string, Answer<ProjectAnswer>>()

  constructor(
    batch: readonly Delivery<EnrichmentTask>[],
    ports: EnrichmentPorts,
    projects: ProjectRows,
    ends: EnrichmentEnds,
    signal: AbortSignal
  ) {
    this.#ports = ports
    this.#projects = projects
    this.#ends = ends
    this.#signal = signal
    this.#startedAt = ports.clock.monotonic()
    this.#planned = batch.map(({ message }) => plan(message))
  }

  async run(): Promise<BatchResult> {
    try {
      return await this.#run()
    } catch (error) {
      this.#release()
      throw error
    }
  }

  async #run(): Promise<BatchResult> {
    const needs = this.#planned.flatMap(planned => ('needs' in planned ? planned.needs : []))
    const fresh = new Set(needs.flatMap(need => (need.kind === 'project' ? [need.projectId] : [])))
    const expected = this.#planned.flatMap(planned =>
      'needs' in planned && !fresh.has(planned.projectId) ? [planned.projectId] : []
    )
    const [gathered] = await Promise.all([
      gather(needs, this.#ports.api, this.#signal),
      this.#ensure(expected)
    ])
    for (const [key, calls] of gathered.calls) this.#charge(key, calls)
    const now = microsFromMillis(this.#ports.clock.now())
    const decided = this.#planned.map(planned => decide(planned, gathered, now))
    await this.#ensureDecided(decided, gathered, fresh)
    const kept = decided.map(item => this.#withProjectFailure(item))
    this.#count(gathered, kept)
    return this.#result(kept, now)
  }

  /** Fetches the projects that have no row yet, unless an earlier batch in flight does. */
  async #ensure(ids: readonly string[]): Promise<void> {
    const wanted = [...new Set(ids)].filter(id => !this.#ensured.has(id))
    if (wanted.length === 0) return
    const claim = await this.#projects.claim(wanted, id => this.#fetchProject(id))
    this.#claims.push(claim)
    if (this.#released) claim.release()
    for (const [id, answer] of claim.own) this.#ensured.set(id, await answer)
    const orphans: string[] = []
    for (const [id, answer] of claim.shared) {
      try {
        this.#ensured.set(id, await answer)
      } catch {
        orphans.push(id)
      }
    }
    this.#signal.throwIfAborted()
    // The batch that was to write these has been abandoned; now they are ours.
    await this.#ensure(orphans)
  }

  async #fetchProject(id: string): Promise<Answer<ProjectAnswer>> {
    const need: ApiNeed = { kind: 'project', projectId: id }
    const { answers, calls } = await gather([need], this.#ports.api, this.#signal)
    this.#charge(callKey(need), calls.get(callKey(need)) ?? 0)
    return answers.project(id)
  }

  /** Projects that only the decisions name: a task's answer may belong to another project. */
  async #ensureDecided(
    decided: readonly Decided[],
    gathered: Gathered,
    fresh: ReadonlySet<string>
  ): Promise<void> {
    const named = new Set(
      decided.flatMap(item => ('decision' in item ? item.decision.projects : []))
    )
    const failedFresh: string[] = []
    for (const id of named) {
      if (!fresh.has(id)) continue
      const answer = gathered.answers.project(id)
      if (answer.ok) named.delete(id)
      else failedFresh.push(id)
    }
    if (failedFresh.length > 0) {
      // The call of this batch failed, but the row may be there from before: then nothing is lost.
      const existing = await this.#projects.existing(failedFresh)
      for (const id of failedFresh) {
        named.delete(id)
        if (!existing.has(id)) this.#ensured.set(id, gathered.answers.project(id))
      }
    }
    await this.#ensure([...named])
  }

  #withProjectFailure(item: Decided): Decided {
    if (!('decision' in item)) return item
    for (const id of item.decision.projects) {
      const answer = this.#ensured.get(id)
      if (answer !== undefined && !answer.ok) return { task: item.task, error: answer.error }
    }
    return item
  }

  #result(decided: readonly Decided[], now: bigint): BatchResult {
    const rows = new RowCollector()
    const causes = firstEventByProject(decided)
    for (const claim of this.#claims) {
      for (const id of claim.own.keys()) {
        rows.addAll(this.#preflightRows(id, causes.get(id) ?? null, now))
      }
    }
    const downloads = new Set<string>()
    const ended = decided.map((item, index) => {
      const planned = this.#planned[index]
      return this.#end(item, planned, rows, downloads)
    })
    rows.add(
      'claimx_event_log',
      ended.map(({ logRow }) => logRow)
    )
    return {
      outcomes: ended.map(({ outcome }) => outcome),
      writes: rows.writes(),
      release: () => this.#release()
    }
  }

  #preflightRows(id: string, eventId: string | null, now: bigint): EntityRows {
    const answer = this.#ensured.get(id)
    if (answer === undefined || !answer.ok) return {}
    const mapped = projectRows(id, answer.value, answer.askedAt, eventId, now)
    this.#countUnknown(mapped.unknownFields)
    return mapped.rows
  }

  #end(
    item: Decided,
    planned: Planned | undefined,
    rows: RowCollector,
    downloads: Set<string>
  ): TaskEnd {
    const durationMs = Math.round(this.#ports.clock.monotonic() - this.#startedAt)
    const cost = { apiCalls: this.#chargeTo(item, planned), durationMs }
    if ('skipped' in item) return this.#ends.skipped(item.task, cost)
    if ('error' in item) return this.#ends.failure(item.task, item.error, cost)
    rows.addAll(item.decision.rows)
    // Several events of a batch may announce one file; one task brings it.
    const wanted = item.decision.downloads.filter(({ mediaId }) => !downloads.has(mediaId))
    for (const { mediaId } of wanted) downloads.add(mediaId)
    return this.#ends.success(item.task, wanted, cost)
  }

  #charge(key: string, calls: number): void {
    this.#uncharged.set(key, (this.#uncharged.get(key) ?? 0) + calls)
  }

  /** A shared call is charged to the first event that needed it. */
  #chargeTo(item: Decided, planned: Planned | undefined): number {
    if (planned === undefined || !('needs' in planned)) return 0
    const projects = 'decision' in item ? item.decision.projects : [planned.projectId]
    let calls = 0
    for (const key of [...planned.needs.map(callKey), ...projects.map(id => `project/${id}`)]) {
      calls += this.#uncharged.get(key) ?? 0
      this.#uncharged.delete(key)
    }
    return calls
  }

  #count(gathered: Gathered, decided: readonly Decided[]): void {
    const { metrics, log } = this.#ports.telemetry
    const own = this.#claims.reduce((sum, claim) => sum + claim.own.size, 0)
    metrics.count('claimx_api_calls_floor_total', gathered.floor + own)
    for (const item of decided) {
      const status = 'decision' in item ? 'success' : 'error' in item ? 'failed' : 'skipped'
      const handler = route(item.task.eventType) ?? 'none'
      metrics.count('claimx_handler_events_total', 1, { handler_name: handler, status })
      metrics.count('claimx_api_calls_one_by_one_total', oneByOneCalls(item.task))
      if (!('decision' in item)) continue
      this.#countUnknown(item.decision.unknownFields)
      for (const warning of item.decision.warnings) {
        log.warn(warning, { event_id: item.task.eventId, project_id: item.task.projectId })
      }
    }
  }

  /** An API addition is seen here, and kept in the `extra` column. */
  #countUnknown(fields: readonly string[]): void {
    for (const field of fields) {
      this.#ports.telemetry.metrics.count('claimx_api_unknown_fields_total', 1, { field })
    }
  }

  #release(): void {
    this.#released = true
    for (const claim of this.#claims) claim.release()
  }
}

function plan(task: EnrichmentTask): Planned {
  const name = route(task.eventType)
  if (name === undefined) return { task, skipped: true }
  const handler = handlers[name]
  try {
    const needs = handler.needs(task)
    // Numeric, or `needs` had thrown; leading zeros would make two projects of one.
    return { task, handler, needs, projectId: BigInt(task.projectId).toString() }
  } catch (cause) {
    return { task, error: asPipelineError(cause) }
  }
}

function decide(planned: Planned, gathered: Gathered, now: bigint): Decided {
  if (!('handler' in planned)) return planned
  const { task, handler } = planned
  try {
    return { task, decision: handler.decide(task, gathered.answers, now) }
  } catch (cause) {
    return { task, error: asPipelineError(cause) }
  }
}

function firstEventByProject(decided: readonly Decided[]): ReadonlyMap<string, string> {
  const causes = new Map<string, string>()
  for (const item of decided) {
    if (!('decision' in item)) continue
    for (const id of item.decision.projects) {
      if (!causes.has(id)) causes.set(id, item.task.eventId)
    }
  }
  return causes
}
