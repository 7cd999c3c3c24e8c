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

/** A commit, as it describes itself. */
export interface HistoryEntry {
  /** The version that it made. */
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number | undefined
  /** Such as `WRITE`, `MERGE` or `OPTIMIZE`. */
  readonly operation: string | undefined
  /** Numbers as text, by the names that the writer gave them. */
  readonly metrics: Readonly<Record<string, string>>
}

/** Options of the reading methods. */
export interface ReadAtOptions<C extends string = string> extends ReadOptions<C> {
  /** The version to read; the newest by default. */
  readonly version?: number
}
