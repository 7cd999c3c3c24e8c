/**
 * Keys of many rows in one file on the local disk: entries sorted by hash in blocks of a fixed size, then
 * the directory, which is kept in memory: the first hash of each block and its checksum. So finding a key
 * is one small read, and opening costs the directory alone. It is a cache: written once, never changed, and
 * checked with each read against what was written: a key that it missed would be stored a second time. It
 * is made again when anything about it is odd.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { KeyHashes } from '../parquet-engine.ts'
import { HASH_WORDS } from './key-hash.ts'
import {
  BLOCK_BYTES,
  BLOCK_ENTRIES,
  ENTRY_BYTES,
  ENTRY_WORDS,
  type RunContents,
  type RunFile,
  type RunIdentity,
  readContents
} from './run-format.ts'

/** Blocks that are read at once where all are. */
const BLOCKS_AT_ONCE = 256
const TOP = HASH_WORDS - 1

export class KeyRun {
  readonly files: readonly RunFile[]
  readonly entries: number
  readonly salt: string
  readonly #descriptor: number
  readonly #firsts: Uint32Array
  readonly #checksums: Uint32Array
  #buffer = new Uint32Array(BLOCK_ENTRIES * ENTRY_WORDS * 2)
  #users = 0
  #closed = false

  private constructor(descriptor: number, { footer, firsts, checksums }: RunContents) {
    this.files = footer.files
    this.entries = footer.entries
    this.salt = footer.salt
    this.#descriptor = descriptor
    this.#firsts = firsts
    this.#checksums = checksums
  }

  /** Undefined when there is none, or none that can be trusted. */
  static open(path: string, identity: RunIdentity): KeyRun | undefined {
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch {
      return undefined
    }
    try {
      const contents = readContents(descriptor, identity)
      if (contents !== undefined) return new KeyRun(descriptor, contents)
    } catch {
      // Whatever is wrong with it, it is made again.
    }
    closeSync(descriptor)
    return undefined
  }

  /**
   * Calls `found` for each row of the hash, of the four words that begin at `at`. Throws when the file is
   * not what was written.
   */
  find(hashes: Uint32Array, at: number, found: (file: number, row: number) => void): void {
    const top = hashes[at + TOP] as number
    // Entries with this word may begin within the block before the first one that begins with it.
    const first = Math.max(0, lowerBound(this.#firsts, top) - 1)
    let end = first
    while (end < this.#firsts.length && (this.#firsts[end] as number) <= top) end++
    if (end === first) return
    const words = this.#read(first, end)
    for (let entry = 0; entry < words.length; entry += ENTRY_WORDS) {
      let same = 0
      while (same < HASH_WORDS && words[entry + same] === hashes[at + same]) same++
      if (same === HASH_WORDS) found(words[entry + 5] as number, words[entry + 4] as number)
    }
  }

  /**
   * All entries of the files that have a number in `numbers` (by their index), under that number. Throws
   * when the file is not what was written.
   */
  *sorted(numbers: readonly (number | undefined)[]): Generator<KeyHashes> {
    for (let first = 0; first < this.#firsts.length; first += BLOCKS_AT_ONCE) {
      const words = this.#read(first, Math.min(this.#firsts.length, first + BLOCKS_AT_ONCE))
      const hashes = new Uint32Array((words.length / ENTRY_WORDS) * HASH_WORDS)
      const places = new Uint32Array((words.length / ENTRY_WORDS) * 2)
      let count = 0
      for (let entry = 0; entry < words.length; entry += ENTRY_WORDS) {
        const number = numbers[words[entry + 5] as number]
        if (number === undefined) continue
        for (let word = 0; word < HASH_WORDS; word++) {
          hashes[count * HASH_WORDS + word] = words[entry + word] as number
        }
        places[count * 2] = words[entry + 4] as number
        places[count * 2 + 1] = number
        count++
      }
      yield {
        hashes: hashes.subarray(0, count * HASH_WORDS),
        places: places.subarray(0, count * 2)
      }
    }
  }

  /** Entries of whole blocks, good until the next read. */
  #read(first: number, end: number): Uint32Array {
    const bytes = Math.min(this.entries * ENTRY_BYTES, end * BLOCK_BYTES) - first * BLOCK_BYTES
    if (this.#buffer.byteLength < bytes) this.#buffer = new Uint32Array(bytes / 4)
    const words = this.#buffer.subarray(0, bytes / 4)
    const raw = new Uint8Array(words.buffer, 0, bytes)
    readFully(this.#descriptor, raw, first * BLOCK_BYTES)
    for (let block = first; block < end; block++) {
      const start = (block - first) * BLOCK_BYTES
      const checksum = crc32(raw.subarray(start, start + BLOCK_BYTES))
      if (checksum !== this.#checksums[block]) throw new Error('a key run is damaged')
    }
    return words
  }

  /** Keeps the file open, whoever closes it meanwhile, until released. */
  retain(): void {
    this.#users++
  }

  release(): void {
    this.#users--
    if (this.#closed && this.#users === 0) closeSync(this.#descriptor)
  }

  /** Closes once nobody looks anything up. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#users === 0) closeSync(this.#descriptor)
  }
}

function readFully(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let read = 0; read < bytes.length; ) {
    const count = readSync(descriptor, bytes, read, bytes.length - read, position + read)
    if (count === 0) throw new Error('a key run is cut')
    read += count
  }
}

/** Index of the first of the ascending numbers that is not smaller. */
function lowerBound(numbers: Uint32Array, value: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
