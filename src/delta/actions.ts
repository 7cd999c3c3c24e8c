/**
 * Actions of the Delta transaction log in their wire spelling (PROTOCOL.md "Actions"). A commit file
 * holds one action a line; the same actions are the rows of a checkpoint. Fields that this engine does
 * not know are kept as they are.
 */
import { DeltaError, isJsonObject, parseJson, stringifyJson } from '../core/index.ts'

export interface ProtocolAction {
  readonly minReaderVersion: number
  readonly minWriterVersion: number
  readonly readerFeatures?: readonly string[]
  readonly writerFeatures?: readonly string[]
}

export interface MetadataAction {
  readonly id: string
  readonly name?: string
  readonly description?: string
  readonly format: {
    readonly provider: string
    readonly options?: Readonly<Record<string, string>>
  }
  /** Schema as JSON text (schema.ts); absent in some old logs, which means no columns. */
  readonly schemaString: string
  readonly partitionColumns: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  readonly createdTime?: number
}

/**
 * Where the deleted rows of a file stand (PROTOCOL.md "Deletion Vectors"). `u`: a file of the table named
 * by an encoded UUID; `i`: inline; `p`: an absolute path.
 */
export interface DeletionVectorDescriptor {
  readonly storageType: 'u' | 'i' | 'p'
  readonly pathOrInlineDv: string
  readonly offset?: number | null
  readonly sizeInBytes: number
  readonly cardinality: number
  readonly maxRowIndex?: number | null
}

export interface AddAction {
  /** Relative to the table, URL-encoded. */
  readonly path: string
  /** By physical column name. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly size: number
  readonly modificationTime: number
  readonly dataChange: boolean
  /** Statistics as JSON text (stats.ts). */
  readonly stats?: string | null
  readonly tags?: Readonly<Record<string, string>> | null
  readonly deletionVector?: DeletionVectorDescriptor | null
  readonly baseRowId?: number | bigint | null
  readonly defaultRowCommitVersion?: number | null
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

export interface DomainMetadataAction {
  readonly domain: string
  readonly configuration: string
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

/** Parses a commit file. Rejects lines that are not JSON objects (`DELTA_LOG_CORRUPT`). */
export function parseCommit(text: string, where: string): Action[] {
  const actions: Action[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    actions.push(parseAction(line, where))
  }
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
  if (!isJsonObject(value as never)) {
    throw new DeltaError('DELTA_LOG_CORRUPT', `${where} holds a line that is not an action`)
  }
  const action = value as Action
  checkShape(action, where)
  return action
}

/** Text of a commit file. */
export function serialiseCommit(actions: readonly Action[]): string {
  return actions.map(action => `${stringifyJson(action)}\n`).join('')
}

function checkShape(action: Action, where: string): void {
  const { add, remove, protocol, metaData } = action
  const bad = (kind: string): DeltaError =>
    new DeltaError('DELTA_LOG_CORRUPT', `${where} holds a malformed ${kind} action`)
  if (add != null && (typeof add.path !== 'string' || !Number.isSafeInteger(add.size))) {
    throw bad('add')
  }
  if (remove != null && typeof remove.path !== 'string') throw bad('remove')
  if (metaData != null && typeof (metaData.schemaString ?? '') !== 'string') throw bad('metaData')
  if (
    protocol != null &&
    !(Number.isInteger(protocol.minReaderVersion) && Number.isInteger(protocol.minWriterVersion))
  ) {
    throw bad('protocol')
  }
}
