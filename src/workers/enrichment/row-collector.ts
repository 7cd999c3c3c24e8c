import type { Row } from '../../core/index.ts'
import { claimxTables, type EntityRows, writeSteps } from '../../domains/claimx/index.ts'
import type { TableWrite } from '../../runtime/index.ts'

/** Rows by table, written in the domain's steps. */
export class RowCollector {
  readonly #rows = new Map<string, Row[]>()

  add(table: string, rows: readonly Row[]): void {
    const before = this.#rows.get(table)
    if (before === undefined) this.#rows.set(table, [...rows])
    else before.push(...rows)
  }

  addAll(rows: EntityRows): void {
    for (const [table, some] of Object.entries(rows)) this.add(table, some)
  }

  writes(): TableWrite[] {
    return writeSteps.flatMap((names, step) =>
      names.flatMap(name => {
        const rows = this.#rows.get(name)
        return rows === undefined ? [] : [{ table: claimxTables[name], rows, step }]
      })
    )
  }
}
