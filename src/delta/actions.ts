/**
 * Actions of the Delta transaction log in their wire spelling (PROTOCOL.md "Actions"). A commit file
 * holds one action a line; the same actions are the rows of a checkpoint. Fields that this engine does
 * not know are kept as they are.
 */
import { DeltaError, parseJson, stringifyJson } from '../core/index.ts'
import { shapeProblem } from './log/action-shapes.ts'

/** What a reader and a writer of the table must support. */
export interface ProtocolAction {
  /** From 1 to 3. */
  readonly minReaderVersion: number
  /** From 1 to 7. */
  readonly minWriterVersion: number
  /** Features by name, from reader version 3. */
  readonly readerFeatures?: readonly string[]
  /** Features by name, from writer version 7. */
  readonly writerFeatures?: readonly string[]
}

/** What the table is: schema, partition columns, properties. */
export interface MetadataAction {
  /** A UUID that stays the same for ever. */
  readonly id: string
  /** For people and catalogs. */
  readonly name?: string
  /** For people and catalogs. */
  readonly description?: string
  /** Always Parquet. */
  readonly format: {
    readonly provider: string
    readonly options?: Readonly<Record<string, string>>
  }
  /** Schema as JSON text (schema.ts); absent in some old logs, which means no columns. */
  readonly schemaString: string
  /** By name, in order. */
  readonly partitionColumns: readonly string[]
  /** The properties of the table. */
  readonly configuration: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly createdTime?: number
}

/**
 * Where the deleted rows of a file stand (PROTOCOL.md "Deletion Vectors"). `u`: a file of the table named
 * by an encoded UUID; `i`: inline; `p`: an absolute path.
 */
export interface DeletionVectorDescriptor {
  /** Where the vector is. */
  readonly storageType: 'u' | 'i' | 'p'
  /** The vector itself, or what names its file. */
  readonly pathOrInlineDv: string
  /** Where it begins in its file. */
  readonly offset?: number | null
  /** Before it is encoded. */
  readonly sizeInBytes: number
  /** The number of deleted rows. */
  readonly cardinality: number
  /** The greatest position, where the writer says it. */
  readonly maxRowIndex?: number | null
}

/** A data file of the table. */
export interface AddAction {
  /** Relative to the table, URL-encoded. */
  readonly path: string
  /** By physical column name. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly modificationTime: number
  /** False where its rows were in the table before. */
  readonly dataChange: boolean
  /** Statistics as JSON text (stats.ts). */
  readonly stats?: string | null
  /** Of the writer. */
  readonly tags?: Readonly<Record<string, string>> | null
  /** Its rows that are deleted. */
  readonly deletionVector?: DeletionVectorDescriptor | null
  /** The first of its row ids, where rows are tracked. */
  readonly baseRowId?: number | bigint | null
  /** The version of its rows, where rows are tracked. */
  readonly defaultRowCommitVersion?: number | null
  /** Who clustered it. */
  readonly clusteringProvider?: string | null
}

export interface RemoveAction {
  readonly path: string
  readonly deletionTimestamp?: number
  readonly dataChange: boolean
  readonly extendedFileMetadata?: boolean
  readonly partitionValues?: Readonly<Record<string, string | null>>
  readonly size?: number
  readonly stats?: string | null
  readonly tags?: Readonly<Record<string, string>> | null
  readonly deletionVector?: DeletionVectorDescriptor | null
  readonly baseRowId?: number | bigint | null
  readonly defaultRowCommitVersion?: number | null
}

/** A file of the change data feed (PROTOCOL.md "Add CDC File"). */
export interface CdcAction {
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly dataChange: false
  readonly tags?: Readonly<Record<string, string>> | null
}

/** What a feature or an application keeps in the log (PROTOCOL.md "Domain Metadata"). */
export interface DomainMetadataAction {
  /** Whose it is; those of Delta begin with `delta.`. */
  readonly domain: string
  /** Text that only its owner reads. */
  readonly configuration: string
  /** Whether the domain is gone. */
  readonly removed: boolean
}

/** Only in checkpoints of version 2. */
export interface CheckpointMetadataAction {
  readonly version: number
  readonly tags?: Readonly<Record<string, string>> | null
}

/** Only in checkpoints of version 2: a file that holds their `add` and `remove` actions. */
export interface SidecarAction {
  readonly path: string
  readonly sizeInBytes: number
  readonly modificationTime: number
  readonly tags?: Readonly<Record<string, string>> | null
}

export interface TxnAction {
  readonly appId: string
  readonly version: number
  readonly lastUpdated?: number
}

export interface CommitInfoAction {
  readonly timestamp?: number
  readonly operation?: string
  readonly operationParameters?: Readonly<Record<string, unknown>>
  readonly operationMetrics?: Readonly<Record<string, string>>
  readonly txnId?: string
  /** Milliseconds since the epoch (PROTOCOL.md "In-Commit Timestamps"). */
  readonly inCommitTimestamp?: number
  readonly isBlindAppend?: boolean
  readonly [field: string]: unknown
}

/** Exactly one field is set in what we write; unknown kinds of action are passed over when read. */
export interface Action {
  readonly protocol?: ProtocolAction
  readonly metaData?: MetadataAction
  readonly add?: AddAction
  readonly remove?: RemoveAction
  readonly txn?: TxnAction
  readonly cdc?: CdcAction
  readonly commitInfo?: CommitInfoAction
  readonly domainMetadata?: DomainMetadataAction
  readonly checkpointMetadata?: CheckpointMetadataAction
  readonly sidecar?: SidecarAction
}

/** Parses a commit file. Rejects lines that are no actions, and files without any (`DELTA_LOG_CORRUPT`). */
export function parseCommit(text: string, where: string): Action[] {
  const actions: Action[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    actions.push(parseAction(line, where))
  }
  // Writers say at least that they wrote: an empty file is what a crash leaves of one.
  if (actions.length === 0) throw new DeltaError('DELTA_LOG_CORRUPT', `${where} is empty`)
  return actions
}

export function parseAction(line: string, where: string): Action {
  let value: unknown
  try {
    value = parseJson(line)
  } catch (error) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${where} holds a line that is not JSON`, {
      cause: error
    })
  }
  return checkedAction(value, where)
}

/** Rows of a checkpoint as actions. Rejects with `DELTA_LOG_CORRUPT` when they are none. */
export function assertActions(rows: readonly unknown[], where: string): readonly Action[] {
  for (const row of rows) checkedAction(row, where)
  return rows as readonly Action[]
}

function checkedAction(value: unknown, where: string): Action {
  const problem = shapeProblem(value)
  if (problem === undefined) return value as Action
  throw new DeltaError('DELTA_LOG_CORRUPT', `${where} holds ${problem}`)
}

/** Text of a commit file. */
export function serialiseCommit(actions: readonly Action[]): string {
  return actions.map(action => `${stringifyJson(action)}\n`).join('')
}
