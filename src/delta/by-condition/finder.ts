/**
 * The stored rows for which a condition is true. Each data file is searched at most once, whatever the
 * number of attempts to commit: after a conflict only the files that the winner made are new, and of one
 * that got a newer deletion vector only the vector is read.
 */
import type { AddAction } from '../actions.ts'
import { mayHoldTerms, mustHoldTerms } from '../data-skipping.ts'
import { hasPosition, isWithin } from '../deletion-vectors/index.ts'
import { remainingRows } from '../file-sizes.ts'
import { withFiles } from '../leased-files.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import type { EngineColumn, FilterParts } from '../parquet-engine.ts'
import { partitionKey } from '../partition-values.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'

/** Rows of a file, ascending; `all` that are not deleted, of a file that need not be read to know it. */
export type FoundPositions = Uint32Array | 'all'

export interface FoundRows {
  readonly add: AddAction
  /** The same object as in the attempt before, while the same rows of the file are found. */
  readonly positions: FoundPositions
}

/** Whether they are the same rows: all rows of a file are others when its vector is another. */
export function sameRows(known: FoundRows | undefined, now: FoundRows | undefined): boolean {
  if (known === undefined || known.positions !== now?.positions) return false
  return now.positions !== 'all' || known.add === now.add
}

interface Searched extends FoundRows {
  /** `fileKey` of the file. */
  readonly key: string
}

const NONE = new Uint32Array(0)

export class RowFinder {
  readonly #log: TableLog
  readonly #where: string | undefined
  readonly #byPath = new Map<string, Searched>()
  #filter: FilterParts | undefined

  /** `where`: a SQL boolean expression; without it all rows are found. */
  constructor(log: TableLog, where: string | undefined) {
    this.#log = log
    this.#where = where
  }

  /**
   * The files with rows for which the condition is true. Rejects with `DELTA_QUERY_INVALID` when it is not
   * one expression over the columns.
   */
  async find(snapshot: Snapshot): Promise<FoundRows[]> {
    const unseen: AddAction[] = []
    for (const [key, add] of snapshot.files) {
      const known = this.#byPath.get(add.path)
      if (known?.key === key) this.#byPath.set(add.path, { ...known, add })
      else if (known === undefined || !(await this.#narrow(known, add))) unseen.push(add)
    }
    await this.#search(snapshot, unseen)
    return [...snapshot.files.values()].flatMap(add => {
      const found = this.#byPath.get(add.path)
      return found === undefined || found.positions.length === 0 ? [] : [found]
    })
  }

  /** Takes out rows that a newer vector deletes; false when it does not delete all that the known one does. */
  async #narrow(known: Searched, add: AddAction): Promise<boolean> {
    const before = await this.#log.vectors.load(known.add)
    const now = await this.#log.vectors.load(add)
    if (!isWithin(before, now)) return false
    const { positions } = known
    const gone = positions !== 'all' && positions.some(position => hasPosition(now, position))
    const left = gone ? positions.filter(position => !hasPosition(now, position)) : positions
    this.#keep(add, left)
    return true
  }

  async #search(snapshot: Snapshot, adds: readonly AddAction[]): Promise<void> {
    const where = this.#where
    if (where === undefined) {
      for (const add of adds) this.#keep(add, 'all')
      return
    }
    const first = this.#filter === undefined
    const filter = this.#filter ?? (await this.#log.ports.engine.filterParts(where))
    this.#filter = filter
    const columns = columnsOf(snapshot, filter)
    const unproven = await this.#prove(snapshot, adds, where, filter, columns)
    // The first time without files too: a condition that does not fit the table is told.
    if (unproven.length === 0 && !first) return
    const positions = await withFiles(this.#log, unproven, files =>
      this.#log.ports.engine.findRows({ files, schema: columns, where })
    )
    unproven.forEach((add, index) => {
      this.#keep(add, positions[index] ?? NONE)
    })
  }

  /** Keeps what partition values and statistics say, and gives back the files that must be read. */
  async #prove(
    snapshot: Snapshot,
    adds: readonly AddAction[],
    where: string,
    filter: FilterParts,
    columns: readonly EngineColumn[]
  ): Promise<AddAction[]> {
    if (filter.columns !== undefined && columns.every(column => column.partition)) {
      await this.#provePartitions(adds, where, columns)
      return []
    }
    const fields = new Map(snapshot.fields.map(field => [field.name.toLowerCase(), field]))
    return adds.filter(add => {
      if (!mayHoldTerms(add, filter.terms, fields)) this.#keep(add, NONE)
      else if (filter.complete && mustHoldTerms(add, filter.terms, fields)) this.#keep(add, 'all')
      else return true
      return false
    })
  }

  /** A condition on partition columns alone is true for all rows of a file, or for none. */
  async #provePartitions(
    adds: readonly AddAction[],
    where: string,
    columns: readonly EngineColumn[]
  ): Promise<void> {
    const partitions = new Map(adds.map(add => [partitionKey(add.partitionValues), add]))
    const values = [...partitions.values()].map(add => add.partitionValues)
    const { engine } = this.#log.ports
    const holds = await engine.filterPartitions({ partitions: values, columns, where })
    const chosen = new Set([...partitions.keys()].filter((_, index) => holds[index] === true))
    for (const add of adds) {
      this.#keep(add, chosen.has(partitionKey(add.partitionValues)) ? 'all' : NONE)
    }
  }

  #keep(add: AddAction, positions: FoundPositions): void {
    this.#byPath.set(add.path, { key: fileKey(add), add, positions })
  }
}

/** The columns that the condition may name; all when that is not known. */
function columnsOf(snapshot: Snapshot, { columns }: FilterParts): EngineColumn[] {
  const all = engineColumns(snapshot)
  if (columns === undefined) return all
  const named = new Set(columns.map(name => name.toLowerCase()))
  const chosen = all.filter(column => named.has(column.name.toLowerCase()))
  // A name that is no column is refused where it is bound.
  return chosen.length < named.size ? all : chosen
}

/** From the log, and from the footers of files whose statistics do not say. */
export async function countFound(log: TableLog, found: readonly FoundRows[]): Promise<number> {
  let rows = 0
  const uncounted = found.filter(({ add, positions }) => {
    const count = positions === 'all' ? remainingRows(add) : positions.length
    rows += count ?? -(add.deletionVector?.cardinality ?? 0)
    return count === undefined
  })
  if (uncounted.length === 0) return rows
  const { engine } = log.ports
  const adds = uncounted.map(({ add }) => add)
  const counts = await withFiles(log, adds, files =>
    engine.rowCounts(files.map(file => file.localPath))
  )
  return counts.reduce((sum, count) => sum + count, rows)
}
