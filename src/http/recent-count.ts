/** Events of the last second, in steps of a tenth. */
export class RecentCount {
  readonly #counts = new Array<number>(10).fill(0)
  #step = 0

  add(now: number): void {
    this.#roll(now)
    const slot = this.#step % 10
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1
  }

  lastSecond(now: number): number {
    this.#roll(now)
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  #roll(now: number): void {
    const step = Math.floor(now / 100)
    for (let i = Math.max(this.#step + 1, step - 9); i <= step; i += 1) this.#counts[i % 10] = 0
    this.#step = Math.max(this.#step, step)
  }
}
