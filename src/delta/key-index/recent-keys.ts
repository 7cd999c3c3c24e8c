/**
 * Keys of the newest files, in memory: an open-addressing hash table from hashes to file and row. A hash
 * may be there several times, where a table has a key twice.
 */
import { endianness } from 'node:os'
import type { KeyHashes } from '../parquet-engine.ts'
import { HASH_WORDS } from './key-hash.ts'

/** Words of a slot: the hash, the row and the file. */
const SLOT = HASH_WORDS + 2
const ROW = HASH_WORDS
const FILE = HASH_WORDS + 1
const EMPTY = 0xffff_ffff
const SMALLEST = 1024
const TOP = HASH_WORDS - 1
const BATCH_ROWS = 16_384
const LITTLE_ENDIAN = endianness() === 'LE'

export class RecentKeys {
  #words = emptySlots(SMALLEST)
  #slots = SMALLEST
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Enters a hash, of the four words that begin at `at`. */
  add(hashes: Uint32Array, at: number, file: number, row: number): void {
    if (this.#size * 2 >= this.#slots) this.#grow()
    this.#size++
    const words = this.#words
    let slot = this.#slotOf(hashes, at)
    while (words[slot + FILE] !== EMPTY) slot = this.#next(slot)
    for (let i = 0; i < HASH_WORDS; i++) words[slot + i] = hashes[at + i] as number
    words[slot + ROW] = row
    words[slot + FILE] = file
  }

  /** Calls `found` for each row of the hash. */
  find(hashes: Uint32Array, at: number, found: (file: number, row: number) => void): void {
    const words = this.#words
    for (
      let slot = this.#slotOf(hashes, at);
      words[slot + FILE] !== EMPTY;
      slot = this.#next(slot)
    ) {
      let same = 0
      while (same < HASH_WORDS && words[slot + same] === hashes[at + same]) same++
      if (same === HASH_WORDS) found(words[slot + FILE] as number, words[slot + ROW] as number)
    }
  }

  /** All of them by the last word of their hashes, ascending, a batch at a time. */
  *sorted(): Generator<KeyHashes> {
    const words = this.#words
    // Pairs of the slot and the last word, sorted as the one number that they are on this machine.
    const pairs = new Uint32Array(this.#size * 2)
    const [slotAt, topAt] = LITTLE_ENDIAN ? [0, 1] : [1, 0]
    let count = 0
    for (let slot = 0; slot < this.#slots; slot++) {
      if (words[slot * SLOT + FILE] === EMPTY) continue
      pairs[count * 2 + slotAt] = slot
      pairs[count * 2 + topAt] = words[slot * SLOT + TOP] as number
      count++
    }
    new BigUint64Array(pairs.buffer).sort()
    for (let start = 0; start < count; start += BATCH_ROWS) {
      const rows = Math.min(BATCH_ROWS, count - start)
      const hashes = new Uint32Array(rows * HASH_WORDS)
      const places = new Uint32Array(rows * 2)
      for (let i = 0; i < rows; i++) {
        const slot = (pairs[(start + i) * 2 + slotAt] as number) * SLOT
        for (let word = 0; word < HASH_WORDS; word++) {
          hashes[i * HASH_WORDS + word] = words[slot + word] as number
        }
        places[i * 2] = words[slot + ROW] as number
        places[i * 2 + 1] = words[slot + FILE] as number
      }
      yield { hashes, places }
    }
  }

  #slotOf(hashes: Uint32Array, at: number): number {
    return ((hashes[at] as number) & (this.#slots - 1)) * SLOT
  }

  #next(slot: number): number {
    return slot + SLOT === this.#words.length ? 0 : slot + SLOT
  }

  #grow(): void {
    const before = this.#words
    this.#slots *= 2
    this.#words = emptySlots(this.#slots)
    this.#size = 0
    for (let slot = 0; slot < before.length; slot += SLOT) {
      if (before[slot + FILE] === EMPTY) continue
      this.add(before, slot, before[slot + FILE] as number, before[slot + ROW] as number)
    }
  }
}

function emptySlots(count: number): Uint32Array {
  return new Uint32Array(count * SLOT).fill(EMPTY)
}
