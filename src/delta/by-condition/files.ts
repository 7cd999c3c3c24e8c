/**
 * The files of a delete or update by condition: writes what is planned and keeps, from one attempt to the
 * next, what is still right. A copy is right while its file is as it was; rows that were written anew are
 * right while the same rows of the same file are found, whatever else of it another writer deleted.
 */
import type { AddAction } from '../actions.ts'
import { recordsChanges } from '../change-data/index.ts'
import { Marks, writesVectors } from '../deletion-vectors/index.ts'
import { averageRowBytes, targetFileBytes } from '../file-sizes.ts'
import { deleteOrphans, writeFile } from '../file-writer.ts'
import type { Snapshot } from '../log-state.ts'
import { type PreparedFiles as Prepared, WRITES_AT_ONCE } from '../prepared-files.ts'
import { sideBySide } from '../side-by-side.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { NewValues } from './assignments.ts'
import { ConditionFeed } from './feed.ts'
import type { FoundRows } from './finder.ts'
import { type ChangedPart, type PlannedFile, planChange } from './plan.ts'

export interface WrittenFile extends PlannedFile {
  /** The files that it takes the place of. */
  readonly inputs: readonly { readonly add: AddAction }[]
  /** Undefined when no row was left to write. */
  readonly add: AddAction | undefined
}

export type PreparedFiles = Prepared<WrittenFile>

export class ChangedFiles {
  readonly #log: TableLog
  readonly #values: NewValues
  readonly #marks: Marks
  readonly #feed: ConditionFeed
  #written: WrittenFile[] = []
  /** Bytes of every file written, used or not, by object path. */
  readonly #sizes = new Map<string, number>()

  /** `change`: what changed rows are written with. */
  constructor(log: TableLog, change: NewValues) {
    this.#log = log
    this.#values = change
    this.#marks = new Marks(log)
    this.#feed = new ConditionFeed(log, change, this.#wrote)
  }

  get bytesWritten(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0)
  }

  /** Writes what is not written yet; durable when it resolves. */
  async prepare(
    snapshot: Snapshot,
    found: readonly FoundRows[],
    changes: readonly ChangedPart[],
    signal: AbortSignal | undefined
  ): Promise<PreparedFiles> {
    const wanted = new Set(changes)
    const current = new Map(found.map(rows => [rows.add.path, rows]))
    this.#written = this.#written.filter(
      file =>
        file.copies.every(rows => isSame(current.get(rows.add.path), rows)) &&
        file.changes.every(part => wanted.has(part))
    )
    const { files, marks, emptied } = planChange(found, changes, this.#written, {
      targetFileBytes: targetFileBytes(snapshot),
      rowBytes: averageRowBytes(snapshot),
      vectors: writesVectors(snapshot)
    })
    await sideBySide(files, WRITES_AT_ONCE, file => this.#write(snapshot, file), signal)
    const marked = await this.#marks.mark(marks, this.#wrote)
    const written = [...this.#written]
    // A file that is only marked or removed tells itself which rows are deleted.
    const told = changes.length === 0 && written.length === 0
    const recorded = recordsChanges(snapshot.metadata) && !told
    const cdc = recorded ? await this.#feed.prepare(snapshot, found, changes) : []
    return { written, marked, emptied, changes: cdc }
  }

  /** Deletes the files that the commit does not refer to. Resolves to their bytes. */
  async dropOrphans(committed: PreparedFiles): Promise<number> {
    return await deleteOrphans(this.#log, this.#sizes, committed)
  }

  readonly #wrote = (path: string, bytes: number): void => {
    this.#sizes.set(path, bytes)
  }

  async #write(snapshot: Snapshot, file: PlannedFile): Promise<void> {
    const { partitionValues, copies, changes } = file
    const inputs = copies.map(({ add, positions }) => {
      return { add, without: positions === 'all' ? [] : positions }
    })
    const add = await writeFile(this.#log, snapshot, {
      partitionValues,
      inputs,
      rows: [],
      ...(changes.length === 0 ? {} : { changes: { inputs: changes, ...this.#values } })
    })
    if (add !== undefined) this.#sizes.set(objectPath(this.#log.path, add), add.size)
    this.#written.push({ ...file, inputs, add })
  }
}

function isSame(now: FoundRows | undefined, before: FoundRows): boolean {
  return now?.add === before.add && now.positions === before.positions
}
