/**
 * RESTORE: brings back the files, vectors, schema and properties of a former version in one new commit.
 * Nothing is copied, and the versions in between stay readable. As in Spark, `txn` versions are not
 * rewound: what an application has committed once stays committed, though its rows may be gone.
 */
import { isDeepStrictEqual } from 'node:util'
import { DeltaError } from '../../core/index.ts'
import type { Action, AddAction, CommitInfoAction, MetadataAction } from '../actions.ts'
import { CLUSTERING_DOMAIN } from '../clustering/columns.ts'
import { removeOf, vectorPath } from '../deletion-vectors/index.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { readerFeatures, writerFeatures } from '../protocol/features.ts'
import { protocolWith } from '../protocol/versions.ts'
import { isAppendOnly } from '../protocol.ts'
import { sideBySide } from '../side-by-side.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'

/** Options of `restore`. */
export interface RestoreOptions {
  /** The version to bring back. */
  readonly version: number
  /**
   * Restores even if files of that version are gone: their rows are missing then, and reading the
   * table fails until they are put back.
   */
  readonly ignoreMissingFiles?: boolean
  /** Commits nothing. */
  readonly dryRun?: boolean
  /** Ends the work before the commit; then nothing is in the table. */
  readonly signal?: AbortSignal
}

/** What a restore did. */
export interface RestoreResult {
  /** The new version; the newest one when nothing had to change, or on a dry run. */
  readonly version: number
  /** The version that was brought back. */
  readonly restoredVersion: number
  /** Files that are in the table again. */
  readonly filesRestored: number
  /** Files that are in the table no more. */
  readonly filesRemoved: number
  /** Bytes of the files restored. */
  readonly bytesRestored: number
  /** Bytes of the files removed. */
  readonly bytesRemoved: number
  /** Of the table afterwards. */
  readonly files: number
  /** Of the table afterwards. */
  readonly bytes: number
  /** Paths below the table of files of that version that are gone. */
  readonly missing: readonly string[]
  /** Whether nothing was committed because a dry run was asked for. */
  readonly dryRun: boolean
}

const CHECKS_AT_ONCE = 16
const NAMED_FILES = 10

/**
 * Rejects with `DELTA_VERSION_NOT_FOUND` when the version, or a file of it, is gone (unless
 * `ignoreMissingFiles`), with `DELTA_UNSUPPORTED` when the table is append-only.
 */
export async function restoreTable(log: TableLog, options: RestoreOptions): Promise<RestoreResult> {
  const present = new Map<string, boolean>()
  for (let conflicts = 0; ; ) {
    const current = await log.refresh()
    log.assertWritable(current)
    const wanted = await log.at(options.version)
    const plan = planOf(current, wanted)
    const missing = await missingFiles(log, plan.adds, present, options.signal)
    if (missing.length > 0 && options.ignoreMissingFiles !== true) {
      throw gone(log, options.version, missing)
    }
    if (isAppendOnly(current.metadata) && plan.removes.length > 0) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `${log.where} is append-only (delta.appendOnly): a restore would take rows away`
      )
    }
    const result = resultOf(current.version, wanted, plan, missing, options)
    const definition = definitionActions(log, current, wanted)
    const changes = plan.adds.length + plan.removes.length + definition.length
    if (changes === 0 || options.dryRun === true) return result
    options.signal?.throwIfAborted()
    const now = log.ports.clock.now()
    const response = await log.commit(current, infoOf(result), [
      ...definition,
      ...plan.removes.map(add => ({ remove: removeOf(add, now) })),
      ...plan.adds.map(add => ({ add: { ...add, dataChange: true } }))
    ])
    if (response.kind === 'committed') {
      log.followKeys()
      return { ...result, version: response.version }
    }
    conflicts++
    await log.pause(conflicts, options.signal)
  }
}

interface Plan {
  readonly adds: readonly AddAction[]
  readonly removes: readonly AddAction[]
}

/** A file with another vector is another logical file: it is removed and added. */
function planOf(current: Snapshot, wanted: Snapshot): Plan {
  return {
    adds: [...wanted.files.values()].filter(add => !current.files.has(fileKey(add))),
    removes: [...current.files.values()].filter(add => !wanted.files.has(fileKey(add)))
  }
}

async function missingFiles(
  log: TableLog,
  adds: readonly AddAction[],
  present: Map<string, boolean>,
  signal: AbortSignal | undefined
): Promise<string[]> {
  const paths = new Set<string>()
  for (const add of adds) {
    paths.add(objectPath(log.path, add))
    const vector = add.deletionVector == null ? undefined : vectorPath(log.path, add.deletionVector)
    if (vector !== undefined) paths.add(vector)
  }
  await sideBySide(
    [...paths].filter(path => !present.has(path)),
    CHECKS_AT_ONCE,
    async path => {
      present.set(path, await isThere(log, path))
    },
    signal
  )
  const prefix = log.path === '' ? '' : `${log.path}/`
  return [...paths]
    .filter(path => present.get(path) === false)
    .map(path => (path.startsWith(prefix) ? path.slice(prefix.length) : path))
    .sort()
}

/** What lies outside of the store, in tables that are shallow clones, cannot be asked for. */
async function isThere(log: TableLog, path: string): Promise<boolean> {
  if (path.startsWith('/')) return true
  return (await log.ports.store.head(path)) !== undefined
}

function gone(log: TableLog, version: number, missing: readonly string[]): DeltaError {
  const named = missing.slice(0, NAMED_FILES).join(', ')
  const more = missing.length > NAMED_FILES ? ` and ${missing.length - NAMED_FILES} more` : ''
  return new DeltaError(
    'DELTA_VERSION_NOT_FOUND',
    `${log.where} cannot be restored to version ${version}: ${missing.length} of its files are gone, perhaps by a vacuum: ${named}${more}`
  )
}

/** Protocol, metadata and clustering columns, as far as they differ. Demands of the protocol are never lowered. */
function definitionActions(log: TableLog, current: Snapshot, wanted: Snapshot): Action[] {
  const protocol = protocolWith(current.protocol, [
    ...writerFeatures(wanted.protocol),
    ...readerFeatures(wanted.protocol)
  ])
  const metaData = restoredMetadata(current.metadata, wanted.metadata)
  log.assertWritable({ ...wanted, protocol, metadata: metaData })
  const actions: Action[] = []
  if (protocol !== current.protocol) actions.push({ protocol })
  if (!isDeepStrictEqual(given(metaData), given(current.metadata))) actions.push({ metaData })
  const before = current.domains.get(CLUSTERING_DOMAIN)
  const after = wanted.domains.get(CLUSTERING_DOMAIN)
  if (before?.configuration === after?.configuration) return actions
  // Who clusters by nothing says so: the feature stays in the protocol.
  const configuration = after?.configuration ?? JSON.stringify({ clusteringColumns: [] })
  return [
    ...actions,
    { domainMetadata: { domain: CLUSTERING_DOMAIN, configuration, removed: false } }
  ]
}

/** How the log tells time is not part of what a version held. */
const KEPT = [
  'delta.enableInCommitTimestamps',
  'delta.inCommitTimestampEnablementVersion',
  'delta.inCommitTimestampEnablementTimestamp'
]

function restoredMetadata(current: MetadataAction, wanted: MetadataAction): MetadataAction {
  const configuration: Record<string, string> = { ...wanted.configuration }
  for (const key of KEPT) {
    const value = current.configuration[key]
    if (value === undefined) delete configuration[key]
    else configuration[key] = value
  }
  // Ids that columns have had are not given again.
  const key = 'delta.columnMapping.maxColumnId'
  const ids = [current, wanted].map(metadata => Number(metadata.configuration[key] ?? 0))
  if (configuration[key] !== undefined && ids.every(id => Number.isSafeInteger(id))) {
    configuration[key] = String(Math.max(...ids))
  }
  return { ...wanted, configuration }
}

/** A checkpoint gives null for what an action lacks. */
function given(metadata: MetadataAction): object {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value != null))
}

function resultOf(
  version: number,
  wanted: Snapshot,
  { adds, removes }: Plan,
  missing: readonly string[],
  options: RestoreOptions
): RestoreResult {
  return {
    version,
    restoredVersion: wanted.version,
    filesRestored: adds.length,
    filesRemoved: removes.length,
    bytesRestored: bytesOf(adds),
    bytesRemoved: bytesOf(removes),
    files: wanted.files.size,
    bytes: bytesOf(wanted.files.values()),
    missing,
    dryRun: options.dryRun === true
  }
}

function bytesOf(adds: Iterable<AddAction>): number {
  let bytes = 0
  for (const add of adds) bytes += add.size
  return bytes
}

function infoOf(result: RestoreResult): CommitInfoAction {
  return {
    operation: 'RESTORE',
    operationParameters: { version: result.restoredVersion, timestamp: null },
    operationMetrics: {
      numRestoredFiles: String(result.filesRestored),
      restoredFilesSize: String(result.bytesRestored),
      numRemovedFiles: String(result.filesRemoved),
      removedFilesSize: String(result.bytesRemoved),
      numOfFilesAfterRestore: String(result.files),
      tableSizeAfterRestore: String(result.bytes)
    },
    isolationLevel: 'Serializable',
    isBlindAppend: false
  }
}
