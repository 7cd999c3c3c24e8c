/**
 * `_last_checkpoint` (PROTOCOL.md "Last Checkpoint File"): where the newest checkpoint was when somebody
 * last wrote one. It is a hint: it may be missing, stale or damaged.
 */
import { isJsonObject, isPipelineError, parseJson, stringifyJson } from '../../core/index.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import {
  checkpointPartPaths,
  checkpointPath,
  lastCheckpointPath,
  logDirectory,
  parseLogName
} from '../log-path.ts'

export interface LastCheckpoint {
  readonly version: number
  /** Where its files should be. */
  readonly paths: readonly string[]
}

/** More parts than this are no checkpoint but damage. */
const MOST_PARTS = 10_000

export async function readLastCheckpoint(
  store: ObjectStore,
  table: string
): Promise<LastCheckpoint | undefined> {
  try {
    const bytes = await store.get(lastCheckpointPath(table))
    return parseHint(Buffer.from(bytes).toString(), table)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (isPipelineError(error) && error.code === 'STORAGE_NOT_FOUND') return undefined
    throw error
  }
}

export async function writeLastCheckpoint(
  store: ObjectStore,
  table: string,
  hint: {
    readonly version: number
    /** Number of actions. */
    readonly size: number
    readonly sizeInBytes: number
    readonly numOfAddFiles: number
  }
): Promise<void> {
  await store.put(lastCheckpointPath(table), Buffer.from(stringifyJson(hint)))
}

function parseHint(text: string, table: string): LastCheckpoint | undefined {
  const hint = parseJson(text)
  if (!isJsonObject(hint)) return undefined
  const { version, parts, v2Checkpoint } = hint
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) return undefined
  if (isJsonObject(v2Checkpoint)) {
    const name = String(v2Checkpoint['path'] ?? '').replace(/^.*\//, '')
    const file = parseLogName(name)
    const named = file.kind === 'v2Checkpoint' || file.kind === 'checkpoint'
    const paths = named && file.version === version ? [`${logDirectory(table)}/${name}`] : []
    return { version, paths }
  }
  if (parts == null) return { version, paths: [checkpointPath(table, version)] }
  const known = typeof parts === 'number' && parts > 0 && parts <= MOST_PARTS
  return { version, paths: known ? checkpointPartPaths(table, version, parts) : [] }
}
