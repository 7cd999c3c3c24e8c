/**
 * The files of changes of a delete or update by condition, for tables with the change data feed: the rows as
 * they were, and updated ones as they are. What is told already and still right is not written again.
 */
import type { CdcAction } from '../actions.ts'
import { writeChanges } from '../change-data/index.ts'
import type { Snapshot } from '../log-state.ts'
import { partitionKey } from '../partition-values.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { NewValues } from './assignments.ts'
import { type FoundRows, sameRows } from './finder.ts'
import type { ChangedPart } from './plan.ts'

/** What one file of changes tells. */
interface Told {
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly before: FoundRows[]
  readonly after: ChangedPart[]
}

export class ConditionFeed {
  readonly #log: TableLog
  readonly #values: NewValues
  readonly #wrote: (path: string, bytes: number) => void
  #files: (Told & { readonly cdc: CdcAction })[] = []

  /** `wrote` is told the path in the store, and the size, of each file. */
  constructor(log: TableLog, change: NewValues, wrote: (path: string, bytes: number) => void) {
    this.#log = log
    this.#values = change
    this.#wrote = wrote
  }

  /** Files that tell of all the rows; `parts`: none for a delete. */
  async prepare(
    snapshot: Snapshot,
    found: readonly FoundRows[],
    parts: readonly ChangedPart[]
  ): Promise<CdcAction[]> {
    const current = new Map(found.map(rows => [rows.add.path, rows]))
    const wanted = new Set(parts)
    this.#files = this.#files.filter(
      ({ before, after }) =>
        before.every(rows => sameRows(rows, current.get(rows.add.path))) &&
        after.every(part => wanted.has(part))
    )
    const paths = new Set(this.#files.flatMap(file => file.before.map(({ add }) => add.path)))
    const told = new Set(this.#files.flatMap(file => file.after))
    const bins = binsOf(
      found.filter(({ add }) => !paths.has(add.path)),
      parts.filter(part => !told.has(part))
    )
    const type = this.#values.set.length === 0 ? 'delete' : 'update_preimage'
    for (const bin of bins) {
      const { partitionValues, before, after } = bin
      const copies = before.map(rows => ({ ...rows, type }) as const)
      const changed = after.length === 0 ? undefined : { inputs: after, ...this.#values }
      const changes = { partitionValues, copies, rows: [], ...(changed && { changed }) }
      const cdc = await writeChanges(this.#log, snapshot, changes)
      this.#wrote(objectPath(this.#log.path, cdc), cdc.size)
      this.#files.push({ ...bin, cdc })
    }
    return this.#files.map(file => file.cdc)
  }
}

/** By partition; rows that move between partitions are told of in both. */
function binsOf(found: readonly FoundRows[], parts: readonly ChangedPart[]): Iterable<Told> {
  const bins = new Map<string, Told>()
  const binOf = (partitionValues: Readonly<Record<string, string | null>>): Told => {
    const key = partitionKey(partitionValues)
    const bin = bins.get(key) ?? { partitionValues, before: [], after: [] }
    bins.set(key, bin)
    return bin
  }
  for (const rows of found) binOf(rows.add.partitionValues).before.push(rows)
  for (const part of parts) binOf(part.partitionValues).after.push(part)
  return bins.values()
}
