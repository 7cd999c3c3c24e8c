/** The columns that change data has beside those of the table (PROTOCOL.md "Change Data Files"). */
import { DeltaError } from '../../core/index.ts'
import type { MetadataAction } from '../actions.ts'
import type { EngineColumn } from '../parquet-engine.ts'
import type { SchemaField } from '../schema.ts'
import { booleanProperty } from '../table-properties.ts'

/** What happened to the row of a change. */
export type ChangeType = 'insert' | 'update_preimage' | 'update_postimage' | 'delete'

export const CHANGE_TYPE = '_change_type'
export const COMMIT_VERSION = '_commit_version'
export const COMMIT_TIMESTAMP = '_commit_timestamp'

const RESERVED = [CHANGE_TYPE, COMMIT_VERSION, COMMIT_TIMESTAMP]

/** Stored in files of changes. */
export const STORED_CHANGE_TYPE = columnOf(CHANGE_TYPE, 'string', false)
/** Of files whose rows all changed in the same way. */
export const CONSTANT_CHANGE_TYPE = columnOf(CHANGE_TYPE, 'string', true)
/** Known of each commit. */
export const COMMIT_COLUMNS: readonly EngineColumn[] = [
  columnOf(COMMIT_VERSION, 'long', true),
  columnOf(COMMIT_TIMESTAMP, 'timestamp', true)
]

/** Whether writers must record what they change. */
export function recordsChanges(metadata: MetadataAction): boolean {
  return booleanProperty(metadata, 'delta.enableChangeDataFeed', false)
}

/** Rejects columns that would be taken for those of the feed (`DELTA_SCHEMA_MISMATCH`). */
export function assertNoChangeColumns(
  metadata: MetadataAction,
  fields: readonly SchemaField[],
  where: string
): void {
  if (!recordsChanges(metadata)) return
  const field = fields.find(({ name }) => RESERVED.includes(name.toLowerCase()))
  if (field === undefined) return
  throw new DeltaError(
    'DELTA_SCHEMA_MISMATCH',
    `${where} has the column ${field.name}, a name that belongs to the change data feed ` +
      '(delta.enableChangeDataFeed): rename the column, or leave the feed off'
  )
}

function columnOf(name: string, type: string, partition: boolean): EngineColumn {
  return { name, physicalName: name, type, partition }
}
