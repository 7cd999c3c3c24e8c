/** Work of one table object, one after the other in the order in which it was asked for. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()

  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last
    const mine = (async () => {
      await before.catch(() => undefined)
      signal?.throwIfAborted()
      return await work()
    })()
    this.#last = mine
    return await mine
  }

  /** Resolves when what was asked for so far is done. */
  async idle(): Promise<void> {
    await this.#last.catch(() => undefined)
  }
}
