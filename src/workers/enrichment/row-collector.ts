import type { Row } from '../../core/index.ts'
import {
  claimxTables,
  type EntityRows,
  type TableName,
  writeOrder
} from '../../domains/claimx/index.ts'
import type { TableWrite } from '../../runtime/index.ts'

/**
 * Parents before children, the log last, but contacts before projects: a project row tells the
 * pre-flight of a repeated batch that the project is complete. Were it durable without its contacts when
 * the process dies, nobody would ask for them again.
 */
export const batchOrder: readonly TableName[] = [
  'claimx_contacts',
  ...writeOrder.filter(name => name !== 'claimx_contacts')
]

/** Rows by table, written in that order. */
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
    return batchOrder.flatMap(name => {
      const rows = this.#rows.get(name)
      return rows === undefined ? [] : [{ table: claimxTables[name], rows }]
    })
  }
}
