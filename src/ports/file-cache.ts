/**
 * Files between download and upload, on a disk that downloaders and uploaders share. One directory a
 * media id; dropping a media removes all of it, also what an interrupted download left.
 */
export interface FileCache {
  /** Absolute path for a new file; its directory exists when this resolves. */
  pathFor(projectId: string, mediaId: string, fileName: string): Promise<string>
  /** Path for messages, relative to the cache. */
  relativePath(projectId: string, mediaId: string, fileName: string): string
  /** Absolute path of a path from a message; `STORAGE_INVALID_PATH` when it is not below the cache. */
  resolve(path: string): string
  /** Size in bytes; undefined when the file is not there. */
  sizeOf(path: string): Promise<number | undefined>
  /** Removes all files of the media; absent ones are no error. */
  drop(mediaId: string): Promise<void>
  /** Resolves when the disk has room for more; waits while it is low (design.md D6). */
  whenWritable(signal: AbortSignal): Promise<void>
  /** Why `whenWritable` waits; empty: it does not. */
  blockedBy(): string
  /** Every file, as paths relative to the cache. */
  list(): Promise<string[]>
}
