/**
 * Files by path below one root: local directory, memory, OneLake/ADLS. Used for media and, by the
 * Delta engine, for tables. Paths are relative, `/`-separated, and never leave the root
 * (`STORAGE_INVALID_PATH`).
 */
export interface ObjectInfo {
  /** Below the root. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** `exists` only where a put was asked to store if absent. */
export type PutResult = 'stored' | 'exists'

/** A place for objects with an atomic put-if-absent. Every method may be called at any time, many at once. */
export interface ObjectStore {
  /** For messages to people: a directory or `abfss://…`; never with credentials. */
  readonly root: string
  /**
   * Stores the bytes atomically and durably: readers see the old object, or all of the new one.
   * With `ifAbsent` exactly one of any number of concurrent callers gets `'stored'`, the others
   * `'exists'` (the Delta commit). Rejects with `STORAGE_UNAVAILABLE`.
   */
  put(path: string, bytes: Uint8Array, options?: { ifAbsent?: boolean }): Promise<PutResult>
  /** Stores a local file under the path (streamed), replacing what is there. Returns its size. */
  putFile(path: string, localFile: string, signal?: AbortSignal): Promise<number>
  /** Rejects with `STORAGE_NOT_FOUND`. */
  get(path: string, range?: { start: number; end: number }): Promise<Uint8Array>
  /** Undefined when absent; rejects when absence cannot be proven. */
  head(path: string): Promise<ObjectInfo | undefined>
  /** Objects whose path starts with `prefix`, in byte order of the path, after `startAfter`. */
  list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo>
  /** Absent objects are no error. */
  delete(path: string): Promise<void>
  /** Where the object lies on a local disk, for engines that open files themselves. */
  localPath?(path: string): string
  /** Waits for work under way. Objects stay. */
  close(): Promise<void>
}
