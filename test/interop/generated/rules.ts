/** Columns whose values the table gives, by a default or an expression, and constraints of its rows. */
import type { ColumnSpec, InputValue } from '../../../src/delta/index.ts'
import type { Random } from './random.ts'
import type { Column, ModelRow } from './table.ts'
import type { ColumnKind } from './types.ts'

export interface ColumnRule {
  readonly spec: Pick<ColumnSpec, 'default' | 'generatedAs'>
  /** Of rows that do not give a value. */
  readonly fallback?: InputValue
  /** Of every row, from its key. */
  computed?(row: ModelRow): InputValue
}

/** Some of: an integer with a default, a text with one, a column computed from `id`. */
export function ruledColumns(random: Random, id: Column, kinds: readonly ColumnKind[]): Column[] {
  const kindOf = (type: string): ColumnKind => kinds.find(kind => kind.type === type) as ColumnKind
  const columns: Column[] = []
  if (random.chance(0.12)) {
    const rule = { spec: { default: '-7' }, fallback: -7 }
    columns.push({
      name: 'dflt_int',
      kind: kindOf('integer'),
      nullable: true,
      partition: false,
      rule
    })
  }
  if (random.chance(0.12)) {
    const rule = { spec: { default: "'new; ü'" }, fallback: 'new; ü' }
    columns.push({
      name: 'dflt_text',
      kind: kindOf('string'),
      nullable: true,
      partition: false,
      rule
    })
  }
  if (random.chance(0.15)) {
    const partition = random.chance(0.3)
    const text = id.kind.type === 'string'
    const rule: ColumnRule = {
      spec: { generatedAs: text ? 'length(id)' : 'id + 1' },
      computed: row => (text ? String(row['id']).length : Number(row['id']) + 1)
    }
    const kind = kindOf(text ? 'integer' : 'long')
    columns.push({ name: 'computed', kind, nullable: true, partition, rule })
  }
  return columns
}

/** Of the kind that every row keeps to. */
export function someConstraints(random: Random): Record<string, string> {
  if (!random.chance(0.15)) return {}
  return random.pick([{ known: 'id IS NOT NULL' }, { known: 'id IS NOT NULL', one: '1 < 2' }])
}
