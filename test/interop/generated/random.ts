/** Random choices that a seed determines. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0
    for (let i = 0; i < 4; i++) this.next()
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number in [low, high]. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  chance(part: number): boolean {
    return this.next() < part
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T
  }

  some<T>(items: readonly T[], most: number): T[] {
    const left = [...items]
    const chosen: T[] = []
    for (let count = this.int(0, Math.min(most, left.length)); count > 0; count--) {
      chosen.push(...left.splice(this.int(0, left.length - 1), 1))
    }
    return chosen
  }
}
