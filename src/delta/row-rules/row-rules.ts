/**
 * Defaults, generated columns and checks of new rows, evaluated by the engine. A table without any has no
 * `RowRules`, and its writers ask for nothing.
 */
import { type CellValue, DeltaError } from '../../core/index.ts'
import type { MetadataAction } from '../actions.ts'
import type { Snapshot } from '../log-state.ts'
import type { EngineColumn, ParquetEngine, Translated } from '../parquet-engine.ts'
import { assertComplete } from '../rows.ts'
import type { SchemaField } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { compareCells } from '../values/order.ts'
import { type CheckDefinition, type ColumnExpression, ruleDefinitions } from './definitions.ts'

export interface GeneratedColumn extends ColumnExpression, Translated {}

export interface Check extends CheckDefinition, Translated {}

type NewRow = Record<string, CellValue>

/** Computed when a row is written, and not by an expression. */
const MOMENT = /^\s*(current_timestamp|current_date)\s*(\(\s*\))?\s*$|^\s*now\s*\(\s*\)\s*$/i

export class RowRules {
  readonly generated: readonly GeneratedColumn[]
  readonly checks: readonly Check[]
  readonly #fields: readonly SchemaField[]
  readonly #columns: readonly EngineColumn[]
  readonly #constants: ReadonlyMap<string, CellValue>
  readonly #moments: readonly SchemaField[]

  private constructor(
    { metadata, fields }: Pick<Snapshot, 'metadata' | 'fields'>,
    rules: {
      generated: readonly GeneratedColumn[]
      checks: readonly Check[]
      constants: ReadonlyMap<string, CellValue>
      moments: readonly SchemaField[]
    }
  ) {
    this.#fields = fields
    this.#columns = engineColumns({ metadata, fields })
    this.generated = rules.generated
    this.checks = rules.checks
    this.#constants = rules.constants
    this.#moments = rules.moments
  }

  /** Undefined when the table has none. Rejects with `DELTA_UNSUPPORTED`, naming the expression. */
  static async of(
    engine: ParquetEngine,
    table: Pick<Snapshot, 'metadata' | 'fields'>,
    where: string
  ): Promise<RowRules | undefined> {
    const definitions = ruleDefinitions(table.metadata, table.fields, where)
    if (definitions === undefined) return undefined
    const columns = engineColumns(table)
    const checks: Check[] = []
    for (const check of definitions.checks) {
      const translated = await engine.translate(check.expression, columns, 'boolean')
      checks.push({ ...check, ...translated })
    }
    const derived = new Set(definitions.generated.map(({ field }) => field.name))
    // A generated column is made of others that are not.
    const base = columns.filter(({ name }) => !derived.has(name))
    const generated: GeneratedColumn[] = []
    for (const one of definitions.generated) {
      const translated = await engine.translate(one.expression, base, one.field.type)
      generated.push({ ...one, ...translated })
    }
    const moments = definitions.defaults.filter(isMoment).map(({ field }) => field)
    const constants = await constantsOf(
      engine,
      definitions.defaults.filter(one => !isMoment(one))
    )
    return new RowRules(table, { generated, checks, constants, moments })
  }

  /** Values of columns that a new row lacks. `now` in milliseconds. */
  defaults(now: number): ReadonlyMap<string, CellValue> {
    const values = new Map(this.#constants)
    for (const { name, type } of this.#moments) {
      const day = new Date(now).toISOString().slice(0, 10)
      values.set(name, type === 'date' ? day : BigInt(Math.trunc(now)) * 1000n)
    }
    return values
  }

  /**
   * Completes and checks rows that are whole but for their generated columns; `given` tells which of these a
   * row brought along. Rejects with `DELTA_CONSTRAINT_VIOLATED`, or `DELTA_SCHEMA_MISMATCH` for a null where
   * there must be none.
   */
  async finish(
    engine: ParquetEngine,
    rows: readonly NewRow[],
    given: (row: number, column: string) => boolean,
    where: string
  ): Promise<void> {
    if (rows.length === 0) return
    await this.#generate(engine, rows, given, where)
    for (const row of rows) assertComplete(this.#fields, row, where)
    const results = await this.#evaluate(engine, rows, this.checks)
    this.checks.forEach((check, index) => {
      const violations = results[index]?.filter(value => value !== true).length ?? 0
      assertKept(check, violations, where)
    })
  }

  async #generate(
    engine: ParquetEngine,
    rows: readonly NewRow[],
    given: (row: number, column: string) => boolean,
    where: string
  ): Promise<void> {
    const computed = await this.#evaluate(engine, rows, this.generated)
    this.generated.forEach((column, index) => {
      const { name, type } = column.field
      let differing = 0
      for (const [at, row] of rows.entries()) {
        const value = computed[index]?.[at] ?? null
        if (!given(at, name)) row[name] = value
        else if (compareCells(row[name] ?? null, value, type) !== 0) differing++
      }
      assertKept(generationCheck(column), differing, where)
    })
  }

  async #evaluate(
    engine: ParquetEngine,
    rows: readonly NewRow[],
    wanted: readonly (GeneratedColumn | Check)[]
  ): Promise<CellValue[][]> {
    if (wanted.length === 0) return []
    const named = new Set(wanted.flatMap(({ columns }) => columns))
    return await engine.evaluate({
      columns: this.#columns.filter(({ name }) => named.has(name)),
      rows,
      expressions: wanted.map(one => ({
        sql: one.sql,
        type: 'field' in one ? one.field.type : 'boolean'
      }))
    })
  }
}

/** What a given value of a generated column must meet. */
export function generationCheck({ field, expression }: ColumnExpression): CheckDefinition {
  return { name: `the generated column ${field.name}`, expression }
}

/** Rejects with `DELTA_CONSTRAINT_VIOLATED`. Nothing of what the rows hold is told. */
export function assertKept(
  { name, expression }: CheckDefinition,
  violations: number,
  where: string
): void {
  if (violations === 0) return
  throw new DeltaError(
    'DELTA_CONSTRAINT_VIOLATED',
    `${where}: ${violations} of the rows ${violations === 1 ? 'breaks' : 'break'} ${name} (${expression})`,
    { details: { constraint: name, expression, rows: String(violations) } }
  )
}

/** Translated once for each metadata that the table has had. */
const known = new WeakMap<MetadataAction, Promise<RowRules | undefined>>()

/** The rules of a table that is written. Rejects with `DELTA_UNSUPPORTED` when it cannot be. */
export async function rowRulesOf(log: TableLog, snapshot: Snapshot): Promise<RowRules | undefined> {
  log.assertWritable(snapshot)
  const { metadata } = snapshot
  const found = known.get(metadata) ?? RowRules.of(log.ports.engine, snapshot, log.where)
  known.set(metadata, found)
  try {
    return await found
  } catch (error) {
    known.delete(metadata)
    throw error
  }
}

function isMoment({ field, expression }: ColumnExpression): boolean {
  return MOMENT.test(expression) && field.type === (/date/i.test(expression) ? 'date' : 'timestamp')
}

async function constantsOf(
  engine: ParquetEngine,
  defaults: readonly ColumnExpression[]
): Promise<Map<string, CellValue>> {
  const values = new Map<string, CellValue>()
  if (defaults.length === 0) return values
  const expressions: { sql: string; type: SchemaField['type'] }[] = []
  for (const { field, expression } of defaults) {
    const { sql } = await engine.translate(expression, [], field.type)
    expressions.push({ sql, type: field.type })
  }
  const results = await engine.evaluate({ columns: [], rows: [{}], expressions })
  for (const [index, { field }] of defaults.entries()) {
    values.set(field.name, results[index]?.[0] ?? null)
  }
  return values
}
