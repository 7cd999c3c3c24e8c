/** Writes data files of a table and makes their `add` actions. */
import type { CellValue, Row } from '../core/index.ts'
import type { AddAction } from './actions.ts'
import { statisticsOf } from './clustering/columns.ts'
import { vectorPath } from './deletion-vectors/index.ts'
import { withFiles } from './leased-files.ts'
import type { Snapshot } from './log-state.ts'
import type {
  Assignment,
  ChangedRows,
  ClusteredFile,
  ClusterRequest,
  DataFile,
  Positions,
  WriteRequest,
  WrittenFile
} from './parquet-engine.ts'
import { partitionDirectory, partitionFields } from './partition-values.ts'
import { encodePath } from './paths.ts'
import type { PreparedFiles } from './prepared-files.ts'
import { rowIdColumn, trackingColumns } from './row-tracking/index.ts'
import { physicalName, type SchemaField } from './schema.ts'
import { serialiseStats } from './stats.ts'
import { engineColumns, objectPath } from './table-files.ts'
import type { TableLog } from './table-log.ts'
import { type Compression, compressionOf } from './table-properties.ts'

export interface FileContent {
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Files to copy, without the rows at the positions. */
  readonly inputs: readonly { readonly add: AddAction; readonly without: Positions }[]
  readonly rows: readonly Readonly<Record<string, CellValue>>[]
  /** Without `rows`: the rows of the inputs stand in the order of the inputs. */
  readonly inOrder?: boolean
  /** Stored rows that are written with new values. */
  readonly changes?: RowChanges
}

export interface RowChanges {
  /** Files with the positions of the rows, ascending, none of them deleted. */
  readonly inputs: readonly { readonly add: AddAction; readonly positions: Uint32Array | 'all' }[]
  readonly set: readonly Assignment[]
  /** Columns that are computed of the new values, in SQL of the engine. */
  readonly computed?: ReadonlyMap<string, string>
}

/** The file's action, or undefined when it would hold no row (and is then not kept). */
export async function writeFile(
  log: TableLog,
  snapshot: Snapshot,
  content: FileContent
): Promise<AddAction | undefined> {
  const { inputs, partitionValues, rows, changes, inOrder = false } = content
  const adds = inputs.map(input => input.add)
  return await withFiles(log, adds, async files => {
    const copies = inputs.flatMap(({ without }, index) => {
      const file = files[index]
      return file === undefined ? [] : [{ file, without }]
    })
    const write = (changed?: ChangedRows) => {
      const made = (target: NewFile): Promise<WrittenFile> => {
        const request = { ...target, copies, rows: rows as readonly Row[], inOrder }
        return log.ports.engine.write({ ...request, ...(changed && { changes: changed }) })
      }
      return storeFile(log, snapshot, partitionValues, made, isTracked(snapshot, content))
    }
    return changes === undefined ? await write() : await withChanges(log, snapshot, changes, write)
  })
}

/** Runs `use` while the files of the changed rows are at hand. */
export async function withChanges<T>(
  log: TableLog,
  snapshot: Snapshot,
  { inputs, set, computed }: RowChanges,
  use: (changes: ChangedRows) => Promise<T>
): Promise<T> {
  // A changed row keeps its id, and has been written in the version to come.
  const hidden = trackingColumns(snapshot)
  const written = hidden.filter(column => column.generated === 'commitVersion')
  const unknown = written.map(({ name }) => ({ column: name, to: { value: null } }))
  const schema = [...engineColumns(snapshot), ...hidden]
  const change = { schema, set: [...set, ...unknown], ...(computed && { computed }) }
  return await withRows(log, inputs, files => use({ files, ...change }))
}

/** Runs `use` while files are at hand of which only some rows are read. */
export async function withRows<T>(
  log: TableLog,
  inputs: RowChanges['inputs'],
  use: (files: DataFile[]) => Promise<T>
): Promise<T> {
  const adds = inputs.map(({ add, positions }) => {
    // The positions say what is deleted.
    return positions === 'all' ? add : { ...add, deletionVector: null }
  })
  return await withFiles(log, adds, files => {
    const chosen = files.map((file, index) => {
      const positions = inputs[index]?.positions ?? 'all'
      return positions === 'all' ? file : { ...file, only: positions }
    })
    return use(chosen)
  })
}

/** Whether rows come with ids that they must keep. */
function isTracked(snapshot: Snapshot, { inputs, rows, changes }: FileContent): boolean {
  const column = rowIdColumn(snapshot)
  if (column === undefined) return false
  const stored = inputs.length > 0 || changes !== undefined
  return stored || rows.some(row => row[column.name] !== undefined)
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
  const place = placeOf(log, snapshot, partitionValues)
  const name = `${place.name}-c000${place.suffix}.parquet`
  const path = place.pathOf(name)
  const { compression } = place
  const columns = tracked ? place.columns : place.untracked
  const written = await log.data.store(path, target => write({ target, columns, compression }))
  if (written.numRecords === 0) {
    await log.ports.store.delete(path)
    return undefined
  }
  return addOf(log, snapshot, partitionValues, place.relative(name), written, [])
}

/** What an engine call that writes several data files is told of them. */
export type NewFiles = Pick<ClusterRequest, 'directory' | 'namePattern' | 'columns' | 'compression'>

/** Has `write` make any number of data files of one partition. `statistics`: columns that get them in any case. */
export async function storeFiles(
  log: TableLog,
  snapshot: Snapshot,
  content: Pick<FileContent, 'partitionValues'> & { readonly statistics: readonly SchemaField[] },
  write: (files: NewFiles) => Promise<readonly ClusteredFile[]>
): Promise<AddAction[]> {
  const { partitionValues, statistics } = content
  const place = placeOf(log, snapshot, partitionValues)
  const { columns, compression } = place
  const namePattern = `${place.name}-c{i}${place.suffix}`
  const written = await log.data.storeAll(place.directory, directory =>
    write({ directory, namePattern, columns, compression })
  )
  return written.map(file =>
    addOf(log, snapshot, partitionValues, place.relative(file.name), file, statistics)
  )
}

/** Where new files of a partition go. */
function placeOf(
  log: TableLog,
  snapshot: Snapshot,
  partitionValues: Readonly<Record<string, string | null>>
) {
  const folder = partitionDirectory(partitionFields(snapshot).map(physicalName), partitionValues)
  const below = (directory: string, name: string): string =>
    directory === '' ? name : name === '' ? directory : `${directory}/${name}`
  const compression = compressionOf(snapshot.metadata)
  const untracked = engineColumns(snapshot).filter(column => !column.partition)
  return {
    /** Without the number of the file, its codec and extension. */
    name: `part-00000-${log.ports.ids.uuid()}`,
    suffix: FILE_SUFFIXES[compression],
    compression,
    columns: [...untracked, ...trackingColumns(snapshot)],
    untracked,
    directory: below(log.path, folder),
    pathOf: (name: string): string => below(below(log.path, folder), name),
    /** To the table. */
    relative: (name: string): string => below(folder, name)
  }
}

function addOf(
  log: TableLog,
  snapshot: Snapshot,
  partitionValues: Readonly<Record<string, string | null>>,
  path: string,
  written: WrittenFile,
  statistics: readonly SchemaField[]
): AddAction {
  const { partitionColumns } = snapshot.metadata
  const fields = snapshot.fields.filter(field => !partitionColumns.includes(field.name))
  return {
    path: encodePath(path),
    partitionValues,
    size: written.size,
    modificationTime: log.ports.clock.now(),
    dataChange: true,
    stats: serialiseStats(written, fields, statisticsOf(snapshot, statistics))
  }
}

/**
 * Deletes the files that were written and that no action refers to; what cannot be deleted is left to a
 * vacuum. `sizes` by path in the store. Resolves to their bytes.
 */
export async function deleteOrphans(
  log: TableLog,
  sizes: ReadonlyMap<string, number>,
  { written, marked, changes }: PreparedFiles
): Promise<number> {
  const used = new Set<string>()
  const committed: Pick<AddAction, 'path' | 'deletionVector'>[] = [
    ...written.flatMap(file => file.add ?? []),
    ...marked.map(mark => mark.after),
    ...changes
  ]
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
