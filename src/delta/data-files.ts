/**
 * Local access to files of the store for the Parquet engine. A store on a local disk is used in place;
 * others are copied into a scratch directory, which keeps the newest copies up to a limit. Files of a
 * table never change, so a copy is never stale.
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DeltaError } from '../core/index.ts'
import type { DeltaPorts } from './ports.ts'

export interface Lease {
  readonly localPath: string
  release(): void
}

interface Copy {
  readonly localPath: Promise<string>
  bytes: number
  leases: number
}

export interface DataFilesOptions {
  /** Directory for copies and for files on their way to the store. */
  readonly scratch: string
  /** Bytes of copies kept; 1 GiB by default. */
  readonly cacheBytes?: number
}

const GIBIBYTE = 1_073_741_824

export class DataFiles {
  readonly #ports: DeltaPorts
  readonly #options: DataFilesOptions
  readonly #copies = new Map<string, Copy>()
  #bytes = 0

  constructor(ports: DeltaPorts, options: DataFilesOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** A local path of the object, valid until released. Rejects with `STORAGE_NOT_FOUND`. */
  async lease(path: string): Promise<Lease> {
    const { store } = this.#ports
    if (path.startsWith('/')) return this.#outside(path)
    if (store.localPath !== undefined) {
      return { localPath: store.localPath(path), release: () => undefined }
    }
    const copy = this.#copies.get(path) ?? this.#register(path, this.#download(path))
    copy.leases++
    try {
      const localPath = await copy.localPath
      return { localPath, release: () => this.#release(copy) }
    } catch (error) {
      this.#copies.delete(path)
      throw error
    }
  }

  /** Files of shallow clones; only a table on a local disk may name other files of that disk. */
  #outside(path: string): Lease {
    if (this.#ports.store.localPath !== undefined) {
      return { localPath: path, release: () => undefined }
    }
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `The table refers to the absolute path ${path}, which is not in ${this.#ports.store.root}`
    )
  }

  /**
   * Has `write` make a file on the local disk and stores it under `path`; durable when it resolves.
   * `write` must have synced the file.
   */
  async store<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    const { store } = this.#ports
    if (store.localPath !== undefined) return await write(store.localPath(path))
    const local = await this.scratchPath()
    const result = await write(local)
    const bytes = await store.putFile(path, local)
    const copy = this.#register(path, Promise.resolve(local))
    copy.bytes = bytes
    this.#bytes += bytes
    this.#evict()
    return result
  }

  /**
   * Has `write` make any number of files in a local directory and stores them in `directory` (without a
   * slash at its end; empty for the root of the store). Each must have been synced.
   */
  async storeAll<T extends { readonly name: string }>(
    directory: string,
    write: (localDirectory: string) => Promise<readonly T[]>
  ): Promise<readonly T[]> {
    const { store } = this.#ports
    const pathOf = (name: string): string => (directory === '' ? name : `${directory}/${name}`)
    if (store.localPath !== undefined) return await write(dirname(store.localPath(pathOf('file'))))
    const local = await this.scratchPath()
    try {
      const files = await write(local)
      for (const { name } of files) await store.putFile(pathOf(name), join(local, name))
      return files
    } finally {
      await rm(local, { recursive: true, force: true })
    }
  }

  /** Like `store`, for files that others may write under the same name: readers see old or new. */
  async replace<T>(path: string, write: (localPath: string) => Promise<T>): Promise<T> {
    const local = await this.scratchPath()
    try {
      const result = await write(local)
      await this.#ports.store.putFile(path, local)
      return result
    } finally {
      await rm(local, { force: true })
    }
  }

  async close(): Promise<void> {
    const copies = [...this.#copies.values()]
    this.#copies.clear()
    for (const copy of copies) {
      const local = await copy.localPath.catch(() => undefined)
      if (local !== undefined) await rm(local, { force: true })
    }
  }

  /** A name of its own on the local disk, for a file that its maker removes. */
  async scratchPath(): Promise<string> {
    await mkdir(this.#options.scratch, { recursive: true })
    return join(this.#options.scratch, `${this.#ports.ids.uuid()}.parquet`)
  }

  async #download(path: string): Promise<string> {
    const bytes = await this.#ports.store.get(path)
    const local = await this.scratchPath()
    await writeFile(local, bytes)
    return local
  }

  #register(path: string, localPath: Promise<string>): Copy {
    const copy: Copy = { localPath, bytes: 0, leases: 0 }
    this.#copies.set(path, copy)
    return copy
  }

  #release(copy: Copy): void {
    copy.leases--
    if (copy.bytes > 0) this.#evict()
    else void this.#measure(copy)
  }

  async #measure(copy: Copy): Promise<void> {
    const info = await stat(await copy.localPath).catch(() => undefined)
    if (copy.bytes > 0 || info === undefined) return
    copy.bytes = info.size
    this.#bytes += info.size
    this.#evict()
  }

  #evict(): void {
    const limit = this.#options.cacheBytes ?? GIBIBYTE
    for (const [path, copy] of this.#copies) {
      if (this.#bytes <= limit) return
      if (copy.leases > 0 || copy.bytes === 0) continue
      this.#copies.delete(path)
      this.#bytes -= copy.bytes
      void copy.localPath.then(local => rm(local, { force: true })).catch(() => undefined)
    }
  }
}
