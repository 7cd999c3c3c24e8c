/** Objects in memory, for tests: the contract of the port and nothing else. */
import { readFile } from 'node:fs/promises'
import { DeltaError } from '../../core/index.ts'
import type { ObjectInfo, ObjectStore, PutResult } from '../../ports/object-store.ts'

/** Options of the store in memory. */
export interface MemoryObjectStoreOptions {
  /** Milliseconds since the epoch, for `modifiedAt`. */
  readonly now?: () => number
}

export function openMemoryObjectStore(options: MemoryObjectStoreOptions = {}): ObjectStore {
  return new MemoryObjectStore(options.now ?? (() => 0))
}

class MemoryObjectStore implements ObjectStore {
  readonly root = 'memory:'
  readonly #now: () => number
  readonly #objects = new Map<string, { bytes: Uint8Array; modifiedAt: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  async put(
    path: string,
    bytes: Uint8Array,
    options: { ifAbsent?: boolean } = {}
  ): Promise<PutResult> {
    assertPath(path)
    if (options.ifAbsent === true && this.#objects.has(path)) return 'exists'
    this.#objects.set(path, { bytes: Uint8Array.from(bytes), modifiedAt: this.#now() })
    return 'stored'
  }

  async putFile(path: string, localFile: string, signal?: AbortSignal): Promise<number> {
    const bytes = await readFile(localFile, signal === undefined ? {} : { signal })
    await this.put(path, bytes)
    return bytes.length
  }

  async get(path: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    assertPath(path)
    const found = this.#objects.get(path)
    if (found === undefined) {
      throw new DeltaError('STORAGE_NOT_FOUND', `There is no object at ${this.root}/${path}`)
    }
    return found.bytes.slice(range?.start ?? 0, range?.end ?? found.bytes.length)
  }

  async head(path: string): Promise<ObjectInfo | undefined> {
    assertPath(path)
    const found = this.#objects.get(path)
    return found && { path, size: found.bytes.length, modifiedAt: found.modifiedAt }
  }

  async *list(prefix: string, options: { startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    const paths = [...this.#objects.keys()].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b))
    )
    for (const path of paths) {
      if (!path.startsWith(prefix)) continue
      const after = Buffer.from(options.startAfter ?? '')
      if (Buffer.compare(Buffer.from(path), after) <= 0) continue
      const info = await this.head(path)
      if (info !== undefined) yield info
    }
  }

  async delete(path: string): Promise<void> {
    assertPath(path)
    this.#objects.delete(path)
  }

  async close(): Promise<void> {
    this.#objects.clear()
  }
}

function assertPath(path: string): void {
  const segments = path.split('/')
  const bad = segments.some(segment => segment === '' || segment === '.' || segment === '..')
  if (!bad && !/[\u0000-\u001f\u007f\\]/.test(path)) return
  throw new DeltaError(
    'STORAGE_INVALID_PATH',
    `The object path ${JSON.stringify(path)} is empty, absolute, or has a segment that is not allowed`
  )
}
