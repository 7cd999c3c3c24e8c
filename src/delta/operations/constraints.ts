/**
 * Check constraints (PROTOCOL.md "CHECK Constraints"): added when all stored rows keep them, dropped, and
 * from then on asked of every new row by every writer that knows the feature.
 */
import { DeltaError } from '../../core/index.ts'
import { countFound, RowFinder } from '../by-condition/finder.ts'
import { withProperties } from '../definition.ts'
import type { Snapshot } from '../log-state.ts'
import { CONSTRAINT_PREFIX } from '../protocol/properties.ts'
import { assertKept, constraintsOf } from '../row-rules/index.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'

/**
 * `expression`: SQL boolean expression over the columns, in Spark's dialect. Rejects with
 * `DELTA_CONSTRAINT_VIOLATED` when stored rows do not make it true, with `DELTA_UNSUPPORTED` when it is not
 * sure to mean the same to this engine and to Spark, with `DELTA_PROPERTY_INVALID` when there is
 * another constraint of the name.
 */
export async function addConstraint(
  log: TableLog,
  name: string,
  expression: string
): Promise<void> {
  const label = constraintName(name)
  let finder: { readonly snapshot: Snapshot; readonly rows: RowFinder } | undefined
  for (let conflicts = 0; ; ) {
    const snapshot = await log.refresh()
    log.assertWritable(snapshot)
    const existing = constraintsOf(snapshot.metadata).get(label)
    if (existing === expression) return
    if (existing !== undefined) {
      throw new DeltaError(
        'DELTA_PROPERTY_INVALID',
        `${log.where} has a constraint ${label} already: ${existing}`
      )
    }
    if (finder?.snapshot.metadata !== snapshot.metadata) {
      const columns = engineColumns(snapshot)
      const { sql } = await log.ports.engine.translate(expression, columns, 'boolean')
      finder = { snapshot, rows: new RowFinder(log, `(${sql}) IS NOT TRUE`) }
    }
    // Rows that were looked at are not looked at again; those that others add meanwhile are.
    const found = await finder.rows.find(snapshot)
    const check = { name: `the constraint ${label}`, expression }
    assertKept(check, await countFound(log, found), log.where)
    const info = {
      operation: 'ADD CONSTRAINT',
      operationParameters: { name: label, expr: expression }
    }
    if (await committed(log, snapshot, info, { [CONSTRAINT_PREFIX + label]: expression })) return
    conflicts++
    await log.pause(conflicts)
  }
}

/** Rejects with `DELTA_PROPERTY_INVALID` when there is no such constraint. */
export async function dropConstraint(log: TableLog, name: string): Promise<void> {
  const label = constraintName(name)
  for (let conflicts = 0; ; ) {
    const snapshot = await log.refresh()
    log.assertWritable(snapshot)
    const expression = constraintsOf(snapshot.metadata).get(label)
    if (expression === undefined) {
      throw new DeltaError('DELTA_PROPERTY_INVALID', `${log.where} has no constraint ${label}`)
    }
    const info = {
      operation: 'DROP CONSTRAINT',
      operationParameters: { name: label, expr: expression, existed: 'true' }
    }
    if (await committed(log, snapshot, info, { [CONSTRAINT_PREFIX + label]: null })) return
    conflicts++
    await log.pause(conflicts)
  }
}

/** Rejects constraints among properties that are set: nobody would look at the stored rows. */
export function assertNoConstraint(changes: Readonly<Record<string, string | null>>): void {
  const key = Object.keys(changes).find(one => one.toLowerCase().startsWith(CONSTRAINT_PREFIX))
  if (key === undefined) return
  throw new DeltaError(
    'DELTA_PROPERTY_INVALID',
    `${key} is no property to be set or removed: use addConstraint and dropConstraint`
  )
}

/** Names of constraints are told apart without their case. */
function constraintName(name: string): string {
  if (name.trim() !== '') return name.toLowerCase()
  throw new DeltaError('DELTA_PROPERTY_INVALID', 'A constraint must have a name')
}

/** False after a conflict. */
async function committed(
  log: TableLog,
  snapshot: Snapshot,
  info: { readonly operation: string; readonly operationParameters: Record<string, string> },
  changes: Readonly<Record<string, string | null>>
): Promise<boolean> {
  const before = { protocol: snapshot.protocol, metaData: snapshot.metadata }
  const { protocol, metaData } = withProperties(before, changes, undefined, log.where)
  const raised = protocol === before.protocol ? [] : [{ protocol }]
  const response = await log.commit(snapshot, info, [{ metaData }, ...raised])
  return response.kind === 'committed'
}
