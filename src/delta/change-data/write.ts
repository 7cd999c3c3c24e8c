/**
 * Files of changes, for commits that change or delete stored rows (PROTOCOL.md "Change Data Files"). A
 * commit that has any such file must have all of its changes in such files; one that only adds rows, or
 * only removes whole files, needs none:
 *
 *   if (recordsChanges(snapshot.metadata)) {
 *     const cdc = await writeChanges(log, snapshot, {
 *       partitionValues: add.partitionValues,
 *       copies: [{ add, positions, type: 'delete' }],   // stored rows, whatever their types
 *       rows: [{ ...values, _change_type: 'insert' }]   // rows from JavaScript
 *     })
 *     actions.push({ cdc })
 *   }
 */
import type { CellValue, Row } from '../../core/index.ts'
import type { AddAction, CdcAction } from '../actions.ts'
import { type RowChanges, withChanges, withRows } from '../file-writer.ts'
import type { Snapshot } from '../log-state.ts'
import type { ChangedRows, DataFile, WrittenFile } from '../parquet-engine.ts'
import { partitionDirectory, partitionFields } from '../partition-values.ts'
import { encodePath } from '../paths.ts'
import { physicalName } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { compressionOf } from '../table-properties.ts'
import { CHANGE_TYPE, type ChangeType, CONSTANT_CHANGE_TYPE } from './columns.ts'

export const CHANGE_DIRECTORY = '_change_data'

export interface StoredChanges {
  readonly add: AddAction
  /** Of the rows, ascending; or all that are not deleted. */
  readonly positions: Uint32Array | 'all'
  readonly type: ChangeType
}

/** A row of the table with what became of it. */
export type ChangedRow = Readonly<Record<string, CellValue>> & {
  readonly [CHANGE_TYPE]: ChangeType
}

export interface Changes {
  /** Of all the rows. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly copies: readonly StoredChanges[]
  readonly rows: readonly ChangedRow[]
  /** Stored rows that are updated, as they are afterwards. */
  readonly changed?: RowChanges
}

/** Writes one file, durable when it resolves. */
export async function writeChanges(
  log: TableLog,
  snapshot: Snapshot,
  { partitionValues, copies, rows, changed }: Changes
): Promise<CdcAction> {
  const { metadata } = snapshot
  const compression = compressionOf(metadata)
  const directory = partitionDirectory(partitionFields(snapshot).map(physicalName), partitionValues)
  const name = `cdc-00000-${log.ports.ids.uuid()}.c000.${compression}.parquet`
  // delta-rs does not decode the paths of files of changes, so a directory that needs it is left out.
  const plain = directory !== '' && encodePath(directory) === directory
  const relative = [CHANGE_DIRECTORY, ...(plain ? [directory] : []), name].join('/')
  const stored = log.path === '' ? relative : `${log.path}/${relative}`
  const columns = engineColumns(snapshot).filter(column => !column.partition)
  const write = (copied: readonly DataFile[], updated?: ChangedRows): Promise<WrittenFile> =>
    log.data.store(stored, target =>
      log.ports.engine.write({
        target,
        columns: [...columns, CONSTANT_CHANGE_TYPE],
        copies: copied.map((file, index) => {
          const type = copies[index]?.type ?? 'delete'
          return { file: withType(file, type), without: [] }
        }),
        rows: rows as readonly Row[],
        ...(updated && { changes: postimages(updated) }),
        compression
      })
    )
  const { size } = await withRows(log, copies, files =>
    changed === undefined
      ? write(files)
      : withChanges(log, snapshot, changed, updated => write(files, updated))
  )
  return { path: encodePath(relative), partitionValues, size, dataChange: false }
}

function withType(file: DataFile, type: ChangeType): DataFile {
  return { ...file, partitionValues: { ...file.partitionValues, [CHANGE_TYPE]: type } }
}

function postimages(changed: ChangedRows): ChangedRows {
  return {
    ...changed,
    files: changed.files.map(file => withType(file, 'update_postimage')),
    schema: [...changed.schema, CONSTANT_CHANGE_TYPE]
  }
}
