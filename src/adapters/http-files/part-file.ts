/** A file that appears under its final name only when it is complete and on disk. */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TransferError } from '../../core/index.ts'

const flushBytes = 512 * 1024

export class PartFile {
  readonly #destination: string
  readonly #path: string
  readonly #handle: FileHandle
  readonly #hash: Hash = createHash('sha256')
  #pending: Buffer[] = []
  #pendingBytes = 0
  #bytes = 0

  private constructor(destination: string, path: string, handle: FileHandle) {
    this.#destination = destination
    this.#path = path
    this.#handle = handle
  }

  /** Opens a temporary file beside the destination, named after it and `unique`. */
  static async create(destination: string, unique: string): Promise<PartFile> {
    const folder = dirname(destination)
    // The name of the destination may already be as long as names can be.
    const path = join(folder, `${basename(destination).slice(0, 60)}.${unique}.part`)
    const handle = await storage('create', async () => {
      await mkdir(folder, { recursive: true })
      return open(path, 'wx')
    })
    return new PartFile(destination, path, handle)
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk)
    this.#bytes += chunk.length
    this.#pending.push(chunk)
    this.#pendingBytes += chunk.length
    if (this.#pendingBytes >= flushBytes) await this.#flush()
  }

  /** Makes the content durable and moves it to its name. Returns its SHA-256 in hexadecimal. */
  async commit(): Promise<string> {
    await this.#flush()
    await storage('write', async () => {
      await this.#handle.sync()
      await this.#handle.close()
      await rename(this.#path, this.#destination)
    })
    return this.#hash.digest('hex')
  }

  /** Removes the temporary file; never rejects, because something else has failed already. */
  async discard(): Promise<void> {
    await this.#handle.close().catch(() => {})
    await rm(this.#path, { force: true }).catch(() => {})
  }

  async #flush(): Promise<void> {
    const chunks = this.#pending
    const expected = this.#pendingBytes
    this.#pending = []
    this.#pendingBytes = 0
    if (expected === 0) return
    await storage('write', async () => {
      const { bytesWritten } = await this.#handle.writev(chunks)
      if (bytesWritten !== expected) await this.#writeRest(chunks, bytesWritten)
    })
  }

  /** A nearly full disk takes a part of what it is given. */
  async #writeRest(chunks: readonly Buffer[], written: number): Promise<void> {
    let rest = Buffer.concat(chunks).subarray(written)
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.write(rest)
      rest = rest.subarray(bytesWritten)
    }
  }
}

/** Errors of the disk as `STORAGE_UNAVAILABLE`: the worker pauses, the file is not to blame. */
async function storage<T>(verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? 'unknown')
    throw new TransferError('STORAGE_UNAVAILABLE', `cannot ${verb} a download on disk (${code})`, {
      cause: error,
      details: { code }
    })
  }
}
