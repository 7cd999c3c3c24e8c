/**
 * New vectors for files of which rows are deleted, kept from one attempt to commit to the next: a file
 * whose rows are marked as before is not written about again.
 */
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { withFiles } from '../leased-files.ts'
import type { TableLog } from '../table-log.ts'
import { addWithVector } from './file-actions.ts'
import { positionsOf, unionOf } from './positions.ts'

/** A file that stays, with more of its rows deleted. */
export interface Mark {
  readonly add: AddAction
  /** Rows deleted beyond those that are already. */
  readonly positions: Iterable<number>
}

/** A file as it was and with its new vector. */
export interface Marked {
  readonly before: AddAction
  readonly after: AddAction
}

export class Marks {
  readonly #log: TableLog
  /** The newest file with a vector, by the one that it was made of. */
  readonly #known = new Map<AddAction, { positions: Uint32Array; after: AddAction }>()

  constructor(log: TableLog) {
    this.#log = log
  }

  /**
   * Gives each file a vector with its rows; durable when it resolves. `wrote` is told of a file of
   * vectors, by its path in the store.
   */
  async mark(
    marks: readonly Mark[],
    wrote: (path: string, bytes: number) => void
  ): Promise<Marked[]> {
    const wanted = new Map<AddAction, Uint32Array>()
    for (const { add, positions } of marks) {
      const before = (await this.#log.vectors.load(add)) ?? new Uint32Array(0)
      const all = unionOf(before, positionsOf(positions))
      const known = this.#known.get(add)
      if (known === undefined || !same(known.positions, all)) wanted.set(add, all)
    }
    if (wanted.size > 0) {
      const { descriptors, path, bytes } = await this.#log.vectors.write(wanted)
      if (path !== undefined) wrote(path, bytes)
      for (const [add, vector] of descriptors) {
        const positions = wanted.get(add) ?? new Uint32Array(0)
        const after = addWithVector(add, vector, await this.#count(add))
        this.#known.set(add, { positions, after })
      }
    }
    return marks.map(({ add }) => ({ before: add, after: this.#known.get(add)?.after ?? add }))
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

function same(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}
