/**
 * The Delta engine without a disk: a store in memory whose files have the time of a clock that only the test
 * moves, and data files that are rows as JSON (`memory-parquet.ts`). A commit costs a fraction of a
 * millisecond.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryObjectStore } from '../../src/adapters/memory/index.ts'
import { DeltaError } from '../../src/core/index.ts'
import type { DeltaPorts } from '../../src/delta/index.ts'
import type { ObjectInfo, ObjectStore } from '../../src/ports/index.ts'
import { type ByteFiles, openMemoryParquet } from './memory-parquet.ts'
import { seededRandom } from './random.ts'

export interface MemoryDelta {
  readonly ports: DeltaPorts
  readonly options: { readonly scratch: string }
  readonly warnings: string[]
  /** Milliseconds since the epoch. */
  now: number
  /** Calls of the store so far, by method. */
  readonly calls: Record<'get' | 'put' | 'head' | 'list' | 'delete', number>
  /** Names in the log of the table `t`. */
  logNames(): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

export async function openMemoryDelta(): Promise<MemoryDelta> {
  const scratch = await mkdtemp(join(tmpdir(), 'memory-delta-'))
  const random = seededRandom(1)
  const calls = { get: 0, put: 0, head: 0, list: 0, delete: 0 }
  const warnings: string[] = []
  let uuids = 0
  const inner = openMemoryObjectStore({ now: () => delta.now })
  const store: ObjectStore = {
    root: inner.root,
    put: (path, bytes, options) => {
      calls.put++
      return inner.put(path, bytes, options)
    },
    putFile: async (path, file) => {
      calls.put++
      const bytes = await files.read(file)
      await inner.put(path, bytes)
      return bytes.length
    },
    get: (path, range) => {
      calls.get++
      return inner.get(path, range)
    },
    head: path => {
      calls.head++
      return inner.head(path)
    },
    list: (prefix, options) => {
      calls.list++
      return inner.list(prefix, options)
    },
    delete: path => {
      calls.delete++
      return inner.delete(path)
    },
    localPath: path => `${inner.root}/${path}`,
    close: () => inner.close()
  }
  const unstored = new Map<string, Uint8Array>()
  const stored = (path: string): string | undefined =>
    path.startsWith(`${inner.root}/`) ? path.slice(inner.root.length + 1) : undefined
  const files: ByteFiles = {
    read: async path => {
      const bytes =
        unstored.get(path) ?? (await inner.get(stored(path) ?? path).catch(() => undefined))
      if (bytes !== undefined) return bytes
      throw new DeltaError('DELTA_DATA_CORRUPT', `A data file is missing: ${path}`)
    },
    write: async (path, bytes) => {
      const name = stored(path)
      if (name === undefined) unstored.set(path, bytes)
      else await inner.put(name, bytes)
    }
  }
  const list = (prefix: string): AsyncIterable<ObjectInfo> => inner.list(prefix)
  const delta: MemoryDelta = {
    ports: {
      store,
      engine: openMemoryParquet(files),
      clock: { now: () => delta.now, sleep: async () => undefined },
      ids: {
        uuid: () => `00000000-0000-4000-8000-${String(uuids++).padStart(12, '0')}`,
        random: random.next
      },
      onWarning: (message, error) => warnings.push(`${message}: ${error}`)
    },
    options: { scratch },
    warnings,
    now: Date.UTC(2026, 0, 1),
    calls,
    logNames: async () => {
      const prefix = 't/_delta_log/'
      return (await Array.fromAsync(list(prefix))).map(({ path }) => path.slice(prefix.length))
    },
    [Symbol.asyncDispose]: async () => {
      await store.close()
      await rm(scratch, { recursive: true, force: true })
    }
  }
  return delta
}
