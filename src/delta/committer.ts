/**
 * Commits a version by put-if-absent. A conflict is a value. When the answer of the store is lost, the
 * log tells whether the commit landed: `commitInfo.txnId` marks our own.
 */
import { type Action, serialiseCommit } from './actions.ts'
import { commitPath } from './log-path.ts'
import { readCommitIfThere } from './log-reader.ts'
import type { DeltaPorts } from './ports.ts'

export type CommitResponse =
  | { readonly kind: 'committed'; readonly version: number }
  | { readonly kind: 'conflict'; readonly version: number }

const ATTEMPTS = 4
const PAUSE_MS = 50

/**
 * The first action must be `commitInfo` with a `txnId` of its own for each attempt at a version.
 * Rejects with the store's error when it stays unknown whether the commit landed.
 */
export async function commitVersion(
  ports: DeltaPorts,
  table: string,
  version: number,
  actions: readonly Action[]
): Promise<CommitResponse> {
  const bytes = Buffer.from(serialiseCommit(actions))
  const path = commitPath(table, version)
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await ports.store.put(path, bytes, { ifAbsent: true })
      if (result === 'stored') return { kind: 'committed', version }
      // An adapter that repeats a put may meet its own first one.
      return (await landed(ports, table, version, actions)) ?? { kind: 'conflict', version }
    } catch (error) {
      const found = await landed(ports, table, version, actions).catch(() => undefined)
      if (found !== undefined) return found
      if (attempt === ATTEMPTS) throw error
      await ports.clock.sleep(PAUSE_MS * 2 ** attempt)
    }
  }
}

/** What the log says about the version; undefined when nobody has committed it. */
async function landed(
  ports: DeltaPorts,
  table: string,
  version: number,
  actions: readonly Action[]
): Promise<CommitResponse | undefined> {
  const stored = await readCommitIfThere(ports, table, version)
  if (stored === undefined) return undefined
  const ours = actions.find(action => action.commitInfo != null)?.commitInfo?.txnId
  const theirs = stored.find(action => action.commitInfo != null)?.commitInfo?.txnId
  const kind = ours !== undefined && ours === theirs ? 'committed' : 'conflict'
  return { kind, version }
}
