/**
 * Merge: find the keys, decide each row, write files, commit; after a conflict, redo only what the
 * winner changed. Files written for an earlier attempt are used again when what they were made of is
 * still there and still decided the same.
 */
import { DeltaError } from '../../core/index.ts'
import { targetFileBytes } from '../file-sizes.ts'
import type { FileOfRows } from '../key-index/index.ts'
import type { Snapshot } from '../log-state.ts'
import { NO_FILES } from '../prepared-files.ts'
import { isAppendOnly } from '../protocol.ts'
import type { MergeRules } from '../row-policies.ts'
import { type RowRules, rowRulesOf } from '../row-rules/index.ts'
import { MAX_CONFLICTS, type TableLog } from '../table-log.ts'
import { type TransactionOptions, transactionActions } from '../transactions.ts'
import type { InputRow } from '../values/cells.ts'
import { countFiles, fileActions, mergeInfo } from './actions.ts'
import { Decider, type Decisions } from './decisions.ts'
import { Locator } from './locator.ts'
import { NewRows } from './new-rows.ts'
import type { MergePlan } from './plan.ts'
import { groupRows, type MergeSource } from './source.ts'
import { MergeFiles, type PreparedFiles } from './write.ts'

/** Options of `merge`. */
export interface MergeOptions {
  /** Ends the work before the commit; then nothing is in the table. */
  readonly signal?: AbortSignal
  /**
   * Files are not joined beyond this size. By default a sixteenth of the table, between 2 and 64 MiB:
   * a merge rewrites whole files, so their size bounds what one changed row costs.
   */
  readonly targetFileBytes?: number
  /** Committed with the rows, also when these change nothing. */
  readonly transaction?: TransactionOptions
  /** Files below this size are joined whenever their partition is written; 128 KiB by default. */
  readonly smallFileBytes?: number
}

/** What a merge did. */
export interface MergeResult {
  /** The version that holds the rows; the newest one when nothing changed. */
  readonly version: number
  /** Rows with keys that were not stored. */
  readonly inserted: number
  /** Stored rows that changed. */
  readonly updated: number
  /** Stored rows that were deleted. */
  readonly deleted: number
  /** Keys whose stored rows stay as they are. */
  readonly unchanged: number
  /** Rows of the batch with a null in their key. */
  readonly dropped: number
  /** Of data files, vectors and files of changes, those of lost attempts too. */
  readonly bytesWritten: number
  /** Bytes that no commit refers to, because another writer won. */
  readonly bytesWasted: number
  /** Time that the attempts after the first one took, without the pauses before them. */
  readonly redoneMs: number
  /** New data files. */
  readonly filesAdded: number
  /** Files that were rewritten or lost their last row. */
  readonly filesRemoved: number
  /** Files that stay, with a new deletion vector. */
  readonly filesMarked: number
  /** Attempts that other writers won. */
  readonly conflicts: number
}

const MEBIBYTE = 1_048_576

/** Rejects with `DeltaError`; then nothing is in the table (files that nobody refers to may remain). */
export async function mergeInto(
  log: TableLog,
  rows: readonly InputRow[],
  rules: MergeRules,
  options: MergeOptions = {}
): Promise<MergeResult> {
  let turn = log.turns.contended ? await log.turns.take(options.signal) : undefined
  try {
    let snapshot = await log.refresh()
    let work = new MergeWork(log, snapshot, rows, rules, await rowRulesOf(log, snapshot))
    const lost: Lost = { conflicts: 0, redoneMs: 0, bytes: 0 }
    for (;;) {
      options.signal?.throwIfAborted()
      const startedAt = log.ports.clock.now()
      const outcome = await work.attempt(snapshot, options, lost)
      if (lost.conflicts > 0) lost.redoneMs += log.ports.clock.now() - startedAt
      if (outcome !== undefined) return { ...outcome, redoneMs: lost.redoneMs }
      lost.conflicts++
      log.turns.lost()
      const stillWorth = lost.conflicts < MAX_CONFLICTS
      if (turn === undefined && stillWorth) turn = await log.turns.take(options.signal)
      else await log.pause(lost.conflicts, options.signal)
      const newer = await log.refresh()
      const same = newer.metadata === snapshot.metadata && newer.protocol === snapshot.protocol
      if (!same) {
        lost.bytes += await work.discard()
        work = new MergeWork(log, newer, rows, rules, await rowRulesOf(log, newer))
      }
      snapshot = newer
    }
  } finally {
    await turn?.end()
  }
}

/** What was lost to other writers so far. */
interface Lost {
  conflicts: number
  redoneMs: number
  /** Of files that were made for another schema or protocol. */
  bytes: number
}

class MergeWork {
  readonly #log: TableLog
  readonly #source: MergeSource
  readonly #rowCount: number
  readonly #locator: Locator
  readonly #decider: Decider
  readonly #files: MergeFiles
  readonly #newRows: NewRows | undefined
  readonly #insertOnly: boolean

  constructor(
    log: TableLog,
    snapshot: Snapshot,
    rows: readonly InputRow[],
    rules: MergeRules,
    rowRules: RowRules | undefined
  ) {
    this.#log = log
    this.#insertOnly = rules.insertOnly === true
    this.#rowCount = rows.length
    this.#source = groupRows(rules, snapshot.fields, rows, log.where)
    this.#locator = new Locator(log, rules, this.#source.groups)
    this.#decider = new Decider(rules, log.where, rowRules?.defaults(log.ports.clock.now()))
    this.#newRows = rowRules && new NewRows(log, rowRules, rules.keys)
    this.#files = new MergeFiles(log)
  }

  /** Undefined after a conflict. */
  async attempt(
    snapshot: Snapshot,
    options: MergeOptions,
    lost: Readonly<Lost>
  ): Promise<MergeResult | undefined> {
    const { groups } = this.#source
    const { where, ports } = this.#log
    const now = ports.clock.now()
    const transactions = transactionActions(snapshot, options.transaction, where, now)
    const matches = groups.length === 0 ? [] : await this.#locator.find(snapshot)
    const decisions = this.#decider.decide(snapshot, groups, matches)
    if (decisions.all.size === 0 && transactions.length === 0) {
      const wasted = await this.discard()
      return this.#result(snapshot.version, decisions, NO_FILES, wasted, lost)
    }
    options.signal?.throwIfAborted()
    await this.#newRows?.finish(decisions)
    const prepared = await this.#prepare(snapshot, decisions, options, lost.conflicts)
    const actions = [...transactions, ...fileActions(prepared, ports.clock.now())]
    const info = mergeInfo(this.#rowCount, this.#insertOnly, decisions, prepared)
    const response = await this.#log.commit(snapshot, info, actions)
    if (response.kind === 'conflict') return undefined
    const wasted = await this.#files.dropOrphans(prepared)
    this.#log.followKeys(filesOfRows(prepared))
    return this.#result(response.version, decisions, prepared, wasted, lost)
  }

  /** Deletes what was written; resolves to its bytes. */
  async discard(): Promise<number> {
    return await this.#files.dropOrphans(NO_FILES)
  }

  async #prepare(
    snapshot: Snapshot,
    decisions: Decisions,
    options: MergeOptions,
    conflicts: number
  ): Promise<PreparedFiles> {
    const appendOnly = isAppendOnly(snapshot.metadata)
    const plan = {
      targetFileBytes: options.targetFileBytes ?? targetFileBytes(snapshot),
      smallFileBytes: options.smallFileBytes ?? MEBIBYTE / 8,
      absorb: conflicts === 0 && !appendOnly
    }
    return await this.#files.prepare(snapshot, decisions, plan, planned => {
      if (appendOnly) assertOnlyAppends(planned, this.#log.where)
    })
  }

  #result(
    version: number,
    decisions: Decisions,
    prepared: PreparedFiles,
    wasted: number,
    lost: Readonly<Lost>
  ): MergeResult {
    const { inserted, updated, deleted } = decisions
    const { dropped } = this.#source
    return {
      version,
      inserted,
      updated,
      deleted,
      // Several stored rows of one key, as other writers may leave, are updated by one source row.
      unchanged: Math.max(0, this.#rowCount - dropped - inserted - updated - deleted),
      dropped,
      bytesWritten: this.#files.bytesWritten + lost.bytes,
      bytesWasted: wasted + lost.bytes,
      redoneMs: lost.redoneMs,
      ...countFiles(prepared),
      conflicts: lost.conflicts
    }
  }
}

/** Files that hold the rows of this merge and nothing else. */
function filesOfRows({ written }: PreparedFiles): FileOfRows[] {
  return written.flatMap(({ add, inputs, rows }) =>
    add === undefined || inputs.length > 0 ? [] : [{ add, rows: rows.map(row => row.values) }]
  )
}

function assertOnlyAppends({ files, marks, emptied }: MergePlan, where: string): void {
  const changes = marks.length + emptied.length
  if (changes === 0 && files.every(file => file.inputs.length === 0)) return
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `${where} is append-only (delta.appendOnly): stored rows cannot be changed`
  )
}
