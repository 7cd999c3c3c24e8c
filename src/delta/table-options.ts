/** What the methods of a table are given, and some of what they give. */
import type { AutomaticMaintenance } from './maintenance/automatic.ts'
import type { ReadOptions } from './read.ts'

/** Options of `DeltaTable.open`. */
export interface DeltaOptions {
  /** Directory for copies of remote files and for files on their way to the store. */
  readonly scratch: string
  /** Bytes of copies kept; 1 GiB by default. */
  readonly cacheBytes?: number
  /**
   * Directory on the local disk for indexes of merge keys, which make merges into large tables fast. It
   * is a cache: it may be deleted at any time, and shared by processes. Without it there is no index.
   */
  readonly indexDirectory?: string
  /** Tables with fewer rows are not indexed; 50,000 by default. */
  readonly indexFromRows?: number
  /** Has the table maintained by itself while it is written through this object; not by default. */
  readonly maintenance?: AutomaticMaintenance
}

/** A commit, as it describes itself. Writers say more or less of it. */
export interface HistoryEntry {
  /** The version that it made. */
  readonly version: number
  /** Milliseconds since the epoch, as time travel takes it: in-commit timestamp, or time of the commit file. */
  readonly timestamp: number | undefined
  /** Whether the timestamp is one that the protocol warrants: later than that of the version before. */
  readonly inCommitTimestamp: boolean
  /** Such as `WRITE`, `MERGE` or `OPTIMIZE`. */
  readonly operation: string | undefined
  /** What the operation was asked to do, by the names that the writer gave it; nested values are JSON text. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Numbers as text, by the names that the writer gave them. */
  readonly metrics: Readonly<Record<string, string>>
  /** The version that the writer had read. */
  readonly readVersion: number | undefined
  /** The program that wrote it. */
  readonly engine: string | undefined
  /** True for an append that did not look at the table. */
  readonly isBlindAppend: boolean | undefined
  /** Such as `Serializable`. */
  readonly isolationLevel: string | undefined
  /** The name that the writer gave the commit. */
  readonly txnId: string | undefined
  /** Who wrote it, as far as the writer says. */
  readonly userName: string | undefined
}

/** A version of the past: its number, or a time. */
export interface VersionOrTime {
  /** The newest by default. */
  readonly version?: number
  /** The version that was current then, in milliseconds since the epoch: see `DeltaTable.versionAt`. */
  readonly timestamp?: number
}

/** Options of the reading methods. */
export interface ReadAtOptions<C extends string = string> extends ReadOptions<C>, VersionOrTime {}
