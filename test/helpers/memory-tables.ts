/** Tables in memory: rows by key, patches over what is stored; failures and pauses on demand. */
import type { CellValue, Row, TableDef } from '../../src/core/index.ts'
import type { MergeOutcome, TableStore } from '../../src/ports/index.ts'

export class MemoryTables implements TableStore {
  readonly #tables = new Map<string, Map<string, Record<string, CellValue>>>()
  /** Asked before each merge; throw or wait to make it fail or slow. */
  onMerge: (table: string, rows: readonly Row[], signal?: AbortSignal) => void | Promise<void> =
    () => undefined
  /** Asked before each look-up of keys. */
  onLookUp: (keys: readonly string[]) => void | Promise<void> = () => undefined
  /** `merge <table> <rows>`, in order. */
  readonly trace: string[]
  readonly ensured: string[] = []

  constructor(trace: string[] = []) {
    this.trace = trace
  }

  async ensure(table: TableDef): Promise<void> {
    this.ensured.push(table.name)
  }

  async merge(table: TableDef, rows: readonly Row[], signal?: AbortSignal): Promise<MergeOutcome> {
    signal?.throwIfAborted()
    await this.onMerge(table.name, rows, signal)
    const stored = this.#stored(table.name)
    let inserted = 0
    for (const row of rows) {
      const key = JSON.stringify(table.mergeKey.map(name => String(row[name])))
      const before = stored.get(key)
      if (before === undefined) inserted += 1
      if (before !== undefined && table.insertOnly === true) continue
      const given = Object.entries(row).filter(([, value]) => value !== undefined)
      stored.set(key, { ...before, ...(Object.fromEntries(given) as Record<string, CellValue>) })
    }
    this.trace.push(`merge ${table.name} ${rows.length}`)
    return {
      version: 1,
      inserted,
      updated: rows.length - inserted,
      unchanged: 0,
      dropped: 0,
      bytesWritten: 0,
      conflicts: 0
    }
  }

  async existingKeys(table: TableDef, keys: readonly string[]): Promise<Set<string>> {
    await this.onLookUp(keys)
    const stored = this.#stored(table.name)
    return new Set(keys.filter(key => stored.has(JSON.stringify([key]))))
  }

  async read(table: TableDef): Promise<Record<string, CellValue>[]> {
    return this.rows(table.name)
  }

  async close(): Promise<void> {}

  rows(table: string): Record<string, CellValue>[] {
    return [...this.#stored(table).values()]
  }

  #stored(table: string): Map<string, Record<string, CellValue>> {
    const found = this.#tables.get(table) ?? new Map<string, Record<string, CellValue>>()
    this.#tables.set(table, found)
    return found
  }
}
