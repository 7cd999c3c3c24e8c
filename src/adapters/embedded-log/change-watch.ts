/**
 * Notices writes of other processes: `PRAGMA data_version` changes when another connection commits.
 * It costs microseconds, and is asked only while a consumer waits.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { LogNotifier } from './notifier.ts'

export interface ChangeWatch {
  /** Watches until the returned function is called. */
  watch(): () => void
  close(): void
}

export function createChangeWatch(
  db: DatabaseSync,
  notifier: LogNotifier,
  pollIntervalMs: number
): ChangeWatch {
  const statement = db.prepare('PRAGMA data_version')
  let watchers = 0
  let timer: NodeJS.Timeout | undefined
  let seen = -1

  function version(): number {
    try {
      return Number(statement.get()?.['data_version'])
    } catch {
      // Busy for an instant (recovery of the file): look again at the next tick.
      return seen
    }
  }

  function tick(): void {
    const now = version()
    if (now === seen) return
    seen = now
    notifier.notify({ kind: 'unknown' })
  }

  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }

  return {
    watch() {
      watchers++
      timer ??= setInterval(tick, pollIntervalMs)
      let ended = false
      return () => {
        if (ended) return
        ended = true
        watchers--
        if (watchers === 0) stop()
      }
    },
    close: stop
  }
}
