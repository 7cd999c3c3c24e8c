/** File fetcher, cache and object store by their ports, in memory. */
import { TransferError } from '../../src/core/index.ts'
import type {
  FetchedFile,
  FetchFileRequest,
  FileCache,
  FileFetcher,
  ObjectInfo,
  ObjectStore
} from '../../src/ports/index.ts'

export class FakeFetcher implements FileFetcher {
  /** URLs asked for, in order. */
  readonly urls: string[] = []
  /** Failures by turn: the first fetch takes the first one; undefined: it succeeds. */
  readonly failures: (Error | undefined)[] = []
  onFetch: (request: FetchFileRequest) => void | Promise<void> = () => undefined

  async fetch(request: FetchFileRequest): Promise<FetchedFile> {
    request.signal?.throwIfAborted()
    this.urls.push(request.url)
    await this.onFetch(request)
    const failure = this.failures.shift()
    if (failure !== undefined) throw failure
    return { bytes: 3, sha256: 'ab'.repeat(32), contentType: 'image/jpeg' }
  }

  async close(): Promise<void> {}
}

export class FakeCache implements FileCache {
  /** Path to size. */
  readonly files = new Map<string, number>()
  readonly dropped: string[] = []
  blocked = ''

  async pathFor(_projectId: string, mediaId: string, fileName: string): Promise<string> {
    return `/cache/${mediaId}/${fileName}`
  }

  relativePath(_projectId: string, mediaId: string, fileName: string): string {
    return `${mediaId}/${fileName}`
  }

  resolve(path: string): string {
    if (path.includes('..')) throw new TransferError('STORAGE_INVALID_PATH', 'not below the cache')
    return `/cache/${path}`
  }

  async sizeOf(path: string): Promise<number | undefined> {
    this.resolve(path)
    return this.files.get(path)
  }

  async drop(mediaId: string): Promise<void> {
    this.dropped.push(mediaId)
    for (const path of this.files.keys()) {
      if (path.startsWith(`${mediaId}/`)) this.files.delete(path)
    }
  }

  async whenWritable(): Promise<void> {}

  blockedBy(): string {
    return this.blocked
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()]
  }
}

export class FakeStore implements ObjectStore {
  readonly root = '/lake'
  readonly objects = new Map<string, number>()
  readonly #cache: FakeCache
  onPut: (path: string) => void | Promise<void> = () => undefined

  constructor(cache: FakeCache) {
    this.#cache = cache
  }

  async putFile(path: string, localFile: string): Promise<number> {
    await this.onPut(path)
    const size = this.#cache.files.get(localFile.replace('/cache/', ''))
    if (size === undefined) throw new TransferError('STORAGE_NOT_FOUND', 'no such local file')
    this.objects.set(path, size)
    return size
  }

  async head(path: string): Promise<ObjectInfo | undefined> {
    const size = this.objects.get(path)
    return size === undefined ? undefined : { path, size, modifiedAt: 0 }
  }

  async put(): Promise<'stored'> {
    return 'stored'
  }

  async get(): Promise<Uint8Array> {
    return new Uint8Array()
  }

  async *list(): AsyncIterable<ObjectInfo> {}

  async delete(): Promise<void> {}

  async close(): Promise<void> {}
}
