/**
 * What each writer has been told is committed. A writer has rows of its own, with a counter that it raises,
 * and beside them a column of its own in the rows of all (`seed …`), so that one lost update of any writer,
 * by whoever took a row's older state for the newest, shows as a counter that is too low.
 */
import type { CellValue, Row } from '../../../src/core/index.ts'
import type { Random } from '../generated/random.ts'
import type { WriteRequest, WriterName } from './writers.ts'

/** Rows at the start: enough for our key index to be used. */
export const SEED_ROWS = 52_000
/** Of them, those that all writers change again and again. */
const HOT = 12

export const seedId = (index: number): string => `seed ${index}`

export class WriterModel {
  readonly name: WriterName
  /** Counters of the rows of its own. */
  readonly own = new Map<string, number>()
  /** Its counters in the rows of all. */
  readonly shared = new Map<string, number>()
  readonly done: Record<string, number> = {}
  retries = 0
  /** Of the newest transaction. */
  txn = 0
  readonly #random: Random
  #made = 0

  constructor(name: WriterName, random: Random) {
    this.name = name
    this.#random = random
  }

  /** A request, and what to note once it is committed. */
  next(kind: 'append' | 'merge' | 'delete', extra: boolean): Prepared {
    const columns = ['id', 'writer', 'n', 'text', ...(extra ? ['extra'] : [])]
    if (kind === 'append') {
      const rows = this.#freshRows(this.#random.int(1, 6), extra)
      return { work: { do: 'append', rows, columns, ...this.#transaction() }, changes: rows }
    }
    if (kind === 'delete' && this.own.size > 0) {
      const ids = this.#random.some([...this.own.keys()], 3)
      if (ids.length > 0) return { work: { do: 'delete', ids }, gone: ids }
    }
    const rows = [
      ...this.#sharedRows(extra),
      ...this.#raisedRows(extra),
      ...this.#freshRows(2, extra)
    ]
    const all = [...columns, this.name]
    // Spark's MERGE takes no transaction.
    const transaction = this.name === 'spark' ? {} : this.#transaction()
    return { work: { do: 'merge', rows, columns: all, ...transaction }, changes: rows }
  }

  committed({ work, changes = [], gone = [] }: Prepared, retries: number): void {
    this.done[work.do] = (this.done[work.do] ?? 0) + 1
    this.retries += retries
    if (work.txn !== undefined) this.txn = work.txn.version
    for (const id of gone) this.own.delete(id)
    for (const row of changes) {
      const id = String(row['id'])
      if (id.startsWith('seed')) this.shared.set(id, Number(row[this.name]))
      else this.own.set(id, Number(row['n']))
    }
  }

  #transaction(): Pick<WriteRequest, 'txn'> {
    return { txn: { appId: `app of ${this.name}`, version: this.txn + 1 } }
  }

  #freshRows(count: number, extra: boolean): Row[] {
    return Array.from({ length: count }, () => this.#row(`${this.name} ${this.#made++}`, 0, extra))
  }

  #raisedRows(extra: boolean): Row[] {
    const ids = this.#random.some([...this.own.keys()], 4)
    return ids.map(id => this.#row(id, (this.own.get(id) ?? 0) + 1, extra))
  }

  #row(id: string, n: number, extra: boolean): Row {
    const row: Record<string, CellValue> = {
      id,
      writer: this.name,
      n,
      text: `${this.name} at ${n}`
    }
    return extra ? { ...row, extra: `${this.name} knows` } : row
  }

  #sharedRows(extra: boolean): Row[] {
    const hot = Array.from({ length: 4 }, () => this.#random.int(0, HOT - 1))
    const any = Array.from({ length: 4 }, () => this.#random.int(0, SEED_ROWS - 1))
    return [...new Set([...hot, ...any])].map(index => {
      const id = seedId(index)
      const count = (this.shared.get(id) ?? 0) + 1
      const row: Record<string, CellValue> = { id, [this.name]: count, text: 'touched' }
      return extra ? { ...row, extra: `by ${this.name}` } : row
    })
  }
}

export interface Prepared {
  readonly work: Omit<WriteRequest, 'name' | 'path'>
  readonly changes?: readonly Row[]
  readonly gone?: readonly string[]
}
