/** What a table is, for people: schema, protocol, size, log, newest commits. */
import {
  type DeltaTable,
  describeType,
  type HistoryEntry,
  type Snapshot
} from '../../delta/index.ts'
import type { ObjectStore } from '../../ports/index.ts'

export interface TableDescription {
  readonly location: string
  readonly id: string
  readonly name: string | undefined
  readonly description: string | undefined
  /** Milliseconds since the epoch. */
  readonly createdAt: number | undefined
  readonly version: number
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly nullable: boolean
    readonly comment?: string
  }[]
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly protocol: {
    readonly reader: number
    readonly writer: number
    readonly readerFeatures: readonly string[]
    readonly writerFeatures: readonly string[]
  }
  readonly files: number
  readonly bytes: number
  readonly rows: number
  /** Files with a deletion vector, and the rows that these mark. */
  readonly deletionVectors: { readonly files: number; readonly rows: number }
  readonly log: {
    /** The first version whose commit is still there. */
    readonly oldestVersion: number | undefined
    readonly commits: number
    /** Versions with a checkpoint, the newest first. */
    readonly checkpoints: readonly number[]
  }
  /** The newest `txn` version of each application. */
  readonly transactions: Readonly<Record<string, number>>
  /** Names of the metadata domains. */
  readonly domains: readonly string[]
  /** The newest commits first. */
  readonly history: readonly HistoryEntry[]
}

const SHOWN_COMMITS = 10

/** `path`: of the table below the root of the store. */
export async function describeTable(
  table: DeltaTable,
  store: ObjectStore,
  path: string
): Promise<TableDescription> {
  const snapshot = await table.snapshot()
  const { metadata, protocol } = snapshot
  const files = [...snapshot.files.values()]
  const marked = files.filter(file => file.deletionVector != null)
  return {
    location: table.location,
    id: metadata.id,
    // Checkpoints have null where a field is absent.
    name: metadata.name ?? undefined,
    description: metadata.description ?? undefined,
    createdAt: metadata.createdTime ?? undefined,
    version: snapshot.version,
    columns: describedColumns(snapshot),
    partitionBy: metadata.partitionColumns,
    properties: metadata.configuration,
    protocol: {
      reader: protocol.minReaderVersion,
      writer: protocol.minWriterVersion,
      readerFeatures: protocol.readerFeatures ?? [],
      writerFeatures: protocol.writerFeatures ?? []
    },
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    rows: await table.countRows(),
    deletionVectors: {
      files: marked.length,
      rows: marked.reduce((sum, file) => sum + (file.deletionVector?.cardinality ?? 0), 0)
    },
    log: await describeLog(store, path),
    transactions: Object.fromEntries(snapshot.transactions),
    domains: [...snapshot.domains.keys()],
    history: await table.history(SHOWN_COMMITS)
  }
}

/** The columns of a version. */
export function describedColumns(snapshot: Snapshot): TableDescription['columns'] {
  return snapshot.fields.map(({ name, type, nullable, metadata: { comment } }) => ({
    name,
    type: describeType(type),
    nullable,
    ...(typeof comment === 'string' ? { comment } : {})
  }))
}

async function describeLog(store: ObjectStore, path: string): Promise<TableDescription['log']> {
  const commits: number[] = []
  const checkpoints = new Set<number>()
  const folder = path === '' ? '_delta_log/' : `${path}/_delta_log/`
  for await (const { path: object } of store.list(folder)) {
    const name = /^(\d{20})\.(?:(json)|checkpoint\..*)$/.exec(object.slice(folder.length))
    if (name === null) continue
    if (name[2] === 'json') commits.push(Number(name[1]))
    else checkpoints.add(Number(name[1]))
  }
  return {
    oldestVersion: commits[0],
    commits: commits.length,
    checkpoints: [...checkpoints].sort((a, b) => b - a)
  }
}
