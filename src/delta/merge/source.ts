/**
 * The rows of a batch, checked and grouped by merge key in order of arrival. Rows without a complete
 * key are dropped and counted (reference/claimx-tables.md section 12.7).
 */
import type { CellValue, Row } from '../../core/index.ts'
import type { MergeRules } from '../row-policies.ts'
import { checkedRow } from '../rows.ts'
import type { SchemaField } from '../schema.ts'
import type { InputRow } from '../values/cells.ts'
import { assertRuleColumns } from './rules.ts'

/** All rows of one key. */
export interface SourceGroup {
  /** Holds the key columns. */
  readonly key: Readonly<Record<string, CellValue>>
  readonly rows: Row[]
  /** Those of the rows that delete the stored one. */
  readonly deletes: Set<Row>
}

export interface MergeSource {
  readonly groups: readonly SourceGroup[]
  readonly dropped: number
}

export function groupRows(
  rules: MergeRules,
  fields: readonly SchemaField[],
  rows: readonly InputRow[],
  where: string
): MergeSource {
  const byName = new Map(fields.map(field => [field.name, field]))
  assertRuleColumns(rules, byName, where)
  const groups = new Map<string, SourceGroup>()
  let dropped = 0
  for (const row of rows) {
    const checked = checkedRow(byName, row, where)
    const text = keyText(rules.keys, checked)
    if (text === undefined) {
      dropped++
      continue
    }
    const known = groups.get(text) ?? { key: checked, rows: [], deletes: new Set() }
    if (known.rows.length === 0) groups.set(text, known)
    known.rows.push(checked)
    if (rules.deleteWhen?.(row as Row) === true) known.deletes.add(checked)
  }
  return { groups: [...groups.values()], dropped }
}

/** Identity of a key; undefined when a part of it is null or absent. */
function keyText(
  keys: readonly string[],
  row: Readonly<Record<string, CellValue>>
): string | undefined {
  let text = ''
  for (const key of keys) {
    const value = row[key]
    if (value === null || value === undefined) return undefined
    const part = String(value)
    text += `${part.length}:${part}`
  }
  return text
}
