/** Runs `work` for each item, at most so many at a time. Rejects with the first error, when all that began has ended. */
export async function sideBySide<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed: { error: unknown } | undefined
  const worker = async (): Promise<void> => {
    while (failed === undefined) {
      const next = iterator.next()
      if (next.done === true) return
      try {
        signal?.throwIfAborted()
        await work(next.value)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  if (failed !== undefined) throw failed.error
}
