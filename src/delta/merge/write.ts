/**
 * The files of a merge: writes what is planned and keeps, from one attempt to the next, what is still
 * right. Of a file with new rows some of which the winner made obsolete the others are still good: where
 * the table has deletion vectors the file is committed with one, and only what was decided anew is written.
 */
import type { AddAction, CdcAction } from '../actions.ts'
import { recordsChanges } from '../change-data/index.ts'
import { type Marked, Marks, writesVectors } from '../deletion-vectors/index.ts'
import { deleteOrphans, writeFile } from '../file-writer.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { type PreparedFiles as Prepared, WRITES_AT_ONCE } from '../prepared-files.ts'
import { rowIdColumn } from '../row-tracking/index.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { ChangeFiles } from './changes.ts'
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

export type PreparedFiles = Prepared<WrittenFile>

/** A file of which more is obsolete is written again. */
const OBSOLETE_PART = 0.5

export class MergeFiles {
  readonly #log: TableLog
  readonly #changes: ChangeFiles
  #written: WrittenFile[] = []
  readonly #marks: Marks
  /** Bytes of every file written, used or not, by object path. */
  readonly #sizes = new Map<string, number>()

  constructor(log: TableLog) {
    this.#log = log
    this.#marks = new Marks(log)
    this.#changes = new ChangeFiles(log, this.#wrote)
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
    const inputs = [...kept, ...plan.files].flatMap(file => file.inputs)
    const replaced = plan.emptied.length + plan.marks.length + inputs.length + obsolete.length
    let changes: CdcAction[] = []
    const [marks = []] = await together([
      () => this.#marks.mark([...plan.marks, ...obsolete], this.#wrote),
      async () => {
        if (replaced === 0 || !recordsChanges(snapshot.metadata)) return []
        changes = await this.#changes.prepare(snapshot, decisions)
        return []
      },
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
      emptied: plan.emptied,
      changes
    }
  }

  /**
   * Deletes the files that the commit does not refer to; what cannot be deleted is left to a vacuum.
   * Resolves to their bytes.
   */
  async dropOrphans(committed: PreparedFiles): Promise<number> {
    return await deleteOrphans(this.#log, this.#sizes, committed)
  }

  readonly #wrote = (path: string, bytes: number): void => {
    this.#sizes.set(path, bytes)
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
    const rowId = rowIdColumn(snapshot)?.name
    const rows = file.rows.map(({ values, replaces }) => {
      if (rowId === undefined || replaces === undefined) return values
      return { ...values, [rowId]: replaces.match.values[rowId] ?? null }
    })
    const add = await writeFile(this.#log, snapshot, { partitionValues, inputs, rows })
    if (add !== undefined) this.#sizes.set(objectPath(this.#log.path, add), add.size)
    this.#written.push({ ...file, add })
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

/** Runs all; waits for all even if one fails, so that nothing is under way when the error is seen. */
async function together<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results = await Promise.allSettled(work.map(start => start()))
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
