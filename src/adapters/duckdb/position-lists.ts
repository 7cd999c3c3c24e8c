/** Positions of rows in files on their way out of DuckDB: whole vectors at a time, in any order. */
import type { DuckDBResult } from '@duckdb/node-api'
import { type DataFile, differenceOf } from '../../delta/index.ts'

const FIRST_LENGTH = 64

export class PositionLists {
  readonly #files: readonly DataFile[]
  readonly #lists: Uint32Array[]
  readonly #counts: number[]

  constructor(files: readonly DataFile[]) {
    this.#files = files
    this.#lists = files.map(() => new Uint32Array(0))
    this.#counts = files.map(() => 0)
  }

  add(file: number, position: number): void {
    const count = this.#counts[file] ?? 0
    let list = this.#lists[file] ?? new Uint32Array(0)
    if (count === list.length) {
      const longer = new Uint32Array(Math.max(FIRST_LENGTH, count * 2))
      longer.set(list)
      this.#lists[file] = longer
      list = longer
    }
    list[count] = position
    this.#counts[file] = count + 1
  }

  /** Those of each file, without rows that are deleted or passed over. */
  ascending(): Uint32Array[] {
    return this.#files.map(({ deleted, only }, file) => {
      const all = (this.#lists[file] ?? new Uint32Array(0)).slice(0, this.#counts[file]).sort()
      const there = deleted === undefined ? all : differenceOf(all, deleted)
      return only === undefined ? there : differenceOf(there, differenceOf(there, only))
    })
  }
}

/** Gives `use` the rows of a result of two or three unsigned columns. */
export async function eachRow(
  result: DuckDBResult,
  use: (first: number, second: number, third: number) => void
): Promise<void> {
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    const vectors = Array.from({ length: chunk.columnCount }, (_, i) => chunk.getColumnVector(i))
    const [first, second, third] = vectors
    for (let row = 0; row < chunk.rowCount; row++) {
      use(Number(first?.getItem(row)), Number(second?.getItem(row)), Number(third?.getItem(row)))
    }
  }
}
