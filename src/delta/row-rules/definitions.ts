/**
 * What a table asks of new rows beyond their types, as its metadata says it (PROTOCOL.md "CHECK
 * Constraints", "Column Invariants", "Generated Columns", "Default Columns").
 */
import { DeltaError, isJsonObject, parseJson } from '../../core/index.ts'
import type { MetadataAction } from '../actions.ts'
import { CONSTRAINT_PREFIX } from '../protocol/properties.ts'
import { allFields, type SchemaField } from '../schema.ts'

export const GENERATION_EXPRESSION = 'delta.generationExpression'
export const CURRENT_DEFAULT = 'CURRENT_DEFAULT'
const INVARIANTS = 'delta.invariants'

export interface CheckDefinition {
  /** For people. */
  readonly name: string
  /** As the table has it. */
  readonly expression: string
}

export interface ColumnExpression {
  readonly field: SchemaField
  readonly expression: string
}

export interface RuleDefinitions {
  readonly checks: readonly CheckDefinition[]
  readonly generated: readonly ColumnExpression[]
  readonly defaults: readonly ColumnExpression[]
}

/** Undefined when the table asks for nothing. Rejects with `DELTA_UNSUPPORTED` rules of nested fields. */
export function ruleDefinitions(
  metadata: MetadataAction,
  fields: readonly SchemaField[],
  where: string
): RuleDefinitions | undefined {
  const checks = [...constraintsOf(metadata)].map(([name, expression]) => {
    return { name: `the constraint ${name}`, expression }
  })
  const generated: ColumnExpression[] = []
  const defaults: ColumnExpression[] = []
  for (const field of allFields(fields)) {
    const rules = [INVARIANTS, GENERATION_EXPRESSION, CURRENT_DEFAULT].map(key =>
      textOf(field, key)
    )
    const [invariant, generation, fallback] = rules
    if (rules.every(rule => rule === undefined)) continue
    if (!fields.includes(field)) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `${where}: the nested field ${field.name} has an expression, which this engine does not evaluate`
      )
    }
    if (invariant !== undefined) {
      const expression = invariantOf(invariant)
      checks.push({ name: `the invariant of the column ${field.name}`, expression })
    }
    if (generation !== undefined) generated.push({ field, expression: generation })
    else if (fallback !== undefined) defaults.push({ field, expression: fallback })
  }
  const all = checks.length + generated.length + defaults.length
  return all === 0 ? undefined : { checks, generated, defaults }
}

/** Rejects columns with an expression: rows that are stored would have to get its value. */
export function assertNoRules(added: readonly SchemaField[], where: string): void {
  const keys = [INVARIANTS, GENERATION_EXPRESSION, CURRENT_DEFAULT]
  for (const field of allFields(added)) {
    if (keys.every(key => textOf(field, key) === undefined)) continue
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `${where}: the column ${field.name} has an expression, which only a new table can have`
    )
  }
}

/** Expressions by the name of their constraint. */
export function constraintsOf({ configuration }: MetadataAction): Map<string, string> {
  const found = Object.entries(configuration).filter(([key]) => key.startsWith(CONSTRAINT_PREFIX))
  return new Map(found.map(([key, value]) => [key.slice(CONSTRAINT_PREFIX.length), value]))
}

function textOf({ metadata }: SchemaField, key: string): string | undefined {
  const value = metadata?.[key]
  return value === undefined || value === null ? undefined : String(value)
}

/** `{"expression": {"expression": "x > 3"}}`; anything else is no expression, and refused as one. */
function invariantOf(text: string): string {
  try {
    const outer = parseJson(text)
    const inner = isJsonObject(outer) ? outer['expression'] : undefined
    const expression = isJsonObject(inner) ? inner['expression'] : undefined
    return typeof expression === 'string' ? expression : text
  } catch {
    return text
  }
}
