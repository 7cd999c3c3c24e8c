/**
 * Deletion vectors of one open table: reads them through a small cache, writes those of a commit together.
 * What a descriptor names never changes, so nothing in the cache is ever stale.
 */
import { readFile } from 'node:fs/promises'
import { DeltaError, isPipelineError } from '../../core/index.ts'
import type { AddAction, DeletionVectorDescriptor } from '../actions.ts'
import type { DeltaPorts } from '../ports.ts'
import {
  assertFileVersion,
  corrupt,
  decodeVector,
  encodeVector,
  encodeVectorFile,
  frameOf,
  unframe
} from './codec.ts'
import { relativeDescriptor, vectorFileName, vectorId, vectorPath } from './descriptors.ts'
import { decodeZ85 } from './z85.ts'

const CACHE_BYTES = 33_554_432

export interface WrittenVectors {
  readonly descriptors: ReadonlyMap<AddAction, DeletionVectorDescriptor>
  /** Path in the store of the file written. */
  readonly path: string
  readonly bytes: number
}

export class DeletionVectors {
  readonly #ports: DeltaPorts
  readonly #table: string
  readonly #cache = new Map<string, Promise<Uint32Array>>()
  readonly #sizes = new Map<string, number>()
  #bytes = 0

  constructor(ports: DeltaPorts, table: string) {
    this.#ports = ports
    this.#table = table
  }

  /** Positions of the deleted rows; undefined when there are none. */
  async load(add: Pick<AddAction, 'path' | 'deletionVector'>): Promise<Uint32Array | undefined> {
    const vector = add.deletionVector
    if (vector == null || vector.cardinality === 0) return undefined
    const id = `${vectorId(vector)} ${vector.cardinality}`
    const known = this.#cache.get(id)
    if (known !== undefined) {
      this.#cache.delete(id)
      this.#cache.set(id, known)
      return await known
    }
    const reading = this.#read(vector, add.path)
    this.#cache.set(id, reading)
    try {
      const positions = await reading
      this.#measure(id, positions)
      return positions
    } catch (error) {
      this.#cache.delete(id)
      throw error
    }
  }

  /**
   * Stores a vector for each file that holds exactly these positions; durable when it resolves. They share
   * one file. None is put into the log, however small: Spark's VACUUM fails at such a vector (Delta 4.0 to
   * 4.4), and the Java kernel 4.0 cannot read it.
   */
  async write(wanted: ReadonlyMap<AddAction, Uint32Array>): Promise<WrittenVectors> {
    const entries = [...wanted].map(([add, positions]) => {
      return { add, positions, bytes: encodeVector(positions) }
    })
    const descriptors = new Map<AddAction, DeletionVectorDescriptor>()
    const uuid = this.#ports.ids.uuid()
    const name = vectorFileName(uuid)
    const path = this.#table === '' ? name : `${this.#table}/${name}`
    const file = encodeVectorFile(entries.map(entry => entry.bytes))
    await this.#ports.store.put(path, file.bytes)
    entries.forEach(({ add, positions, bytes }, index) => {
      const offset = file.offsets[index] ?? 0
      const descriptor = relativeDescriptor(uuid, offset, bytes.length, positions.length)
      descriptors.set(add, descriptor)
      this.#remember(descriptor, positions)
    })
    return { descriptors, path, bytes: file.bytes.length }
  }

  async #read(vector: DeletionVectorDescriptor, dataPath: string): Promise<Uint32Array> {
    const { sizeInBytes, cardinality, pathOrInlineDv } = vector
    const path = vectorPath(this.#table, vector)
    const root = this.#ports.store.root
    if (path === undefined) {
      const where = `of ${dataPath} in the log of ${root}/${this.#table}`
      const bytes = decodeZ85(pathOrInlineDv, sizeInBytes)
      if (bytes === undefined) throw corrupt(where, 'it is no Z85 text of its size')
      return decodeVector(bytes, cardinality, where)
    }
    const offset = vector.offset ?? 0
    const file = path.startsWith('/') ? path : `${root}/${path}`
    const where = `at byte ${offset} of ${file}`
    const { start, end } = frameOf(offset, sizeInBytes)
    // A frame right behind the version byte is read together with it.
    const from = start === 1 ? 0 : start
    const bytes = await this.#get(path, from, end, where)
    if (from === 0) assertFileVersion(bytes[0], where)
    const frame = bytes.subarray(start - from)
    return decodeVector(unframe(frame, sizeInBytes, where), cardinality, where)
  }

  async #get(path: string, start: number, end: number, where: string): Promise<Uint8Array> {
    try {
      if (path.startsWith('/')) return await this.#outside(path, start, end)
      return await this.#ports.store.get(path, { start, end })
    } catch (error) {
      if (!isPipelineError(error) || error.code !== 'STORAGE_NOT_FOUND') throw error
      throw corrupt(where, 'its file is missing', error)
    }
  }

  /** Of shallow clones; only a table on a local disk may name other files of that disk. */
  async #outside(path: string, start: number, end: number): Promise<Uint8Array> {
    const { store } = this.#ports
    if (store.localPath === undefined) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `The table refers to the absolute path ${path}, which is not in ${store.root}`
      )
    }
    try {
      return (await readFile(path)).subarray(start, end)
    } catch (error) {
      throw new DeltaError('STORAGE_NOT_FOUND', `There is no file at ${path}`, { cause: error })
    }
  }

  #remember(vector: DeletionVectorDescriptor, positions: Uint32Array): void {
    const id = `${vectorId(vector)} ${vector.cardinality}`
    this.#cache.set(id, Promise.resolve(positions))
    this.#measure(id, positions)
  }

  #measure(id: string, positions: Uint32Array): void {
    if (this.#sizes.has(id) || !this.#cache.has(id)) return
    const size = positions.byteLength + id.length * 2
    this.#sizes.set(id, size)
    this.#bytes += size
    for (const [oldest] of this.#cache) {
      if (this.#bytes <= CACHE_BYTES) return
      const bytes = this.#sizes.get(oldest)
      if (bytes === undefined) continue
      this.#cache.delete(oldest)
      this.#sizes.delete(oldest)
      this.#bytes -= bytes
    }
  }
}
