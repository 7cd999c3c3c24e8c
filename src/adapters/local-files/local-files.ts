/**
 * Objects as files below a directory. Writes go to a temporary file, which is synced and then linked or
 * renamed into place; the directory is synced after that. So a reader sees whole objects only, and what
 * was stored survives a power loss. The first write also starts to remove what killed processes left.
 */
import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  unlink
} from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DeltaError } from '../../core/index.ts'
import type { ObjectInfo, ObjectStore, PutResult } from '../../ports/object-store.ts'
import { assertObjectPath } from './object-path.ts'
import { isTemporary, sweepTemporaries, temporaryName } from './temporary-files.ts'

const SURROGATE = /[\ud800-\udfff]/
/** Files whose size and time are asked for at the same time, in a listing. */
const STATS_AT_ONCE = 64

/** Objects below a local directory, which is made by the first write. */
export function openLocalFiles(options: { readonly root: string }): ObjectStore {
  return new LocalFiles(resolve(options.root))
}

class LocalFiles implements ObjectStore {
  readonly root: string
  #writes = 0
  readonly #closing = new AbortController()
  #sweep: Promise<void> | undefined
  readonly #placing = new Set<Promise<unknown>>()

  constructor(root: string) {
    this.root = root
  }

  async put(
    path: string,
    bytes: Uint8Array,
    options: { ifAbsent?: boolean } = {}
  ): Promise<PutResult> {
    const write = async (to: string): Promise<FileHandle> => {
      const handle = await open(to, 'wx')
      try {
        await handle.writeFile(bytes)
        return handle
      } catch (error) {
        await handle.close()
        throw error
      }
    }
    return await this.#place(path, write, options.ifAbsent === true)
  }

  async putFile(path: string, localFile: string, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted()
    // The kernel copies, or shares the blocks where the file system can.
    const copy = async (to: string): Promise<FileHandle> => {
      await copyFile(localFile, to, constants.COPYFILE_FICLONE)
      return await open(to, 'r+')
    }
    await this.#place(path, copy, false)
    return (await stat(this.localPath(path))).size
  }

  async get(path: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    let handle: FileHandle | undefined
    try {
      handle = await open(this.localPath(path), 'r')
      if (range === undefined) return await handle.readFile()
      const buffer = Buffer.alloc(Math.max(0, range.end - range.start))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, range.start)
      return buffer.subarray(0, bytesRead)
    } catch (error) {
      throw storageError(error, `${this.root}/${path}`)
    } finally {
      await handle?.close()
    }
  }

  async head(path: string): Promise<ObjectInfo | undefined> {
    try {
      const info = await stat(this.localPath(path))
      if (!info.isFile()) return undefined
      return { path, size: info.size, modifiedAt: info.mtimeMs }
    } catch (error) {
      if (isAbsent(error)) return undefined
      throw storageError(error, `${this.root}/${path}`)
    }
  }

  async *list(prefix: string, options: { startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    assertObjectPath(prefix, true)
    const slash = prefix.lastIndexOf('/')
    yield* this.#walk(prefix.slice(0, slash + 1), prefix, options.startAfter ?? '')
  }

  async delete(path: string): Promise<void> {
    try {
      await unlink(this.localPath(path))
    } catch (error) {
      if (!isAbsent(error)) throw storageError(error, `${this.root}/${path}`)
    }
  }

  localPath(path: string): string {
    assertObjectPath(path)
    return join(this.root, path)
  }

  /** Waits for the writes under way; later ones are refused. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#placing)
    await this.#sweep
  }

  /** `write` makes the temporary file and leaves it open. */
  async #place(
    path: string,
    write: (to: string) => Promise<FileHandle>,
    ifAbsent: boolean
  ): Promise<PutResult> {
    if (this.#closing.signal.aborted) {
      throw new DeltaError('STORAGE_UNAVAILABLE', `${this.root} was closed: ${path} is not written`)
    }
    const placing = this.#placeNow(path, write, ifAbsent)
    this.#placing.add(placing)
    try {
      return await placing
    } finally {
      this.#placing.delete(placing)
    }
  }

  async #placeNow(
    path: string,
    write: (to: string) => Promise<FileHandle>,
    ifAbsent: boolean
  ): Promise<PutResult> {
    const target = this.localPath(path)
    const directory = dirname(target)
    const temporary = join(directory, temporaryName(this.#writes++))
    let placed = false
    try {
      await this.#written(await this.#inDirectory(directory, () => write(temporary)))
      if (ifAbsent) {
        if (!(await linkIfAbsent(temporary, target))) return 'exists'
        await Promise.all([syncDirectory(directory), remove(temporary)])
      } else {
        await rename(temporary, target)
        await syncDirectory(directory)
      }
      placed = true
      return 'stored'
    } catch (error) {
      throw storageError(error, `${this.root}/${path}`)
    } finally {
      if (!placed) await remove(temporary)
    }
  }

  /** Makes the directory when it turns out to be missing. */
  async #inDirectory<T>(directory: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isAbsent(error)) throw error
      await makeDirectory(this.root, directory)
      return await work()
    }
  }

  /** Syncs the file and closes it. The first one tells the time by the file system's clock. */
  async #written(handle: FileHandle): Promise<void> {
    try {
      await handle.sync()
      if (this.#sweep !== undefined) return
      const { mtimeMs } = await handle.stat()
      this.#sweep ??= sweepTemporaries(this.root, mtimeMs, this.#closing.signal)
    } finally {
      await handle.close()
    }
  }

  /** Byte order of whole paths: a directory sorts as its name with a slash. */
  async *#walk(directory: string, prefix: string, after: string): AsyncGenerator<ObjectInfo> {
    let files: string[] = []
    for (const name of await this.#entries(directory, prefix, after)) {
      const path = directory + name
      if (!name.endsWith('/')) files.push(path)
      if (files.length < STATS_AT_ONCE && !name.endsWith('/')) continue
      yield* await this.#infos(files)
      files = []
      if (name.endsWith('/')) yield* this.#walk(path, prefix, after)
    }
    yield* await this.#infos(files)
  }

  async #infos(paths: readonly string[]): Promise<ObjectInfo[]> {
    const infos = await Promise.all(paths.map(path => this.head(path)))
    return infos.filter(info => info !== undefined)
  }

  /** Names in the directory that are, or may lead to, objects asked for, in order. */
  async #entries(directory: string, prefix: string, after: string): Promise<string[]> {
    const isRelevant = (name: string): boolean => {
      const path = directory + name
      if (!name.endsWith('/')) return path.startsWith(prefix) && bytesBefore(after, path)
      if (!path.startsWith(prefix) && !prefix.startsWith(path)) return false
      return after.startsWith(path) || !bytesBefore(path, after)
    }
    try {
      const entries = await readdir(join(this.root, directory), { withFileTypes: true })
      const names = entries
        .filter(entry => !isTemporary(entry.name))
        .map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name))
        .filter(isRelevant)
      // Texts compare by UTF-16, which differs from bytes only where there are surrogates.
      return names.some(name => SURROGATE.test(name)) ? names.sort(byBytes) : names.sort()
    } catch (error) {
      if (isAbsent(error)) return []
      throw storageError(error, `${this.root}/${directory}`)
    }
  }
}

function bytesBefore(a: string, b: string): boolean {
  return SURROGATE.test(a) || SURROGATE.test(b) ? byBytes(a, b) < 0 : a < b
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

async function remove(temporary: string): Promise<void> {
  await rm(temporary, { force: true }).catch(() => undefined)
}

/** `link` fails when the name is taken, which `rename` would not: this is what makes commits atomic. */
async function linkIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Creates the directory and syncs those above it that are new. */
async function makeDirectory(root: string, directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let parent = dirname(directory); parent.length >= dirname(first).length; ) {
    await syncDirectory(parent)
    if (parent === dirname(parent) || parent === dirname(root)) return
    parent = dirname(parent)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function storageError(error: unknown, where: string): Error {
  if (error instanceof DeltaError) return error
  if (error instanceof Error && error.name === 'AbortError') return error
  if (isAbsent(error)) {
    return new DeltaError('STORAGE_NOT_FOUND', `There is no object at ${where}`, { cause: error })
  }
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error'
  return new DeltaError('STORAGE_UNAVAILABLE', `${where} cannot be accessed (${code})`, {
    cause: error
  })
}
