/**
 * Keys of the newest files, in memory: an open-addressing hash table from 64-bit hashes to file and row.
 * A hash may be there several times; who finds one reads the row and compares the key itself.
 */

export interface HashedRow {
  readonly file: number
  readonly row: number
}

const EMPTY = 0xffff_ffff
const SMALLEST = 1024

export class RecentKeys {
  #hi = new Uint32Array(SMALLEST)
  #lo = new Uint32Array(SMALLEST)
  #file = new Uint32Array(SMALLEST).fill(EMPTY)
  #row = new Uint32Array(SMALLEST)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(hi: number, lo: number, file: number, row: number): void {
    if (this.#size * 2 >= this.#file.length) this.#grow()
    this.#size++
    const mask = this.#file.length - 1
    let slot = lo & mask
    while (this.#file[slot] !== EMPTY) slot = (slot + 1) & mask
    this.#hi[slot] = hi
    this.#lo[slot] = lo
    this.#file[slot] = file
    this.#row[slot] = row
  }

  /** Calls `found` for each row of the hash. */
  find(hi: number, lo: number, found: (file: number, row: number) => void): void {
    const mask = this.#file.length - 1
    for (let slot = lo & mask; this.#file[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.#hi[slot] !== hi || this.#lo[slot] !== lo) continue
      found(this.#file[slot] as number, this.#row[slot] as number)
    }
  }

  #grow(): void {
    const [hi, lo, file, row] = [this.#hi, this.#lo, this.#file, this.#row]
    const slots = file.length * 2
    this.#hi = new Uint32Array(slots)
    this.#lo = new Uint32Array(slots)
    this.#file = new Uint32Array(slots).fill(EMPTY)
    this.#row = new Uint32Array(slots)
    this.#size = 0
    for (let i = 0; i < file.length; i++) {
      if (file[i] === EMPTY) continue
      this.add(hi[i] as number, lo[i] as number, file[i] as number, row[i] as number)
    }
  }
}
