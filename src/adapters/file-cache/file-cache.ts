/** The file cache on a local or mounted directory. Names are made safe here, whatever messages say. */
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { TransferError } from '../../core/index.ts'
import type { Clock, FileCache } from '../../ports/index.ts'

export interface FileCacheOptions {
  readonly directory: string
  /** Downloads pause while the disk has less than this free. */
  readonly minFreeBytes: number
  /** File name that is safe on disk, from the name that the API gives. */
  readonly safeName: (projectId: string, mediaId: string, fileName: string) => string
}

/** How often a low disk is looked at again. */
const RECHECK_MS = 5_000
/** A disk that had room is not asked again for each file. */
const FRESH_MS = 1_000

export async function openFileCache(
  options: FileCacheOptions,
  ports: { clock: Clock }
): Promise<FileCache> {
  await makeDirectory(options.directory)
  return new DirectoryCache(options, ports.clock)
}

class DirectoryCache implements FileCache {
  readonly #root: string
  readonly #options: FileCacheOptions
  readonly #clock: Clock
  #checkedAt = Number.NEGATIVE_INFINITY
  #blockedBy = ''

  constructor(options: FileCacheOptions, clock: Clock) {
    this.#root = resolve(options.directory)
    this.#options = options
    this.#clock = clock
  }

  async pathFor(projectId: string, mediaId: string, fileName: string): Promise<string> {
    const path = this.resolve(this.relativePath(projectId, mediaId, fileName))
    await makeDirectory(join(path, '..'))
    return path
  }

  relativePath(projectId: string, mediaId: string, fileName: string): string {
    return `${directoryName(mediaId)}/${this.#options.safeName(projectId, mediaId, fileName)}`
  }

  resolve(path: string): string {
    const full = resolve(this.#root, path)
    const inside = relative(this.#root, full)
    if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new TransferError('STORAGE_INVALID_PATH', 'the cache path is not below the cache')
    }
    return full
  }

  async sizeOf(path: string): Promise<number | undefined> {
    try {
      const info = await stat(this.resolve(path))
      return info.isFile() ? info.size : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw unavailable('the cache cannot be read', error)
    }
  }

  async drop(mediaId: string): Promise<void> {
    try {
      await rm(join(this.#root, directoryName(mediaId)), { recursive: true, force: true })
    } catch (error) {
      throw unavailable('a cached file cannot be removed', error)
    }
  }

  async whenWritable(signal: AbortSignal): Promise<void> {
    while (!(await this.#hasRoom())) await this.#clock.sleep(RECHECK_MS, signal)
  }

  blockedBy(): string {
    return this.#blockedBy
  }

  async list(): Promise<string[]> {
    const entries = await readdir(this.#root, { recursive: true, withFileTypes: true })
    return entries
      .filter(entry => !entry.isDirectory())
      .map(entry => relative(this.#root, join(entry.parentPath, entry.name)))
      .sort()
  }

  async #hasRoom(): Promise<boolean> {
    const now = this.#clock.monotonic()
    if (this.#blockedBy === '' && now - this.#checkedAt < FRESH_MS) return true
    const { bavail, bsize } = await statfs(this.#root).catch((cause: unknown) => {
      throw unavailable('the disk of the cache cannot be looked at', cause)
    })
    this.#checkedAt = now
    const free = bavail * bsize
    const low = free < this.#options.minFreeBytes
    this.#blockedBy = low
      ? `the disk of ${this.#root} has ${free} bytes free; ${this.#options.minFreeBytes} are needed`
      : ''
    return !low
  }
}

/** Ids are numeric; anything else is spelled in hexadecimal, so that no id can name another place. */
function directoryName(mediaId: string): string {
  return /^\d{1,20}$/.test(mediaId) ? mediaId : `x${Buffer.from(mediaId).toString('hex')}`
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (cause) {
    throw unavailable('a directory of the cache cannot be made', cause)
  }
}

function isNotFound(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function unavailable(message: string, cause: unknown): TransferError {
  return new TransferError('STORAGE_UNAVAILABLE', message, { cause })
}
