/**
 * Replay of the log (PROTOCOL.md "Action Reconciliation"): the newest protocol and metadata, the active
 * files, the tombstones, the newest `txn` of each application, the domain metadata.
 */
import { DeltaError } from '../core/index.ts'
import type {
  Action,
  AddAction,
  DomainMetadataAction,
  MetadataAction,
  ProtocolAction,
  RemoveAction,
  TxnAction
} from './actions.ts'
import { hasInCommitTimestamps } from './log/in-commit-timestamps.ts'
import { VersionedMap } from './log/versioned-map.ts'
import { canonicalPath } from './paths.ts'
import { assertReadable } from './protocol.ts'
import { parseSchema, type SchemaField } from './schema.ts'

/** One version of a table; never changes. */
export interface Snapshot {
  /** Its number. */
  readonly version: number
  /** Milliseconds since the epoch: the in-commit timestamp where the table has them, else as the commit says. */
  readonly timestamp: number
  /** What a reader and a writer must support. */
  readonly protocol: ProtocolAction
  /** Id, name, partition columns and properties (`configuration`). */
  readonly metadata: MetadataAction
  /** The columns. */
  readonly fields: readonly SchemaField[]
  /** Active files by `fileKey`: a file with another deletion vector is another logical file. */
  readonly files: ReadonlyMap<string, AddAction>
  /** The newest `txn` version of each application. */
  readonly transactions: ReadonlyMap<string, number>
  /** Domain metadata that is not removed, by domain. */
  readonly domains: ReadonlyMap<string, DomainMetadataAction>
}

const NO_COLUMNS = '{"type":"struct","fields":[]}'

/** The state that grows with each commit; the snapshots of its versions share what they have in common. */
export class LogState {
  readonly #where: string
  #version = -1
  #timestamp = 0
  #inCommitTimestamp: number | undefined
  readonly #totals = { bytes: 0, vectors: 0, deletedRows: 0 }
  #protocol: ProtocolAction | undefined
  #metadata: MetadataAction | undefined
  #fields: readonly SchemaField[] = []
  readonly #files = new VersionedMap<string, AddAction>()
  readonly #tombstones = new VersionedMap<string, RemoveAction>()
  readonly #transactions = new VersionedMap<string, number>()
  /** When the transactions were committed, where that is known. */
  readonly #updates = new VersionedMap<string, number>()
  readonly #domains = new VersionedMap<string, DomainMetadataAction>()
  #snapshot: Snapshot | undefined
  /** Whether protocol and metadata are known to be readable. */
  #readable = false

  /** The newest version that is known to have a checkpoint; -1 for none. */
  checkpointed = -1

  constructor(where: string) {
    this.#where = where
  }

  get version(): number {
    return this.#version
  }

  /** Begins with all actions of a checkpoint. */
  applyCheckpoint(version: number, actions: readonly Action[]): void {
    this.apply(version, actions)
    this.checkpointed = version
  }

  /** Applies the actions of a commit, or of several in one (PROTOCOL.md "Log Compaction Files"). */
  apply(version: number, actions: readonly Action[]): void {
    this.#snapshot = undefined
    this.#inCommitTimestamp = undefined
    for (const action of actions) this.#applyOne(action)
    this.#version = version
  }

  /** The state as a snapshot. Rejects when the log lacks protocol or metadata, or is not readable. */
  snapshot(): Snapshot {
    if (this.#snapshot !== undefined) return this.#snapshot
    const { protocol, metadata } = this.#required()
    if (!this.#readable) assertReadable({ protocol, metadata, fields: this.#fields }, this.#where)
    this.#readable = true
    this.#snapshot = {
      version: this.#version,
      timestamp: hasInCommitTimestamps(metadata)
        ? (this.#inCommitTimestamp ?? this.#timestamp)
        : this.#timestamp,
      protocol,
      metadata,
      fields: this.#fields,
      files: this.#files.version(),
      transactions: this.#transactions.version(),
      domains: this.#domains.version()
    }
    return this.#snapshot
  }

  /** That of the newest commit, where it has one (PROTOCOL.md "In-Commit Timestamps"). */
  get inCommitTimestamp(): number | undefined {
    return this.#inCommitTimestamp
  }

  /** Of the active files: bytes, deletion vectors, and rows that these delete. */
  get totals(): { readonly bytes: number; readonly vectors: number; readonly deletedRows: number } {
    return this.#totals
  }

  /** The transactions as actions. */
  transactionActions(): TxnAction[] {
    return [...this.#transactions.version()].map(([appId, version]) => {
      const lastUpdated = this.#updates.get(appId)
      return lastUpdated === undefined ? { appId, version } : { appId, version, lastUpdated }
    })
  }

  /** Files that were removed, as far as checkpoints still list them. */
  tombstones(): readonly RemoveAction[] {
    return [...this.#tombstones.version().values()]
  }

  /** What a checkpoint of this version holds; tombstones older than `keepSince` are dropped. */
  checkpointActions(keepSince: number): Action[] {
    const { protocol, metadata } = this.#required()
    const actions: Action[] = [{ protocol }, { metaData: metadata }]
    for (const txn of this.transactionActions()) actions.push({ txn })
    for (const domainMetadata of this.#domains.version().values()) actions.push({ domainMetadata })
    for (const add of this.#files.version().values()) {
      actions.push({ add: { ...add, dataChange: false } })
    }
    for (const remove of this.#tombstones.version().values()) {
      if ((remove.deletionTimestamp ?? 0) < keepSince) continue
      actions.push({ remove: { ...remove, dataChange: false } })
    }
    return actions
  }

  #required(): { protocol: ProtocolAction; metadata: MetadataAction } {
    const protocol = this.#protocol
    const metadata = this.#metadata
    if (protocol !== undefined && metadata !== undefined) return { protocol, metadata }
    const missing = protocol === undefined ? 'protocol' : 'metaData'
    throw new DeltaError('DELTA_LOG_CORRUPT', `The log of ${this.#where} has no ${missing} action`)
  }

  #applyOne(action: Action): void {
    const { add, remove, protocol, metaData, txn, commitInfo, domainMetadata } = action
    if (add != null) this.#add(add)
    else if (remove != null) {
      const key = fileKey(remove)
      this.#count(this.#files.get(key), -1)
      this.#files.delete(key)
      this.#tombstones.set(key, remove)
    } else if (protocol != null) {
      this.#protocol = protocol
      this.#readable = false
    } else if (metaData != null) this.#setMetadata(metaData)
    else if (txn != null) {
      this.#transactions.set(txn.appId, txn.version)
      if (txn.lastUpdated == null) this.#updates.delete(txn.appId)
      else this.#updates.set(txn.appId, txn.lastUpdated)
    } else if (commitInfo != null) {
      const { timestamp, inCommitTimestamp } = commitInfo
      if (Number.isSafeInteger(timestamp)) this.#timestamp = Number(timestamp)
      if (Number.isSafeInteger(inCommitTimestamp)) this.#inCommitTimestamp = inCommitTimestamp
    } else if (domainMetadata != null) this.#setDomain(domainMetadata)
  }

  #add(add: AddAction): void {
    const key = fileKey(add)
    this.#tombstones.delete(key)
    this.#count(this.#files.get(key), -1)
    this.#count(add, 1)
    this.#files.set(key, add)
  }

  #count(add: AddAction | undefined, sign: 1 | -1): void {
    if (add === undefined) return
    this.#totals.bytes += sign * add.size
    if (add.deletionVector == null) return
    this.#totals.vectors += sign
    this.#totals.deletedRows += sign * Number(add.deletionVector.cardinality)
  }

  #setMetadata(metadata: MetadataAction): void {
    const configuration = metadata.configuration ?? {}
    this.#metadata = {
      ...metadata,
      configuration,
      schemaString: metadata.schemaString ?? NO_COLUMNS,
      partitionColumns: metadata.partitionColumns ?? []
    }
    this.#fields = parseSchema(this.#metadata.schemaString, this.#where)
    this.#readable = false
  }

  #setDomain(domain: DomainMetadataAction): void {
    if (domain.removed === true) this.#domains.delete(domain.domain)
    else this.#domains.set(domain.domain, domain)
  }
}

/** A file with another deletion vector is another logical file (PROTOCOL.md "Add File and Remove File"). */
export function fileKey(file: AddAction | RemoveAction): string {
  const path = canonicalPath(file.path)
  const vector = file.deletionVector
  if (vector == null) return path
  return `${path}\n${vector.storageType}${vector.pathOrInlineDv}@${vector.offset ?? ''}`
}
