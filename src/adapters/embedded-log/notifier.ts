/**
 * Tells waiting consumers that something changed. Log instances of one process that share a notifier
 * wake each other at once; between processes `change-watch.ts` looks at the file.
 */
export type ChangeListener = (change: LogChange) => void

export type LogChange =
  | { readonly kind: 'records'; readonly partitionIds: ReadonlySet<number> }
  | { readonly kind: 'group'; readonly groupId: number }
  /** Another process wrote: anything may have changed. */
  | { readonly kind: 'unknown' }

export interface LogNotifier {
  notify(change: LogChange): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: ChangeListener): () => void
}

/** A notifier for `openEmbeddedLog`; pass one to several logs on the same file. */
export function createLogNotifier(): LogNotifier {
  const listeners = new Set<ChangeListener>()
  return {
    notify(change) {
      for (const listener of [...listeners]) listener(change)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    }
  }
}
