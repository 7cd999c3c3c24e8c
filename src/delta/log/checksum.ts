/**
 * Version checksums (PROTOCOL.md "Version Checksum File"): what a version amounts to, beside its commit, so
 * that a log that was tampered with can be told. They are optional, and none is ever replaced.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  isJsonObject,
  isPipelineError,
  type JsonObject,
  parseJson,
  stringifyJson
} from '../../core/index.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { checksumPath } from '../log-path.ts'
import type { LogState } from '../log-state.ts'
import { readerFeatures } from '../protocol/features.ts'
import { hasInCommitTimestamps } from './in-commit-timestamps.ts'

/** More of them are left out: they would be written anew with each commit. */
const MOST_LISTED = 1000

/** The checksum of the state as it is now, as the text of its file. */
export function checksumOf(state: LogState, txnId?: string): string {
  const { metadata, protocol, files, domains, transactions } = state.snapshot()
  const { bytes, vectors, deletedRows } = state.totals
  return stringifyJson({
    ...(txnId === undefined ? {} : { txnId }),
    tableSizeBytes: bytes,
    numFiles: files.size,
    ...(readerFeatures(protocol).includes('deletionVectors')
      ? { numDeletedRecordsOpt: deletedRows, numDeletionVectorsOpt: vectors }
      : {}),
    numMetadata: 1,
    numProtocol: 1,
    ...(hasInCommitTimestamps(metadata) && state.inCommitTimestamp !== undefined
      ? { inCommitTimestampOpt: state.inCommitTimestamp }
      : {}),
    ...(transactions.size <= MOST_LISTED ? { setTransactions: state.transactionActions() } : {}),
    ...(domains.size <= MOST_LISTED ? { domainMetadata: [...domains.values()] } : {}),
    metadata,
    protocol
  })
}

/** Stores it, unless the version has one. */
export async function writeChecksum(
  store: ObjectStore,
  table: string,
  version: number,
  text: string
): Promise<void> {
  await store.put(checksumPath(table, version), Buffer.from(text), { ifAbsent: true })
}

/** Sentences on what the version's checksum says otherwise than the state; none when there is no checksum. */
export async function compareChecksum(
  store: ObjectStore,
  table: string,
  state: LogState
): Promise<string[]> {
  const name = `The checksum of version ${state.version}`
  const stored = await readChecksum(store, table, state.version)
  if (stored === undefined) return []
  if (stored === 'damaged') return [`${name} cannot be read`]
  const own = parseJson(checksumOf(state)) as JsonObject
  const problems: string[] = []
  for (const field of [
    'tableSizeBytes',
    'numFiles',
    'numDeletedRecordsOpt',
    'numDeletionVectorsOpt',
    'inCommitTimestampOpt'
  ]) {
    const [said, found] = [stored[field], own[field]]
    if (said == null || found === undefined || said === found) continue
    problems.push(`${name} says ${field} ${said}, the log amounts to ${found}`)
  }
  for (const field of ['numMetadata', 'numProtocol']) {
    if (stored[field] !== 1) problems.push(`${name} says ${field} ${stored[field]}, not 1`)
  }
  for (const field of ['metadata', 'protocol', 'setTransactions', 'domainMetadata', 'allFiles']) {
    if (stored[field] == null) continue
    const found = field === 'allFiles' ? filesOf(state) : own[field]
    if (found === undefined || isDeepStrictEqual(plain(stored[field]), plain(found))) continue
    problems.push(`${name} says otherwise of ${field} than the log`)
  }
  return problems
}

async function readChecksum(
  store: ObjectStore,
  table: string,
  version: number
): Promise<JsonObject | 'damaged' | undefined> {
  try {
    const bytes = await store.get(checksumPath(table, version))
    const value = parseJson(Buffer.from(bytes).toString())
    return isJsonObject(value) ? value : 'damaged'
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged'
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
}

/** Files by what tells them apart; writers differ in the rest. */
function filesOf(state: LogState): unknown {
  return [...state.snapshot().files.values()].map(({ path, size, deletionVector }) => ({
    path,
    size,
    deletionVector
  }))
}

/** Without what is empty or only some writers give, lists in one order. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(plain).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (!isJsonObject(value as never)) return value
  const known = Object.entries(value as JsonObject)
    .filter(([name, inner]) => inner !== null && inner !== undefined && !LEFT_OUT.has(name))
    .map(([name, inner]) => [name, plain(inner)] as const)
    .filter(([, inner]) => !isEmpty(inner))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(known)
}

const LEFT_OUT = new Set([
  'lastUpdated',
  'modificationTime',
  'dataChange',
  'stats',
  'tags',
  'partitionValues',
  'baseRowId',
  'defaultRowCommitVersion',
  'clusteringProvider',
  'maxRowIndex'
])

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
