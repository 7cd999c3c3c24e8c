/** What else of a table names a column, which then can be neither renamed nor dropped. */
import { DeltaError, isJsonObject, parseJson } from '../../core/index.ts'
import type { Snapshot } from '../log-state.ts'
import { CONSTRAINT_PREFIX } from '../protocol/properties.ts'
import { allFields, physicalName } from '../schema.ts'
import { type ColumnPath, fieldAt, pathText } from './column-paths.ts'

const CLUSTERING = 'delta.clustering'

/**
 * Rejects a column that a constraint, the expression of another column or the clustering names
 * (`DELTA_SCHEMA_INVALID`). Expressions are not parsed: any word that is the name counts.
 */
export function assertUnused(snapshot: Snapshot, path: ColumnPath, where: string): void {
  const user = userOf(snapshot, path, where)
  if (user === undefined) return
  throw new DeltaError(
    'DELTA_SCHEMA_INVALID',
    `${where}: the column ${pathText(path)} is used by ${user}, so it cannot be renamed or dropped`
  )
}

function userOf(snapshot: Snapshot, path: ColumnPath, where: string): string | undefined {
  const { fields, metadata } = snapshot
  const [name = ''] = path
  for (const [key, expression] of Object.entries(metadata.configuration)) {
    if (!key.startsWith(CONSTRAINT_PREFIX)) continue
    if (names(expression, name)) return `the constraint ${key.slice(CONSTRAINT_PREFIX.length)}`
  }
  const own = fieldAt(fields, path, where)
  for (const field of allFields(fields)) {
    for (const key of ['delta.generationExpression', 'delta.invariants']) {
      const expression = field.metadata?.[key]
      if (typeof expression !== 'string' || !names(expression, name)) continue
      if (field !== own || key === 'delta.invariants') return `the expression of ${field.name}`
    }
  }
  const top = fields.find(field => field.name === name)
  const physical = top === undefined ? name : physicalName(top)
  return clusteringColumns(snapshot).includes(physical) ? 'the clustering' : undefined
}

function names(expression: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<!\\w)${escaped}(?!\\w)`, 'i').test(expression)
}

/** Outermost physical names. */
function clusteringColumns({ domains }: Snapshot): string[] {
  const text = domains.get(CLUSTERING)?.configuration
  if (text === undefined) return []
  const value = parseJson(text)
  const columns = isJsonObject(value) ? value['clusteringColumns'] : undefined
  if (!Array.isArray(columns)) return []
  return columns.flatMap(path => (Array.isArray(path) ? [String(path[0])] : []))
}
