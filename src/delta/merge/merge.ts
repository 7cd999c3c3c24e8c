/**
 * Merge: find the keys, decide each row, write files, commit; after a conflict, redo only what the
 * winner changed. Files written for an earlier attempt are used again when what they were made of is
 * still there and still decided the same.
 */
import { DeltaError, type Row } from '../../core/index.ts'
import type { Action, AddAction } from '../actions.ts'
import { removeOf } from '../deletion-vectors/index.ts'
import { writeFile } from '../file-writer.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { isAppendOnly } from '../protocol.ts'
import type { MergeRules } from '../row-policies.ts'
import { isNested } from '../schema.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { Decider, type Decisions } from './decisions.ts'
import { Locator } from './locator.ts'
import { type PlannedFile, planFiles } from './plan.ts'
import { groupRows, type MergeSource } from './source.ts'

export interface MergeOptions {
  readonly signal?: AbortSignal
  /**
   * Files are not joined beyond this size. By default a sixteenth of the table, between 2 and 64 MiB:
   * a merge rewrites whole files, so their size bounds what one changed row costs.
   */
  readonly targetFileBytes?: number
  /** Files below this size are joined whenever their partition is written; 128 KiB by default. */
  readonly smallFileBytes?: number
}

export interface MergeResult {
  readonly version: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly dropped: number
  readonly bytesWritten: number
  readonly filesAdded: number
  readonly filesRemoved: number
  readonly conflicts: number
}

interface WrittenFile extends PlannedFile {
  /** Undefined when no row was left to write. */
  readonly add: AddAction | undefined
}

const MEBIBYTE = 1_048_576
/** One file encodes while another waits for the disk; more would only hold more memory. */
const WRITES_AT_ONCE = 2

/** Rejects with `DeltaError`; then nothing is in the table (files that nobody refers to may remain). */
export async function mergeInto(
  log: TableLog,
  rows: readonly Row[],
  rules: MergeRules,
  options: MergeOptions = {}
): Promise<MergeResult> {
  let snapshot = await log.refresh()
  let work = new MergeWork(log, snapshot, rows, rules)
  let conflicts = 0
  for (;;) {
    options.signal?.throwIfAborted()
    const outcome = await work.attempt(snapshot, options, conflicts)
    if (outcome !== undefined) return outcome
    conflicts++
    await log.pause(conflicts, options.signal)
    const newer = await log.refresh()
    const same = newer.metadata === snapshot.metadata && newer.protocol === snapshot.protocol
    if (!same) work = new MergeWork(log, newer, rows, rules)
    snapshot = newer
  }
}

class MergeWork {
  readonly #log: TableLog
  readonly #source: MergeSource
  readonly #rowCount: number
  readonly #locator: Locator
  readonly #decider: Decider
  readonly #insertOnly: boolean
  #written: WrittenFile[] = []
  readonly #orphans: WrittenFile[] = []
  #bytesWritten = 0

  constructor(log: TableLog, snapshot: Snapshot, rows: readonly Row[], rules: MergeRules) {
    log.assertWritable(snapshot)
    this.#log = log
    this.#insertOnly = rules.insertOnly === true
    if (!this.#insertOnly) assertMergeable(snapshot, log.where)
    this.#rowCount = rows.length
    this.#source = groupRows(rules, snapshot.fields, rows, log.where)
    this.#locator = new Locator(log, rules, this.#source.groups)
    this.#decider = new Decider(rules, log.where)
  }

  /** Undefined after a conflict. */
  async attempt(
    snapshot: Snapshot,
    options: MergeOptions,
    conflicts: number
  ): Promise<MergeResult | undefined> {
    const { groups } = this.#source
    const matches = groups.length === 0 ? [] : await this.#locator.find(snapshot)
    const decisions = this.#decider.decide(snapshot, groups, matches)
    if (decisions.rows.size === 0) return this.#result(snapshot.version, decisions, [], conflicts)
    options.signal?.throwIfAborted()
    await this.#write(snapshot, decisions, options, conflicts)
    const actions = fileActions(this.#written, this.#log.ports.clock.now())
    const info = this.#commitInfo(decisions, actions)
    const response = await this.#log.commit(snapshot, info, actions)
    if (response.kind === 'conflict') return undefined
    await this.#dropOrphans()
    return this.#result(response.version, decisions, actions, conflicts)
  }

  async #write(
    snapshot: Snapshot,
    decisions: Decisions,
    options: MergeOptions,
    conflicts: number
  ): Promise<void> {
    const kept = this.#written.filter(file => isStillRight(file, snapshot, decisions))
    this.#orphans.push(...this.#written.filter(file => !kept.includes(file)))
    this.#written = kept
    const appendOnly = isAppendOnly(snapshot.metadata)
    const planned = planFiles(snapshot, decisions, kept, {
      targetFileBytes: options.targetFileBytes ?? targetFileBytes(snapshot),
      smallFileBytes: options.smallFileBytes ?? MEBIBYTE / 8,
      absorb: conflicts === 0 && !appendOnly
    })
    if (appendOnly && planned.some(file => file.inputs.length > 0)) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `${this.#log.where} is append-only (delta.appendOnly): stored rows cannot be changed`
      )
    }
    for (let i = 0; i < planned.length; i += WRITES_AT_ONCE) {
      const batch = planned.slice(i, i + WRITES_AT_ONCE)
      const results = await Promise.allSettled(batch.map(file => this.#writeFile(snapshot, file)))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    }
  }

  async #writeFile(snapshot: Snapshot, file: PlannedFile): Promise<void> {
    const { partitionValues, inputs } = file
    const rows = file.rows.map(row => row.values)
    const add = await writeFile(this.#log, snapshot, { partitionValues, inputs, rows })
    this.#bytesWritten += add?.size ?? 0
    this.#written.push({ ...file, add })
  }

  #commitInfo(decisions: Decisions, actions: readonly Action[]): Record<string, unknown> {
    const metrics = {
      numSourceRows: this.#rowCount,
      numTargetRowsInserted: decisions.inserted,
      numTargetRowsUpdated: decisions.updated,
      numTargetRowsDeleted: 0,
      numTargetFilesAdded: actions.filter(action => action.add !== undefined).length,
      numTargetFilesRemoved: actions.filter(action => action.remove !== undefined).length
    }
    return {
      operation: 'MERGE',
      operationParameters: { insertOnly: String(this.#insertOnly) },
      operationMetrics: Object.fromEntries(
        Object.entries(metrics).map(([name, value]) => [name, String(value)])
      ),
      isolationLevel: 'Serializable',
      isBlindAppend: false
    }
  }

  #result(
    version: number,
    decisions: Decisions,
    actions: readonly Action[],
    conflicts: number
  ): MergeResult {
    const { inserted, updated } = decisions
    const { dropped } = this.#source
    return {
      version,
      inserted,
      updated,
      // Several stored rows of one key, as other writers may leave, are updated by one source row.
      unchanged: Math.max(0, this.#rowCount - dropped - inserted - updated),
      dropped,
      bytesWritten: this.#bytesWritten,
      filesAdded: actions.filter(action => action.add !== undefined).length,
      filesRemoved: actions.filter(action => action.remove !== undefined).length,
      conflicts
    }
  }

  /** Files of lost attempts; whoever fails to delete them leaves them to a vacuum. */
  async #dropOrphans(): Promise<void> {
    for (const { add } of this.#orphans) {
      if (add === undefined) continue
      await this.#log.ports.store.delete(objectPath(this.#log.path, add)).catch(() => undefined)
    }
  }
}

function targetFileBytes(snapshot: Snapshot): number {
  let bytes = 0
  for (const add of snapshot.files.values()) bytes += add.size
  return Math.min(64 * MEBIBYTE, Math.max(2 * MEBIBYTE, bytes / 16))
}

function isStillRight(file: WrittenFile, snapshot: Snapshot, decisions: Decisions): boolean {
  return (
    file.inputs.every(({ add }) => snapshot.files.get(fileKey(add)) === add) &&
    file.rows.every(row => decisions.rows.has(row))
  )
}

function fileActions(written: readonly WrittenFile[], now: number): Action[] {
  const adds = written.flatMap(({ add }) => (add === undefined ? [] : [{ add }]))
  const removed = new Set(written.flatMap(file => file.inputs.map(input => input.add)))
  const removes = [...removed].map(add => ({ remove: removeOf(add, now) }))
  return [...adds, ...removes]
}

/** Stored rows pass through JavaScript, which has no exact form for these types here. */
function assertMergeable(snapshot: Snapshot, where: string): void {
  const field = snapshot.fields.find(
    ({ type }) =>
      isNested(type) || !/^(string|long|integer|double|boolean|timestamp|date)$/.test(type)
  )
  if (field === undefined) return
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `${where}: rows with the column ${field.name} of type ${JSON.stringify(field.type)} cannot be merged`
  )
}
