/**
 * Makes committed transactions durable without blocking the event loop. SQLite writes a transaction
 * to the write-ahead log without syncing it (`synchronous = NORMAL`); before anybody is told that it is
 * stored, the write-ahead log is synced in the thread pool. Frames are chained by checksum, so what a
 * power loss takes is always a tail, and never a part that was synced (spec section 3).
 */
import { close, fdatasync, open } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { BrokerError } from '../../core/index.ts'

const openAsync = promisify(open)
const closeAsync = promisify(close)
const fdatasyncAsync = promisify(fdatasync)

export interface Durability {
  /** Resolves when everything written before the call is durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * After a failed sync the kernel may report success for pages that it lost, so this log instance
 * refuses every further write.
 */
export function createDurability(syncFile: () => Promise<void>, release: () => Promise<void>) {
  let failure: Error | undefined
  return {
    async sync(): Promise<void> {
      if (failure !== undefined) throw failure
      try {
        await syncFile()
      } catch (error) {
        failure = new BrokerError(
          'BROKER_UNAVAILABLE',
          'Syncing the embedded log to disk failed; check the disk, then restart the program.',
          { cause: error }
        )
        throw failure
      }
    },
    close: release
  }
}

/**
 * Syncs `<path>-wal`. SQLite keeps that file, with the same inode, as long as a connection is open;
 * its locks are on other files, so this descriptor does not disturb them.
 */
export async function walDurability(path: string): Promise<Durability> {
  await syncDirectory(dirname(path))
  const fd = await openAsync(`${path}-wal`, 'r+')
  return createDurability(
    () => fdatasyncAsync(fd),
    () => closeAsync(fd)
  )
}

/** Makes the names of new files durable. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await openFile(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
