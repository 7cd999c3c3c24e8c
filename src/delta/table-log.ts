/**
 * The log of one open table: its newest known state, commits on top of it, checkpoints now and then.
 * Every operation refreshes first, so that it works on the newest version.
 */
import { DeltaError } from '../core/index.ts'
import type { Action, CommitInfoAction, RemoveAction } from './actions.ts'
import { type CommitResponse, commitVersion } from './committer.ts'
import type { DataFiles } from './data-files.ts'
import { DeletionVectors } from './deletion-vectors/index.ts'
import { type FileOfRows, isHashed, KeyIndex } from './key-index/index.ts'
import { compareChecksum } from './log/checksum.ts'
import {
  enablesInCommitTimestamps,
  hasInCommitTimestamps,
  timedActions
} from './log/in-commit-timestamps.ts'
import { LogUpkeep } from './log/upkeep.ts'
import { commitPath } from './log-path.ts'
import { followLog, loadState } from './log-reader.ts'
import type { LogState, Snapshot } from './log-state.ts'
import type { DeltaPorts } from './ports.ts'
import { assertWritable } from './protocol.ts'
import { keepsRowIds, withRowIds } from './row-tracking/index.ts'
import { engineColumns } from './table-files.ts'
import type { DeltaOptions } from './table-options.ts'
import { logRetentionMs } from './table-properties.ts'
import { Turns } from './turns.ts'

/** After this long there may be a checkpoint that is nearer than the commits that follow: load anew. */
const FOLLOW_FOR_MS = 3_600_000
/** After this long the commits that follow may have been cleaned up. */
const TRUST_FOR_MS = 60_000
const CONFLICT_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 400
export const MAX_CONFLICTS = 100

/** Where key indexes are kept (without it there are none), and of what tables. */
export type IndexOptions = Pick<DeltaOptions, 'indexDirectory' | 'indexFromRows'>

export class TableLog {
  readonly ports: DeltaPorts
  readonly data: DataFiles
  readonly vectors: DeletionVectors
  readonly turns: Turns
  /** Path below the root of the store; empty for the root itself. */
  readonly path: string
  /** For messages to people. */
  readonly where: string
  #state: LogState
  #refreshedAt: number
  readonly #upkeep: LogUpkeep
  readonly #options: IndexOptions
  readonly #indexes = new Map<string, KeyIndex>()

  constructor(
    ports: DeltaPorts,
    data: DataFiles,
    path: string,
    state: LogState,
    options: IndexOptions = {}
  ) {
    this.#options = options
    this.ports = ports
    this.data = data
    this.vectors = new DeletionVectors(ports, path)
    this.turns = new Turns(ports, path)
    this.path = path
    this.where = path === '' ? ports.store.root : `${ports.store.root}/${path}`
    this.#state = state
    this.#refreshedAt = ports.clock.now()
    this.#upkeep = new LogUpkeep(ports, data, path, this.where)
  }

  /** The newest version. */
  async refresh(): Promise<Snapshot> {
    const now = this.ports.clock.now()
    if (now - this.#refreshedAt > FOLLOW_FOR_MS) await this.#reload()
    else {
      const before = this.#state.version
      await followLog(this.ports, this.path, this.#state)
      if (this.#state.version === before && !(await this.#isThere())) await this.#reload()
    }
    this.#refreshedAt = now
    return this.#state.snapshot()
  }

  async #reload(): Promise<void> {
    this.#state = (await loadState(this.ports, this.data, this.path)) ?? this.#state
  }

  /**
   * Whether the version that is known is still in the log. Logs are cleaned from the oldest version on: as
   * long as it is there, a next version that is not there does not exist. Who asked lately knows.
   */
  async #isThere(): Promise<boolean> {
    const state = this.#state
    const trusted = Math.min(TRUST_FOR_MS, logRetentionMs(state.snapshot().metadata) / 10)
    if (this.ports.clock.now() - this.#refreshedAt <= trusted) return true
    return (await this.ports.store.head(commitPath(this.path, state.version))) !== undefined
  }

  /** A version of the past. Rejects with `DELTA_VERSION_NOT_FOUND`. */
  async at(version: number): Promise<Snapshot> {
    if (this.#state.version === version) return this.#state.snapshot()
    const state = await loadState(this.ports, this.data, this.path, version)
    if (state !== undefined) return state.snapshot()
    throw new DeltaError('DELTA_VERSION_NOT_FOUND', `${this.where} has no version ${version}`)
  }

  /** Tombstones of the newest known version: refresh first. */
  tombstones(): readonly RemoveAction[] {
    return this.#state.tombstones()
  }

  assertWritable(snapshot: Snapshot): void {
    assertWritable(snapshot, this.where)
  }

  /** Tries to commit the version after the snapshot. A conflict is a value. */
  async commit(
    snapshot: Snapshot,
    info: CommitInfoAction,
    actions: readonly Action[]
  ): Promise<CommitResponse> {
    const version = snapshot.version + 1
    const now = this.ports.clock.now()
    // A version that was cleaned away must not be committed again.
    if (!(await this.#isThere())) return { kind: 'conflict', version }
    const txnId = this.ports.ids.uuid()
    const commitInfo: CommitInfoAction = {
      timestamp: now,
      ...info,
      // Whatever is copied or changed here keeps its row ids.
      ...(keepsRowIds(snapshot) ? { tags: { 'delta.rowTracking.preserved': 'true' } } : {}),
      readVersion: snapshot.version,
      engineInfo: 'claims-pipeline',
      txnId
    }
    const previous = await this.#timeOf(snapshot, actions)
    const timed = timedActions(snapshot, commitInfo, actions, now, previous)
    const all = await withRowIds(this, snapshot, timed)
    const response = await commitVersion(this.ports, this.path, version, all)
    if (response.kind === 'committed') this.#committed(version, all, txnId)
    return response
  }

  #committed(version: number, actions: readonly Action[], txnId: string): void {
    // A refresh beside may have taken it in.
    if (this.#state.version === version - 1) this.#state.apply(version, actions)
    if (this.#state.version === version) this.#upkeep.committed(this.#state, txnId)
  }

  /** What the in-commit timestamp of the version after the snapshot must be later than. */
  async #timeOf(snapshot: Snapshot, actions: readonly Action[]): Promise<number> {
    const { version, timestamp, metadata } = snapshot
    if (hasInCommitTimestamps(metadata)) return timestamp
    if (!enablesInCommitTimestamps(metadata, actions)) return 0
    const file = await this.ports.store.head(commitPath(this.path, version))
    return Math.max(timestamp, file?.modifiedAt ?? 0)
  }

  /** Waits before the next attempt, longer and with more jitter the more were lost. */
  async pause(conflicts: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (conflicts >= MAX_CONFLICTS) {
      throw new DeltaError(
        'DELTA_CONFLICT',
        `Other writers of ${this.where} won ${conflicts} attempts in a row`
      )
    }
    const longest = Math.min(LONGEST_PAUSE_MS, CONFLICT_PAUSE_MS * 2 ** Math.min(conflicts - 1, 6))
    await this.ports.clock.sleep(this.ports.ids.random() * longest, signal)
  }

  /** Writes a checkpoint of the newest version; resolves to that version. */
  async checkpoint(): Promise<number> {
    await this.refresh()
    return await this.#upkeep.checkpoint(this.#state)
  }

  /** Sentences on what the checksum of the snapshot's version says otherwise than the log. */
  async checksumProblems(snapshot: Snapshot): Promise<string[]> {
    const state =
      this.#state.version === snapshot.version
        ? this.#state
        : await loadState(this.ports, this.data, this.path, snapshot.version)
    return state === undefined ? [] : await compareChecksum(this.ports.store, this.path, state)
  }

  /** The index of these key columns, which follows the snapshot beside the work. */
  keyIndex(snapshot: Snapshot, keys: readonly string[]): KeyIndex | undefined {
    const { indexDirectory, indexFromRows } = this.#options
    if (indexDirectory === undefined) return undefined
    const { metadata } = snapshot
    const columns = engineColumns(snapshot).filter(column => keys.includes(column.name))
    if (!columns.every(({ type }) => isHashed(type))) return undefined
    const name = JSON.stringify([metadata.id, columns])
    const known = this.#indexes.get(name)
    if (known !== undefined) return known
    const index = new KeyIndex(this, metadata.id, columns, indexDirectory, indexFromRows)
    this.#indexes.set(name, index)
    index.follow(snapshot)
    return index
  }

  /** Has the key indexes take in the files that are new. Those in `written` need not be read. */
  followKeys(written: readonly FileOfRows[] = []): void {
    for (const index of this.#indexes.values()) {
      for (const file of written) index.enter(file)
      index.follow(this.#state.snapshot())
    }
  }

  async close(): Promise<void> {
    await this.settled()
    for (const index of this.#indexes.values()) await index.close()
    await this.data.close()
  }

  /** Resolves when the maintenance that runs beside the commits is done. */
  async settled(): Promise<void> {
    await this.#upkeep.settled()
    for (const index of this.#indexes.values()) await index.settled()
  }
}
