/** Tables by path, opened once. A failed opening is forgotten, so that the next call tries again. */
import type { DeltaTable } from '../../delta/index.ts'

export class OpenTables {
  readonly #tables = new Map<string, Promise<DeltaTable>>()

  async get(path: string, open: () => Promise<DeltaTable>): Promise<DeltaTable> {
    const known = this.#tables.get(path)
    if (known !== undefined) return await known
    const opening = open()
    this.#tables.set(path, opening)
    try {
      return await opening
    } catch (error) {
      this.#tables.delete(path)
      throw error
    }
  }

  async close(): Promise<void> {
    const tables = await Promise.allSettled(this.#tables.values())
    this.#tables.clear()
    for (const table of tables) if (table.status === 'fulfilled') await table.value.close()
  }
}
