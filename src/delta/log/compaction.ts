/**
 * Log compaction (PROTOCOL.md "Log Compaction Files"): one file that says what several commits amount to.
 * The commits stay; who reads the log reads one file instead of many.
 */
import { DeltaError } from '../../core/index.ts'
import { type Action, serialiseCommit } from '../actions.ts'
import { compactionPath } from '../log-path.ts'
import { readCommitIfThere } from '../log-reader.ts'
import type { DeltaPorts } from '../ports.ts'
import { keyOf } from './reconciled.ts'

/** Commits read at a time. */
const READ_AHEAD = 16

/**
 * Writes the compaction of the versions `from` to `to`, both included, unless it is there. Rejects with
 * `DELTA_VERSION_NOT_FOUND` when one of them is not.
 */
export async function compactLog(
  ports: DeltaPorts,
  table: string,
  from: number,
  to: number
): Promise<void> {
  const where = `${ports.store.root}/${table}`
  if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from < to)) {
    throw new DeltaError(
      'DELTA_VERSION_NOT_FOUND',
      `The versions ${from} to ${to} of ${where} cannot be compacted: they are not two or more in a row`
    )
  }
  const compacted = new Compacted()
  for (let first = from; first <= to; first += READ_AHEAD) {
    const count = Math.min(READ_AHEAD, to - first + 1)
    const versions = Array.from({ length: count }, (_, index) => first + index)
    const read = await Promise.all(versions.map(one => readCommitIfThere(ports, table, one)))
    for (const [index, actions] of read.entries()) {
      if (actions !== undefined) {
        compacted.take(actions)
        continue
      }
      throw new DeltaError(
        'DELTA_VERSION_NOT_FOUND',
        `${where} has no version ${first + index} that could be compacted`
      )
    }
  }
  const bytes = Buffer.from(serialiseCommit(compacted.actions()))
  await ports.store.put(compactionPath(table, from, to), bytes, { ifAbsent: true })
}

/** Of actions that are about the same thing the last one counts; those about a commit itself do not. */
class Compacted {
  readonly #byKey = new Map<string, Action>()

  take(actions: readonly Action[]): void {
    for (const action of actions) {
      const key = keyOf(action)
      if (key === undefined) continue
      this.#byKey.delete(key)
      this.#byKey.set(key, action)
    }
  }

  actions(): Action[] {
    return [...this.#byKey.values()]
  }
}
