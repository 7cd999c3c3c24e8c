/**
 * Ids of the rows of new files (PROTOCOL.md "Writer Requirements for Row Tracking"). They follow the highest
 * id ever given, which a domain of the table keeps; so they are assigned anew on each attempt to commit.
 */
import { DeltaError, isJsonObject, parseJson } from '../../core/index.ts'
import type { Action, AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { withFiles } from '../leased-files.ts'
import type { Snapshot } from '../log-state.ts'
import type { TableLog } from '../table-log.ts'
import { assignsRowIds, ROW_TRACKING_DOMAIN } from './columns.ts'

/** The actions of the version after the snapshot, with ids for the files that have none. */
export async function withRowIds(
  log: TableLog,
  snapshot: Snapshot,
  actions: readonly Action[]
): Promise<readonly Action[]> {
  const protocol = actions.find(action => action.protocol != null)?.protocol ?? snapshot.protocol
  const metadata = actions.find(action => action.metaData != null)?.metaData ?? snapshot.metadata
  if (!assignsRowIds({ protocol, metadata })) return actions
  const missing = actions.flatMap(({ add }) => (add == null || hasIds(add) ? [] : [add]))
  if (missing.length === 0) return actions
  const rows = await rowCounts(log, missing)
  const version = snapshot.version + 1
  const known = isRestore(actions) ? idsOfRemoved(log) : undefined
  let next = highWaterMark(snapshot, log.where) + 1n
  const assigned = actions.map(action => {
    if (action.add == null || hasIds(action.add)) return action
    const add = { ...action.add, ...known?.get(action.add.path) }
    const first = add.baseRowId ?? numberOf(next)
    if (add.baseRowId == null) next += rows.get(action.add) ?? 0n
    const defaultRowCommitVersion = add.defaultRowCommitVersion ?? version
    return { add: { ...add, baseRowId: first, defaultRowCommitVersion } }
  })
  const configuration = `{"rowIdHighWaterMark":${next - 1n}}`
  return [
    ...assigned,
    { domainMetadata: { domain: ROW_TRACKING_DOMAIN, configuration, removed: false } }
  ]
}

function isRestore(actions: readonly Action[]): boolean {
  return actions.some(({ commitInfo }) => commitInfo?.operation === 'RESTORE')
}

/** A file that comes back has the ids that it had last, though the version restored may not know them. */
function idsOfRemoved(
  log: TableLog
): Map<string, Pick<AddAction, 'baseRowId' | 'defaultRowCommitVersion'>> {
  return new Map(
    log
      .tombstones()
      .flatMap(({ path, baseRowId, defaultRowCommitVersion }) =>
        baseRowId == null || defaultRowCommitVersion == null
          ? []
          : [[path, { baseRowId, defaultRowCommitVersion }]]
      )
  )
}

export function hasIds(add: AddAction): boolean {
  return add.baseRowId != null && add.defaultRowCommitVersion != null
}

/** The highest row id given so far; -1 for none. */
function highWaterMark(snapshot: Snapshot, where: string): bigint {
  const text = snapshot.domains.get(ROW_TRACKING_DOMAIN)?.configuration
  if (text !== undefined) {
    const mark = markOf(text)
    if (mark !== undefined) return mark
    throw new DeltaError(
      'DELTA_LOG_CORRUPT',
      `${where}: the domain ${ROW_TRACKING_DOMAIN} holds no rowIdHighWaterMark: ${text}`
    )
  }
  let highest = -1n
  for (const add of snapshot.files.values()) {
    if (add.baseRowId == null) continue
    const last = BigInt(add.baseRowId) + BigInt(statsOf(add).numRecords ?? 0) - 1n
    if (last > highest) highest = last
  }
  return highest
}

function markOf(text: string): bigint | undefined {
  try {
    const value = parseJson(text)
    const mark = isJsonObject(value) ? value['rowIdHighWaterMark'] : undefined
    return typeof mark === 'number' || typeof mark === 'bigint' ? BigInt(mark) : undefined
  } catch {
    return undefined
  }
}

/** Rows of each file, deleted ones too: from the statistics, else from the footers. */
async function rowCounts(
  log: TableLog,
  adds: readonly AddAction[]
): Promise<Map<AddAction, bigint>> {
  const counts = new Map<AddAction, bigint>()
  const uncounted: AddAction[] = []
  for (const add of adds) {
    const { numRecords } = statsOf(add)
    if (numRecords === undefined) uncounted.push(add)
    else counts.set(add, BigInt(numRecords))
  }
  if (uncounted.length === 0) return counts
  const files = uncounted.map(add => ({ ...add, deletionVector: null }))
  const rows = await withFiles(log, files, local =>
    log.ports.engine.rowCounts(local.map(file => file.localPath))
  )
  for (const [index, add] of uncounted.entries()) counts.set(add, BigInt(rows[index] ?? 0))
  return counts
}

function numberOf(id: bigint): number | bigint {
  return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : id
}
