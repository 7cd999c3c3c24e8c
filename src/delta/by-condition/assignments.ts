/** What an update sets, checked against the table. */
import { DeltaError } from '../../core/index.ts'
import { withChanges } from '../file-writer.ts'
import type { Snapshot } from '../log-state.ts'
import type { Assignment } from '../parquet-engine.ts'
import {
  assertKept,
  type CheckDefinition,
  generationCheck,
  type RowRules
} from '../row-rules/index.ts'
import { assertComplete, checkedRow } from '../rows.ts'
import { isNested } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { InputValue } from '../values/cells.ts'
import type { ChangedPart } from './plan.ts'

/** By column name, as the caller gave it. */
export type GivenValues = ReadonlyMap<string, InputValue | { readonly sql: string }>

/** Columns of a changed row. */
export interface NewValues {
  /** Over the values as they were. */
  readonly set: readonly Assignment[]
  /** Generated columns, in SQL over the new values. */
  readonly computed: ReadonlyMap<string, string>
}

/** What the new rows must meet, in SQL over their values. */
interface NewCheck extends CheckDefinition {
  readonly sql: string
  /** A column that must not be null. */
  readonly required?: string
}

/**
 * Rejects columns that are not there and values that are none of their type (`DELTA_SCHEMA_MISMATCH`).
 * `rules`: those of the table, if it has any.
 */
export function newValuesOf(
  snapshot: Snapshot,
  given: GivenValues,
  rules: RowRules | undefined,
  where: string
): NewValues {
  const fields = new Map(snapshot.fields.map(field => [field.name, field]))
  const set = [...given].map(([column, to]): Assignment => {
    const field = fields.get(column)
    if (field === undefined || !isExpression(to)) {
      const row = checkedRow(fields, { [column]: to as InputValue }, where)
      assertComplete(field === undefined ? [] : [field], row, where)
      return { column, to: { value: row[column] ?? null } }
    }
    if (isNested(field.type)) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `${where}: the nested column ${column} cannot be set by an expression; set a value`
      )
    }
    return { column, to: { sql: to.sql } }
  })
  const computed = new Map<string, string>()
  for (const { field, sql, columns } of rules?.generated ?? []) {
    if (given.has(field.name) || !columns.some(name => given.has(name))) continue
    computed.set(field.name, sql)
  }
  return { set, computed }
}

function isExpression(to: InputValue | { readonly sql: string }): to is { readonly sql: string } {
  return typeof to === 'object' && to !== null && 'sql' in to && typeof to.sql === 'string'
}

/** Whether the new rows have what they must have; each part of them is looked at once. */
export class NewRowChecks {
  readonly #log: TableLog
  readonly #values: NewValues
  readonly #checks: readonly NewCheck[]
  readonly #seen = new WeakSet<ChangedPart>()
  #bound = false

  constructor(log: TableLog, snapshot: Snapshot, values: NewValues, rules: RowRules | undefined) {
    this.#log = log
    this.#values = values
    this.#checks = checksOf(snapshot, values, rules)
  }

  /** Rejects with `DELTA_QUERY_INVALID` expressions that do not fit the table, the first time. */
  async bind(snapshot: Snapshot): Promise<void> {
    if (this.#bound) return
    await this.#log.ports.engine.checkAssignments(engineColumns(snapshot), this.#values.set)
    this.#bound = true
  }

  /**
   * Rejects with `DELTA_SCHEMA_MISMATCH` when a column that must not be null would be, with
   * `DELTA_CONSTRAINT_VIOLATED` when a row would break a rule of the table.
   */
  async check(snapshot: Snapshot, parts: readonly ChangedPart[]): Promise<void> {
    const unseen = parts.filter(part => !this.#seen.has(part))
    if (this.#checks.length === 0 || unseen.length === 0) return
    const { where, ports } = this.#log
    const changes = { inputs: unseen, ...this.#values }
    const checks = this.#checks.map(({ sql }) => sql)
    const counts = await withChanges(this.#log, snapshot, changes, rows =>
      ports.engine.countViolations(rows, checks)
    )
    this.#checks.forEach((check, index) => {
      const count = counts[index] ?? 0
      if (count > 0 && check.required !== undefined) {
        throw new DeltaError(
          'DELTA_SCHEMA_MISMATCH',
          `${where}: the column ${check.required} must not be null`
        )
      }
      assertKept(check, count, where)
    })
    for (const part of unseen) this.#seen.add(part)
  }
}

/** Those that the change may break. */
function checksOf(
  snapshot: Snapshot,
  { set, computed }: NewValues,
  rules: RowRules | undefined
): NewCheck[] {
  const changed = new Set([...set.map(({ column }) => column), ...computed.keys()])
  const expressions = new Set(computed.keys())
  for (const { column, to } of set) if ('sql' in to) expressions.add(column)
  const checks: NewCheck[] = []
  for (const { name, nullable } of snapshot.fields) {
    if (nullable || !expressions.has(name)) continue
    const sql = `${quoted(name)} IS NOT NULL`
    checks.push({ name, expression: sql, sql, required: name })
  }
  for (const generated of rules?.generated ?? []) {
    const { field, sql } = generated
    if (!changed.has(field.name) || computed.has(field.name)) continue
    const same = `${quoted(field.name)} IS NOT DISTINCT FROM (${sql})`
    checks.push({ ...generationCheck(generated), sql: same })
  }
  const touched = rules?.checks.filter(check => check.columns.some(name => changed.has(name)))
  return [...checks, ...(touched ?? [])]
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
