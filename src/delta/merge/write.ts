/**
 * The files of a merge: writes what is planned and keeps, from one attempt to the next, what is still
 * right. Of a file with new rows some of which the winner made obsolete the others are still good: where
 * the table has deletion vectors the file is committed with one, and only what was decided anew is written.
 */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import {
  addWithVector,
  positionsOf,
  unionOf,
  vectorPath,
  writesVectors
} from '../deletion-vectors/index.ts'
import { writeFile } from '../file-writer.ts'
import { withFiles } from '../leased-files.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { Decision, Decisions } from './decisions.ts'
import {
  type MergePlan,
  type PlannedFile,
  type PlannedMark,
  type PlanOptions,
  planMerge
} from './plan.ts'

export interface WrittenFile extends PlannedFile {
  /**
   * Undefined when no row was left to write. Without `inputs`, the file has `rows` in their order: the
   * position of each is its index.
   */
  readonly add: AddAction | undefined
}

/** A file as it was and with its new vector. */
export interface Marked {
  readonly before: AddAction
  readonly after: AddAction
}

/** What the commit of an attempt says of files. */
export interface PreparedFiles {
  /** Data files written, with the vector of rows that are obsolete already. */
  readonly written: readonly WrittenFile[]
  /** Files that stay, with new vectors. */
  readonly marked: readonly Marked[]
  readonly emptied: readonly AddAction[]
}

/** One file encodes while another waits for the disk; more would only hold more memory. */
const WRITES_AT_ONCE = 2
/** A file of which more is obsolete is written again. */
const OBSOLETE_PART = 0.5

export class MergeFiles {
  readonly #log: TableLog
  #written: WrittenFile[] = []
  /** The newest file with a vector, by the one that it was made of. */
  readonly #marked = new Map<AddAction, { positions: Uint32Array; after: AddAction }>()
  /** Bytes of every file written, used or not, by object path. */
  readonly #sizes = new Map<string, number>()

  constructor(log: TableLog) {
    this.#log = log
  }

  get bytesWritten(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0)
  }

  /** Writes what is not written yet; durable when it resolves. */
  async prepare(
    snapshot: Snapshot,
    decisions: Decisions,
    options: Omit<PlanOptions, 'vectors'>,
    check: (plan: MergePlan) => void
  ): Promise<PreparedFiles> {
    const vectors = writesVectors(snapshot)
    this.#keepWhatIsRight(snapshot, decisions, vectors)
    const kept = this.#written.map(file => stillDecided(file, decisions))
    const plan = planMerge(snapshot, decisions, kept, { ...options, vectors })
    check(plan)
    const obsolete = this.#written.flatMap(file => obsoleteRows(file, decisions))
    const [marks = []] = await together([
      () => this.#mark([...plan.marks, ...obsolete]),
      ...this.#writers(snapshot, plan.files)
    ])
    const marked = marks.slice(0, plan.marks.length)
    const afters = new Map(marks.slice(plan.marks.length).map(m => [m.before, m.after]))
    return {
      written: this.#written.map(file => ({
        ...file,
        add: file.add === undefined ? undefined : (afters.get(file.add) ?? file.add)
      })),
      marked,
      emptied: plan.emptied
    }
  }

  /**
   * Deletes the files that the commit does not refer to; what cannot be deleted is left to a vacuum.
   * Resolves to their bytes.
   */
  async dropOrphans(committed: PreparedFiles): Promise<number> {
    const { path: table, ports } = this.#log
    const used = new Set<string>()
    for (const add of [
      ...committed.written.flatMap(file => file.add ?? []),
      ...committed.marked.map(mark => mark.after)
    ]) {
      used.add(objectPath(table, add))
      const vector = add.deletionVector == null ? undefined : vectorPath(table, add.deletionVector)
      if (vector !== undefined) used.add(vector)
    }
    let wasted = 0
    for (const [path, bytes] of this.#sizes) {
      if (used.has(path)) continue
      wasted += bytes
      await ports.store.delete(path).catch(() => undefined)
    }
    return wasted
  }

  #keepWhatIsRight(snapshot: Snapshot, decisions: Decisions, vectors: boolean): void {
    const kept: WrittenFile[] = []
    for (const file of this.#written) {
      if (isStillRight(file, snapshot, decisions, vectors)) kept.push(file)
    }
    this.#written = kept
  }

  /** Two queues of files to write. */
  #writers(snapshot: Snapshot, planned: readonly PlannedFile[]): (() => Promise<Marked[]>)[] {
    const queue = [...planned]
    return Array.from({ length: Math.min(WRITES_AT_ONCE, queue.length) }, () => async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        await this.#write(snapshot, file)
      }
      return []
    })
  }

  async #write(snapshot: Snapshot, file: PlannedFile): Promise<void> {
    const { partitionValues, inputs } = file
    const rows = file.rows.map(row => row.values)
    const add = await writeFile(this.#log, snapshot, { partitionValues, inputs, rows })
    if (add !== undefined) this.#sizes.set(objectPath(this.#log.path, add), add.size)
    this.#written.push({ ...file, add })
  }

  /** Gives each file a vector with its rows; one that a former attempt made is used again. */
  async #mark(marks: readonly PlannedMark[]): Promise<Marked[]> {
    const wanted = new Map<AddAction, Uint32Array>()
    for (const { add, positions } of marks) {
      const before = (await this.#log.vectors.load(add)) ?? new Uint32Array(0)
      const all = unionOf(before, positionsOf(positions))
      const known = this.#marked.get(add)
      if (known === undefined || !sameBytes(known.positions, all)) wanted.set(add, all)
    }
    if (wanted.size > 0) {
      const { descriptors, path, bytes } = await this.#log.vectors.write(wanted)
      if (path !== undefined) this.#sizes.set(path, bytes)
      for (const [add, vector] of descriptors) {
        const positions = wanted.get(add) ?? new Uint32Array(0)
        const after = addWithVector(add, vector, await this.#count(add))
        this.#marked.set(add, { positions, after })
      }
    }
    return marks.map(({ add }) => ({ before: add, after: this.#marked.get(add)?.after ?? add }))
  }

  /** Rows of a file whose statistics do not say, which a file with a vector must. */
  async #count(add: AddAction): Promise<number | undefined> {
    if (statsOf(add).numRecords !== undefined) return undefined
    const { engine } = this.#log.ports
    const [rows] = await withFiles(this.#log, [{ ...add, deletionVector: null }], files =>
      engine.rowCounts(files.map(file => file.localPath))
    )
    return rows
  }
}

/** A file is right while what it was made of is there and its rows are decided as they were. */
function isStillRight(
  file: WrittenFile,
  snapshot: Snapshot,
  decisions: Decisions,
  vectors: boolean
): boolean {
  const { inputs, rows } = file
  if (inputs.some(({ add }) => snapshot.files.get(fileKey(add)) !== add)) return false
  const obsolete = rows.filter(row => !decisions.all.has(row)).length
  if (obsolete === 0) return true
  return vectors && inputs.length === 0 && obsolete <= rows.length * OBSOLETE_PART
}

function stillDecided(file: WrittenFile, decisions: Decisions): PlannedFile {
  return { ...file, rows: file.rows.filter(row => decisions.all.has(row)) }
}

function obsoleteRows(file: WrittenFile, decisions: Decisions): PlannedMark[] {
  const { add, rows } = file
  const has = (row: Decision): boolean => decisions.all.has(row)
  const positions = rows.flatMap((row, position) => (has(row) ? [] : [position]))
  return add === undefined || positions.length === 0 ? [] : [{ add, positions }]
}

function sameBytes(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** Runs all; waits for all even if one fails, so that nothing is under way when the error is seen. */
async function together<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results = await Promise.allSettled(work.map(start => start()))
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
