/**
 * Deletes and updates by condition: find the rows, write files, commit; after a conflict look only at the
 * files that are new, and redo only what the winner changed. What others commit meanwhile is looked at
 * before the commit, appended rows too, so that the operation takes place at its version (serializable).
 */
import { DeltaError } from '../../core/index.ts'
import type { CommitInfoAction } from '../actions.ts'
import type { Snapshot } from '../log-state.ts'
import { countFiles, type FileCounts, fileActions } from '../merge/actions.ts'
import { NO_FILES } from '../prepared-files.ts'
import { isAppendOnly } from '../protocol.ts'
import { type RowRules, rowRulesOf } from '../row-rules/index.ts'
import { MAX_CONFLICTS, type TableLog } from '../table-log.ts'
import { type GivenValues, NewRowChecks, newValuesOf } from './assignments.ts'
import { ChangedFiles, type PreparedFiles } from './files.ts'
import { countFound, RowFinder } from './finder.ts'
import { changeInfo } from './info.ts'
import { ChangedParts } from './parts.ts'

/** What is to be done. */
export interface Change {
  readonly operation: 'DELETE' | 'UPDATE'
  /** Of an update. */
  readonly set?: GivenValues
  /** SQL boolean expression over the columns; without it all rows. Only rows for which it is true count. */
  readonly where: string | undefined
}

/** Options of `delete` and `update`. */
export interface ChangeOptions {
  /** Ends the work before the commit; then nothing is in the table. */
  readonly signal?: AbortSignal
}

export interface ChangeResult extends FileCounts {
  /** The new version; the newest one when there was nothing to change. */
  readonly version: number
  readonly rows: number
  /** Of data files and vectors, those of lost attempts too. */
  readonly bytesWritten: number
  /** Bytes that no commit refers to, because another writer won. */
  readonly bytesWasted: number
  readonly conflicts: number
}

/** Rejects with `DeltaError`; then nothing is changed (files that nobody refers to may remain). */
export async function changeRows(
  log: TableLog,
  change: Change,
  { signal }: ChangeOptions = {}
): Promise<ChangeResult> {
  let turn = log.turns.contended ? await log.turns.take(signal) : undefined
  try {
    let snapshot = await log.refresh()
    let work = await ChangeWork.of(log, snapshot, change)
    let lostBytes = 0
    for (let conflicts = 0; ; ) {
      signal?.throwIfAborted()
      const outcome = await work.attempt(snapshot, conflicts, signal)
      if (outcome !== undefined) {
        const { bytesWritten, bytesWasted } = outcome
        return {
          ...outcome,
          bytesWritten: bytesWritten + lostBytes,
          bytesWasted: bytesWasted + lostBytes
        }
      }
      conflicts++
      log.turns.lost()
      if (turn === undefined && conflicts < MAX_CONFLICTS) turn = await log.turns.take(signal)
      else await log.pause(conflicts, signal)
      const newer = await log.refresh()
      const same = newer.metadata === snapshot.metadata && newer.protocol === snapshot.protocol
      if (!same) {
        lostBytes += await work.discard()
        work = await ChangeWork.of(log, newer, change)
      }
      snapshot = newer
    }
  } finally {
    await turn?.end()
  }
}

class ChangeWork {
  readonly #log: TableLog
  readonly #change: Change
  readonly #finder: RowFinder
  readonly #parts: ChangedParts
  readonly #checks: NewRowChecks
  readonly #files: ChangedFiles
  readonly #startedAt: number

  private constructor(
    log: TableLog,
    snapshot: Snapshot,
    change: Change,
    rules: RowRules | undefined
  ) {
    this.#log = log
    this.#change = change
    this.#finder = new RowFinder(log, change.where)
    const values = newValuesOf(snapshot, change.set ?? new Map(), rules, log.where)
    this.#parts = new ChangedParts(log, values)
    this.#checks = new NewRowChecks(log, snapshot, values, rules)
    this.#files = new ChangedFiles(log, values)
    this.#startedAt = log.ports.clock.now()
  }

  /** A delete makes no new rows, so the rules for these do not matter to it. */
  static async of(log: TableLog, snapshot: Snapshot, change: Change): Promise<ChangeWork> {
    log.assertWritable(snapshot)
    assertChangeable(snapshot, change, log.where)
    const rules = change.operation === 'UPDATE' ? await rowRulesOf(log, snapshot) : undefined
    return new ChangeWork(log, snapshot, change, rules)
  }

  /** Undefined after a conflict. */
  async attempt(
    snapshot: Snapshot,
    conflicts: number,
    signal: AbortSignal | undefined
  ): Promise<ChangeResult | undefined> {
    await this.#checks.bind(snapshot)
    const found = await this.#finder.find(snapshot)
    signal?.throwIfAborted()
    const foundAt = this.#log.ports.clock.now()
    const rows = await countFound(this.#log, found)
    const updates = this.#change.operation === 'UPDATE'
    const parts = updates ? await this.#parts.of(snapshot, found) : []
    await this.#checks.check(snapshot, parts)
    const prepared = await this.#files.prepare(snapshot, found, parts, signal)
    if (found.length === 0) return await this.#result(snapshot.version, rows, prepared, conflicts)
    signal?.throwIfAborted()
    const response = await this.#log.commit(
      snapshot,
      this.#info(rows, prepared, foundAt),
      fileActions(prepared, this.#log.ports.clock.now())
    )
    if (response.kind === 'conflict') return undefined
    this.#log.followKeys()
    return await this.#result(response.version, rows, prepared, conflicts)
  }

  /** Deletes what was written; resolves to its bytes. */
  async discard(): Promise<number> {
    return await this.#files.dropOrphans(NO_FILES)
  }

  #info(rows: number, prepared: PreparedFiles, foundAt: number): CommitInfoAction {
    const now = this.#log.ports.clock.now()
    const times = { scanMs: foundAt - this.#startedAt, rewriteMs: now - foundAt }
    return changeInfo(this.#change, rows, prepared, times)
  }

  async #result(
    version: number,
    rows: number,
    prepared: PreparedFiles,
    conflicts: number
  ): Promise<ChangeResult> {
    const bytesWasted = await this.#files.dropOrphans(prepared)
    const { bytesWritten } = this.#files
    return { version, rows, bytesWritten, bytesWasted, conflicts, ...countFiles(prepared) }
  }
}

function assertChangeable(snapshot: Snapshot, { operation }: Change, where: string): void {
  if (isAppendOnly(snapshot.metadata)) {
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `${where} is append-only (delta.appendOnly): ${operation} would change stored rows`
    )
  }
}
