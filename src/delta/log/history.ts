/** What the commits of a table say of themselves. */
import type { CommitInfoAction } from '../actions.ts'
import { readCommitInfo } from '../log-reader.ts'
import type { DeltaPorts } from '../ports.ts'
import type { HistoryEntry } from '../table-options.ts'
import { fileTimes } from './commit-times.ts'

/** Commits read at a time. */
const READ_AHEAD = 16

/** The newest first, as far as their files are still there. */
export async function historyOf(
  ports: DeltaPorts,
  table: string,
  newest: number,
  limit: number
): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = []
  const times = await fileTimes(ports, table, newest)
  const last = Math.max(0, newest - limit + 1)
  for (let first = newest; first >= last; first -= READ_AHEAD) {
    const count = Math.min(READ_AHEAD, first - last + 1)
    const versions = Array.from({ length: count }, (_, index) => first - index)
    const infos = await Promise.all(versions.map(one => readCommitInfo(ports, table, one)))
    for (const [index, info] of infos.entries()) {
      if (info === undefined) return entries
      entries.push(entryOf(first - index, info, times.get(first - index)))
    }
  }
  return entries
}

/** The time is the one that time travel goes by, and not when the writer began to write, as the commit says. */
function entryOf(
  version: number,
  info: CommitInfoAction,
  committed: number | undefined
): HistoryEntry {
  const { inCommitTimestamp, timestamp, operationParameters, operationMetrics } = info
  return {
    version,
    timestamp: whole(inCommitTimestamp) ?? committed ?? whole(timestamp),
    inCommitTimestamp: whole(inCommitTimestamp) !== undefined,
    operation: text(info.operation),
    parameters: fieldsOf(operationParameters),
    metrics: Object.fromEntries(
      Object.entries(fieldsOf(operationMetrics)).map(([name, value]) => [name, String(value)])
    ),
    readVersion: whole(info['readVersion']),
    engine: text(info['engineInfo']),
    isBlindAppend: typeof info.isBlindAppend === 'boolean' ? info.isBlindAppend : undefined,
    isolationLevel: text(info['isolationLevel']),
    txnId: text(info.txnId),
    userName: text(info['userName'])
  }
}

function whole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}
