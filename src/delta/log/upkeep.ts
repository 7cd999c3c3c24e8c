/**
 * What is done for the log beside the commits, so that nobody waits for it: version checksums, checkpoints,
 * compacted commits, and the deletion of what is expired. None of it fails a commit.
 */
import { writeCheckpoint } from '../checkpoint.ts'
import type { DataFiles } from '../data-files.ts'
import type { LogState } from '../log-state.ts'
import type { DeltaPorts } from '../ports.ts'
import { integerProperty, logRetentionMs } from '../table-properties.ts'
import { checksumOf, writeChecksum } from './checksum.ts'
import { cleanLog } from './cleanup.ts'
import { compactLog } from './compaction.ts'
import { readLastCheckpoint } from './last-checkpoint.ts'

const CHECKPOINT_INTERVAL = 10
/** Commits are compacted by so many where checkpoints are rare. */
const COMPACTED_COMMITS = 32
/** Checksums that wait to be written; with more, the oldest are left out. */
const MOST_WAITING = 8
/** The log is cleaned so often in the time that it is kept for, and within these bounds. */
const CLEANED_IN_RETENTION = 24
const CLEAN_AT_MOST_EVERY_MS = 60_000
const CLEAN_AT_LEAST_EVERY_MS = 3_600_000

interface Checksum {
  readonly version: number
  readonly text: string
}

export class LogUpkeep {
  readonly #ports: DeltaPorts
  readonly #data: DataFiles
  readonly #table: string
  readonly #where: string
  #waiting: Checksum[] = []
  #checksums: Promise<void> | undefined
  #work: Promise<void> | undefined
  #cleanedAt = Number.NEGATIVE_INFINITY

  constructor(ports: DeltaPorts, data: DataFiles, table: string, where: string) {
    this.#ports = ports
    this.#data = data
    this.#table = table
    this.#where = where
  }

  /** Told of each commit of ours, when the state has taken it in. */
  committed(state: LogState, txnId: string | undefined): void {
    this.#waiting.push({ version: state.version, text: checksumOf(state, txnId) })
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift()
    this.#checksums ??= this.#writeChecksums().finally(() => {
      this.#checksums = undefined
    })
    const interval = intervalOf(state)
    if (interval <= 0 || this.#work !== undefined) return
    if (state.version % interval === 0) this.#begin(() => this.#checkpointAndClean(state))
    else if (isOverdue(state, interval)) this.#begin(() => this.#catchUp(state))
    else if (interval > COMPACTED_COMMITS * 2 && state.version % COMPACTED_COMMITS === 0) {
      const to = state.version
      this.#begin(() => this.#compact(to - COMPACTED_COMMITS + 1, to))
    }
  }

  /** Writes a checkpoint of the state; resolves to its version. */
  async checkpoint(state: LogState): Promise<number> {
    await this.#work
    return await writeCheckpoint(this.#ports, this.#data, this.#table, state)
  }

  /** Resolves when all that runs is done. */
  async settled(): Promise<void> {
    await this.#checksums
    await this.#work
  }

  #begin(work: () => Promise<void>): void {
    this.#work = work()
      .catch((error: unknown) => {
        this.#ports.onWarning?.(`The upkeep of the log of ${this.#where} was not done`, error)
      })
      .finally(() => {
        this.#work = undefined
      })
  }

  async #writeChecksums(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await writeChecksum(this.#ports.store, this.#table, next.version, next.text)
      } catch (error) {
        this.#ports.onWarning?.(`A version checksum of ${this.#where} was not written`, error)
      }
    }
  }

  async #checkpointAndClean(state: LogState): Promise<void> {
    const { metadata, protocol } = state.snapshot()
    await writeCheckpoint(this.#ports, this.#data, this.#table, state)
    const now = this.#ports.clock.now()
    const every = logRetentionMs(metadata) / CLEANED_IN_RETENTION
    const pause = Math.min(CLEAN_AT_LEAST_EVERY_MS, Math.max(CLEAN_AT_MOST_EVERY_MS, every))
    if (now - this.#cleanedAt < pause) return
    this.#cleanedAt = now
    await cleanLog(this.#ports, this.#data, this.#table, { metadata, protocol })
  }

  /** Somebody committed the version that should have a checkpoint, and may have died before writing it. */
  async #catchUp(state: LogState): Promise<void> {
    const hint = await readLastCheckpoint(this.#ports.store, this.#table)
    state.checkpointed = Math.max(state.checkpointed, hint?.version ?? -1)
    if (isOverdue(state, intervalOf(state))) await this.#checkpointAndClean(state)
  }

  async #compact(from: number, to: number): Promise<void> {
    await compactLog(this.#ports, this.#table, from, to)
  }
}

function intervalOf(state: LogState): number {
  const { metadata } = state.snapshot()
  return integerProperty(metadata, 'delta.checkpointInterval', CHECKPOINT_INTERVAL)
}

/** A little later than due: whoever committed the version that is due may be writing it. */
function isOverdue(state: LogState, interval: number): boolean {
  return state.version - Math.max(0, state.checkpointed) >= interval + Math.ceil(interval / 4)
}
