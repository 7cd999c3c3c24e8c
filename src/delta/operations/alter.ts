/** Changes of a table's definition: each is one commit without data, made anew after a conflict. */
import { isDeepStrictEqual } from 'node:util'
import { DeltaError } from '../../core/index.ts'
import type { Action, CommitInfoAction, MetadataAction, ProtocolAction } from '../actions.ts'
import { assertNoChangeColumns } from '../change-data/index.ts'
import { assertNames, withFields } from '../column-mapping.ts'
import { assertDefinable, type ColumnSpec, fieldOf } from '../column-spec.ts'
import { withProperties } from '../definition.ts'
import type { Snapshot } from '../log-state.ts'
import { mappingMode } from '../protocol/features.ts'
import { protocolWith, usedFeatures } from '../protocol/versions.ts'
import { assertNoRules } from '../row-rules/index.ts'
import { filesWithoutIds, withRowTracking } from '../row-tracking/index.ts'
import type { SchemaField } from '../schema.ts'
import { evolvedFields } from '../schema-evolution.ts'
import type { TableLog } from '../table-log.ts'
import {
  type ColumnPath,
  changedAt,
  fieldAt,
  pathText,
  withoutStatistics,
  withStatisticsRenamed
} from './column-paths.ts'
import { assertUnused } from './column-uses.ts'
import { assertNoConstraint } from './constraints.ts'

interface Alteration {
  readonly info: CommitInfoAction
  readonly metaData: MetadataAction
  /** Where it is raised. */
  readonly protocol?: ProtocolAction
  /** Files that are committed again. */
  readonly files?: readonly Action[]
}

/**
 * Adds the nullable columns and fields of structs that are missing, and raises the protocol where their types need it; rejects
 * other differences (`DELTA_SCHEMA_MISMATCH`).
 */
export async function addColumns(log: TableLog, columns: readonly ColumnSpec[]): Promise<void> {
  await alter(log, snapshot => {
    const wanted = columns.map(fieldOf)
    const { fields, added, newFields } = evolvedFields(snapshot.fields, wanted, log.where)
    if (added.length === 0) return undefined
    assertNoRules(newFields, log.where)
    assertNames(snapshot.metadata, newFields, log.where)
    const metaData = changedFields(log, snapshot, fields)
    const used = usedFeatures({ metadata: metaData, fields })
    const protocol = protocolWith(snapshot.protocol, used)
    return {
      info: {
        operation: 'ADD COLUMNS',
        operationParameters: { columns: JSON.stringify(added.map(path => path.join('.'))) }
      },
      metaData,
      ...(protocol === snapshot.protocol ? {} : { protocol })
    }
  })
}

/** Sets properties, or removes those whose value is null. */
export async function setProperties(
  log: TableLog,
  changes: Readonly<Record<string, string | null>>
): Promise<void> {
  assertNoConstraint(changes)
  await alter(log, snapshot => {
    const before = { protocol: snapshot.protocol, metaData: snapshot.metadata }
    const after = withProperties(before, changes, undefined, log.where)
    const newId = (): string => log.ports.ids.uuid()
    const metaData = withRowTracking(after.metaData, newId, log.where)
    const raised = after.protocol !== before.protocol
    const same = isDeepStrictEqual(metaData.configuration, before.metaData.configuration)
    if (same && !raised) return undefined
    return {
      info: {
        operation: 'SET TBLPROPERTIES',
        operationParameters: { properties: JSON.stringify(changes) }
      },
      metaData,
      ...(raised ? { protocol: after.protocol } : {}),
      files: filesWithoutIds(snapshot, metaData)
    }
  })
}

/** Another name for a column or a field of a struct, which its files know nothing of. */
export async function renameColumn(log: TableLog, path: ColumnPath, to: string): Promise<void> {
  await alter(log, snapshot => {
    const { metadata, fields } = snapshot
    assertMapped(snapshot, 'renamed', log.where)
    const field = fieldAt(fields, path, log.where)
    if (field.name === to) return undefined
    assertUnused(snapshot, path, log.where)
    const renamed = changedAt(fields, path, siblings =>
      siblings.map(one => (one === field ? { ...one, name: to } : one))
    )
    const partitionColumns = metadata.partitionColumns.map(name =>
      path.length === 1 && name === field.name ? to : name
    )
    const changed = changedFields(log, snapshot, renamed, partitionColumns)
    return {
      info: {
        operation: 'RENAME COLUMN',
        operationParameters: {
          oldColumnPath: pathText(path),
          newColumnPath: pathText([...path.slice(0, -1), to])
        }
      },
      metaData: withStatisticsRenamed(changed, path, to)
    }
  })
}

/** Takes a column or a field of a struct out of the schema; its values stay in the files. */
export async function dropColumn(log: TableLog, path: ColumnPath): Promise<void> {
  await alter(log, snapshot => {
    assertMapped(snapshot, 'dropped', log.where)
    const { metadata, fields } = snapshot
    const field = fieldAt(fields, path, log.where)
    assertUnused(snapshot, path, log.where)
    const [name = ''] = path
    if (path.length === 1 && metadata.partitionColumns.includes(name)) {
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `${log.where} is partitioned by the column ${name}, which cannot be dropped`
      )
    }
    const left = changedAt(fields, path, siblings => {
      const others = siblings.filter(one => one !== field)
      if (others.length > 0) return others
      throw new DeltaError(
        'DELTA_SCHEMA_INVALID',
        `${log.where}: ${pathText(path)} is the only column of its table or struct, and cannot be dropped`
      )
    })
    return {
      info: {
        operation: 'DROP COLUMNS',
        operationParameters: { columns: JSON.stringify([pathText(path)]) }
      },
      metaData: withoutStatistics(changedFields(log, snapshot, left), path)
    }
  })
}

function changedFields(
  log: TableLog,
  { metadata }: Snapshot,
  fields: readonly SchemaField[],
  partitionColumns: readonly string[] = metadata.partitionColumns
): MetadataAction {
  assertDefinable(fields, partitionColumns, log.where)
  assertNoChangeColumns(metadata, fields, log.where)
  const newName = (): string => `col-${log.ports.ids.uuid()}`
  return { ...withFields(metadata, fields, newName), partitionColumns }
}

function assertMapped({ metadata }: Snapshot, verb: string, where: string): void {
  if (mappingMode(metadata) !== 'none') return
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `Columns of ${where} cannot be ${verb}, since its files have them by their names: set delta.columnMapping.mode to name first`
  )
}

/** Commits what becomes of the newest version; nothing when `change` says so. */
async function alter(
  log: TableLog,
  change: (snapshot: Snapshot) => Alteration | undefined
): Promise<void> {
  for (let conflicts = 0; ; ) {
    const snapshot = await log.refresh()
    const altered = change(snapshot)
    if (altered === undefined) return
    log.assertWritable(snapshot)
    const { info, metaData, protocol, files = [] } = altered
    const response = await log.commit(snapshot, info, [
      { metaData },
      ...(protocol === undefined ? [] : [{ protocol }]),
      ...files
    ])
    if (response.kind === 'committed') return
    conflicts++
    await log.pause(conflicts)
  }
}
