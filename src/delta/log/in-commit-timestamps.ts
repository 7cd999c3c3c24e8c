/**
 * In-commit timestamps (PROTOCOL.md "In-Commit Timestamps"): each commit says when it was made, later than
 * the one before, whatever the clocks and the store say.
 */
import type { Action, CommitInfoAction, MetadataAction } from '../actions.ts'
import type { Snapshot } from '../log-state.ts'
import { booleanProperty } from '../table-properties.ts'

const ENABLED = 'delta.enableInCommitTimestamps'
const SINCE_VERSION = 'delta.inCommitTimestampEnablementVersion'
const SINCE_TIMESTAMP = 'delta.inCommitTimestampEnablementTimestamp'

export function hasInCommitTimestamps(metadata: MetadataAction): boolean {
  return booleanProperty(metadata, ENABLED, false)
}

/** From where on commits carry them; undefined when the table has none. */
export function inCommitTimestampsSince(
  metadata: MetadataAction
): { readonly version: number; readonly timestamp: number } | undefined {
  if (!hasInCommitTimestamps(metadata)) return undefined
  const [version, timestamp] = [SINCE_VERSION, SINCE_TIMESTAMP].map(key =>
    Number(metadata.configuration[key] ?? Number.NaN)
  )
  const known = Number.isSafeInteger(version) && Number.isSafeInteger(timestamp)
  return known && version !== undefined && timestamp !== undefined
    ? { version, timestamp }
    : { version: 0, timestamp: Number.NEGATIVE_INFINITY }
}

/** Whether the commit that makes these changes is the one that turns them on. */
export function enablesInCommitTimestamps(
  before: MetadataAction,
  actions: readonly Action[]
): boolean {
  const after = metadataOf(actions)
  return after !== undefined && hasInCommitTimestamps(after) && !hasInCommitTimestamps(before)
}

/**
 * The actions of the version after the snapshot, the commit's own first, with the timestamp that the table
 * asks for. `now` is when the commit is attempted, `previous` the time of the commit before: its in-commit
 * timestamp or, where the table begins with them here, the time of its file.
 */
export function timedActions(
  before: Snapshot,
  commitInfo: CommitInfoAction,
  actions: readonly Action[],
  now: number,
  previous: number
): Action[] {
  const after = metadataOf(actions) ?? before.metadata
  if (!hasInCommitTimestamps(after)) return [{ commitInfo }, ...actions]
  const inCommitTimestamp = Math.max(Math.floor(now), Math.floor(previous) + 1)
  const since = hasInCommitTimestamps(before.metadata)
    ? sinceOf(before.metadata)
    : {
        [SINCE_VERSION]: String(before.version + 1),
        [SINCE_TIMESTAMP]: String(inCommitTimestamp)
      }
  return [
    { commitInfo: { inCommitTimestamp, ...commitInfo } },
    ...actions.map(action => (action.metaData == null ? action : withSince(action, since)))
  ]
}

/** What must stay through changes of the metadata, a restore too. */
function sinceOf({ configuration }: MetadataAction): Record<string, string> {
  const known = [SINCE_VERSION, SINCE_TIMESTAMP].flatMap(key => {
    const value = configuration[key]
    return value === undefined ? [] : [[key, value]]
  })
  return Object.fromEntries(known)
}

function withSince(action: Action, since: Readonly<Record<string, string>>): Action {
  const { metaData } = action
  if (metaData == null) return action
  const { [SINCE_VERSION]: _, [SINCE_TIMESTAMP]: __, ...others } = metaData.configuration
  return { metaData: { ...metaData, configuration: { ...others, ...since } } }
}

function metadataOf(actions: readonly Action[]): MetadataAction | undefined {
  return actions.find(action => action.metaData != null)?.metaData
}
