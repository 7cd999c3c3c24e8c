/** Writes data files of a table and makes their `add` actions. */
import type { CellValue, Row } from '../core/index.ts'
import type { AddAction } from './actions.ts'
import { vectorPath } from './deletion-vectors/index.ts'
import { withFiles } from './leased-files.ts'
import type { Snapshot } from './log-state.ts'
import type { Positions, WriteRequest, WrittenFile } from './parquet-engine.ts'
import { partitionDirectory, partitionFields } from './partition-values.ts'
import { encodePath } from './paths.ts'
import { rowIdColumn, trackingColumns } from './row-tracking/index.ts'
import { physicalName } from './schema.ts'
import { serialiseStats } from './stats.ts'
import { engineColumns, objectPath } from './table-files.ts'
import type { TableLog } from './table-log.ts'
import { type Compression, compressionOf, statisticsColumns } from './table-properties.ts'

export interface FileContent {
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Files to copy, without the rows at the positions. */
  readonly inputs: readonly { readonly add: AddAction; readonly without: Positions }[]
  readonly rows: readonly Readonly<Record<string, CellValue>>[]
  /** Without `rows`: the rows of the inputs stand in the order of the inputs. */
  readonly inOrder?: boolean
}

/** The file's action, or undefined when it would hold no row (and is then not kept). */
export async function writeFile(
  log: TableLog,
  snapshot: Snapshot,
  content: FileContent
): Promise<AddAction | undefined> {
  const adds = content.inputs.map(input => input.add)
  return await withFiles(log, adds, files => {
    const copies = content.inputs.flatMap(({ without }, index) => {
      const file = files[index]
      return file === undefined ? [] : [{ file, without }]
    })
    const { rows, inOrder = false, partitionValues } = content
    const write = (file: NewFile): Promise<WrittenFile> =>
      log.ports.engine.write({ ...file, copies, rows: rows as readonly Row[], inOrder })
    return storeFile(log, snapshot, partitionValues, write, isTracked(snapshot, content))
  })
}

/** Whether rows come with ids that they must keep. */
function isTracked(snapshot: Snapshot, { inputs, rows }: FileContent): boolean {
  const column = rowIdColumn(snapshot)
  if (column === undefined) return false
  return inputs.length > 0 || rows.some(row => row[column.name] !== undefined)
}

/** What a file's name says of its codec; the others say nothing. */
const FILE_SUFFIXES: Readonly<Record<Compression, string>> = {
  snappy: '.snappy',
  zstd: '.zstd',
  gzip: '.gz',
  lz4_raw: '.lz4raw',
  uncompressed: ''
}

/** What every engine call that writes a data file is told of it. */
export type NewFile = Pick<WriteRequest, 'target' | 'columns' | 'compression'>

/**
 * Has `write` make a data file of the partition and stores it. The file's action, or undefined when
 * it would hold no row (and is then not kept). `tracked`: false where all rows are new, and get their ids by
 * the commit.
 */
export async function storeFile(
  log: TableLog,
  snapshot: Snapshot,
  partitionValues: Readonly<Record<string, string | null>>,
  write: (file: NewFile) => Promise<WrittenFile>,
  tracked = true
): Promise<AddAction | undefined> {
  const { metadata } = snapshot
  const directory = partitionDirectory(partitionFields(snapshot).map(physicalName), partitionValues)
  const compression = compressionOf(metadata)
  const name = `part-00000-${log.ports.ids.uuid()}-c000${FILE_SUFFIXES[compression]}.parquet`
  const relative = directory === '' ? name : `${directory}/${name}`
  const stored = log.path === '' ? relative : `${log.path}/${relative}`
  const own = engineColumns(snapshot).filter(column => !column.partition)
  const columns = tracked ? [...own, ...trackingColumns(snapshot)] : own
  const written = await log.data.store(stored, target => write({ target, columns, compression }))
  if (written.numRecords === 0) {
    await log.ports.store.delete(stored)
    return undefined
  }
  const fields = snapshot.fields.filter(field => !metadata.partitionColumns.includes(field.name))
  return {
    path: encodePath(relative),
    partitionValues,
    size: written.size,
    modificationTime: log.ports.clock.now(),
    dataChange: true,
    stats: serialiseStats(written, fields, statisticsColumns(metadata))
  }
}

/**
 * Deletes the files that were written and that no action refers to; what cannot be deleted is left to a
 * vacuum. `sizes` by path in the store. Resolves to their bytes.
 */
export async function deleteOrphans(
  log: TableLog,
  sizes: ReadonlyMap<string, number>,
  committed: readonly Pick<AddAction, 'path' | 'deletionVector'>[]
): Promise<number> {
  const used = new Set<string>()
  for (const add of committed) {
    used.add(objectPath(log.path, add))
    const vector = add.deletionVector == null ? undefined : vectorPath(log.path, add.deletionVector)
    if (vector !== undefined) used.add(vector)
  }
  let wasted = 0
  for (const [path, bytes] of sizes) {
    if (used.has(path)) continue
    wasted += bytes
    await log.ports.store.delete(path).catch(() => undefined)
  }
  return wasted
}
