/** Completes and checks the rows of a merge by the rules of the table, each once. */
import { type CellValue, DeltaError } from '../../core/index.ts'
import type { RowRules } from '../row-rules/index.ts'
import type { TableLog } from '../table-log.ts'
import type { DecidedRow, Decision, Decisions } from './decisions.ts'

export class NewRows {
  readonly #log: TableLog
  readonly #rules: RowRules
  readonly #seen = new WeakSet<Decision>()

  /** Rejects with `DELTA_UNSUPPORTED` a merge by a generated column. */
  constructor(log: TableLog, rules: RowRules, keys: readonly string[]) {
    this.#log = log
    this.#rules = rules
    const key = rules.generated.find(({ field }) => keys.includes(field.name))
    if (key === undefined) return
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `${log.where}: the generated column ${key.field.name} cannot be a merge key`
    )
  }

  /** Rejects with `DELTA_CONSTRAINT_VIOLATED` or `DELTA_SCHEMA_MISMATCH`. */
  async finish(decisions: Decisions): Promise<void> {
    const unseen: DecidedRow[] = []
    for (const decision of decisions.all) {
      if (decision.values === undefined || this.#seen.has(decision)) continue
      unseen.push(decision as DecidedRow)
    }
    // They are nobody else's yet.
    const rows = unseen.map(({ values }) => values as Record<string, CellValue>)
    const given = (at: number, column: string): boolean =>
      unseen[at]?.group.rows.some(row => row[column] !== undefined) === true
    await this.#rules.finish(this.#log.ports.engine, rows, given, this.#log.where)
    for (const decision of unseen) this.#seen.add(decision)
  }
}
