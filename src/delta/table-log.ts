/**
 * The log of one open table: its newest known state, commits on top of it, checkpoints now and then.
 * Every operation refreshes first, so that it works on the newest version.
 */
import { DeltaError } from '../core/index.ts'
import type { Action, CommitInfoAction, RemoveAction } from './actions.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { type CommitResponse, commitVersion } from './committer.ts'
import type { DataFiles } from './data-files.ts'
import { DeletionVectors } from './deletion-vectors/index.ts'
import { type FileOfRows, isHashed, KeyIndex } from './key-index/index.ts'
import { followLog, loadState } from './log-reader.ts'
import type { LogState, Snapshot } from './log-state.ts'
import type { DeltaPorts } from './ports.ts'
import { assertWritable } from './protocol.ts'
import { keepsRowIds, withRowIds } from './row-tracking/index.ts'
import { engineColumns } from './table-files.ts'
import type { DeltaOptions } from './table-options.ts'
import { integerProperty } from './table-properties.ts'
import { Turns } from './turns.ts'

const CHECKPOINT_INTERVAL = 10
/** After this long the commits that follow may have been cleaned up: load anew. */
const FOLLOW_FOR_MS = 3_600_000
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
  #checkpoint: Promise<void> | undefined
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
  }

  /** The newest version. */
  async refresh(): Promise<Snapshot> {
    const now = this.ports.clock.now()
    if (now - this.#refreshedAt > FOLLOW_FOR_MS) {
      this.#state = (await loadState(this.ports, this.data, this.path)) ?? this.#state
    } else await followLog(this.ports, this.path, this.#state)
    this.#refreshedAt = now
    return this.#state.snapshot()
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
    const commitInfo: CommitInfoAction = {
      timestamp: this.ports.clock.now(),
      ...info,
      // Whatever is copied or changed here keeps its row ids.
      ...(keepsRowIds(snapshot) ? { tags: { 'delta.rowTracking.preserved': 'true' } } : {}),
      readVersion: snapshot.version,
      engineInfo: 'claims-pipeline',
      txnId: this.ports.ids.uuid()
    }
    const all = await withRowIds(this, snapshot, [{ commitInfo }, ...actions])
    const response = await commitVersion(this.ports, this.path, version, all)
    if (response.kind === 'committed') this.#committed(version, all)
    return response
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
    await this.#checkpoint
    return await writeCheckpoint(this.ports, this.data, this.path, this.#state)
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
    await this.#checkpoint
    for (const index of this.#indexes.values()) await index.settled()
  }

  #committed(version: number, actions: readonly Action[]): void {
    if (this.#state.version !== version - 1) return
    this.#state.apply(version, actions)
    const { metadata } = this.#state.snapshot()
    const interval = integerProperty(metadata, 'delta.checkpointInterval', CHECKPOINT_INTERVAL)
    if (interval <= 0 || version % interval !== 0 || this.#checkpoint !== undefined) return
    this.#checkpoint = writeCheckpoint(this.ports, this.data, this.path, this.#state)
      .then(() => undefined)
      .catch((error: unknown) => {
        this.ports.onWarning?.(`The checkpoint of ${this.where} was not written`, error)
      })
      .finally(() => {
        this.#checkpoint = undefined
      })
  }
}
