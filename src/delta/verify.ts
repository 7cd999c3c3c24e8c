/** Checks a table against its log: files, sizes, row counts, keys. */
import { isPipelineError } from '../core/index.ts'
import type { AddAction } from './actions.ts'
import { statsOf } from './data-skipping.ts'
import { withFiles } from './leased-files.ts'
import type { Snapshot } from './log-state.ts'
import { engineColumns, objectPath } from './table-files.ts'
import type { TableLog } from './table-log.ts'

/** What a check of a table found. */
export interface VerifyReport {
  /** The version that was checked. */
  readonly version: number
  /** Data files. */
  readonly files: number
  /** Rows that were counted, without deleted ones. */
  readonly rows: number
  /** Bytes of the data files, as the log says. */
  readonly bytes: number
  /** Sentences, one a problem; empty when all is well. */
  readonly problems: readonly string[]
}

/** `keys`: columns whose values together must occur once. */
export async function verifyTable(
  log: TableLog,
  snapshot: Snapshot,
  keys: readonly string[] | undefined
): Promise<VerifyReport> {
  const problems = await log.checksumProblems(snapshot)
  const present: AddAction[] = []
  for (const add of snapshot.files.values()) {
    const problem = await checkObject(log, add)
    if (problem === undefined) present.push(add)
    else problems.push(problem)
  }
  let rows = 0
  for (const add of present) {
    const counted = await countRows(log, add)
    if (typeof counted === 'string') problems.push(counted)
    else rows += counted
  }
  if (keys !== undefined && keys.length > 0 && problems.length === 0 && present.length > 0) {
    const columns = engineColumns(snapshot).filter(column => keys.includes(column.name))
    const duplicates = await withFiles(log, present, files =>
      log.ports.engine.duplicateKeys(files, columns)
    )
    if (duplicates > 0)
      problems.push(`${duplicates} keys (${keys.join(', ')}) occur more than once`)
  }
  const bytes = [...snapshot.files.values()].reduce((sum, add) => sum + add.size, 0)
  return { version: snapshot.version, files: snapshot.files.size, rows, bytes, problems }
}

async function checkObject(log: TableLog, add: AddAction): Promise<string | undefined> {
  const info = await log.ports.store.head(objectPath(log.path, add))
  if (info === undefined) return `${add.path} is missing`
  if (info.size === add.size) return undefined
  return `${add.path} has ${info.size} bytes, the log says ${add.size}`
}

/** The rows that count, or what is wrong with the file or its deletion vector. */
async function countRows(log: TableLog, add: AddAction): Promise<number | string> {
  const deleted = await deletedRows(log, add)
  if (typeof deleted === 'string') return deleted
  try {
    const [count = 0] = await withFiles(log, [{ ...add, deletionVector: null }], files =>
      log.ports.engine.rowCounts(files.map(file => file.localPath))
    )
    const logged = statsOf(add).numRecords
    if (logged !== undefined && Number(logged) !== count) {
      return `${add.path} has ${count} rows, the log says ${logged}`
    }
    if (deleted !== undefined && (deleted.at(-1) ?? 0) >= count) {
      return `The deletion vector of ${add.path} names rows beyond its ${count}`
    }
    return count - (deleted?.length ?? 0)
  } catch (error) {
    if (isPipelineError(error) && error.code === 'DELTA_DATA_CORRUPT') {
      return `${add.path} is not a readable Parquet file`
    }
    throw error
  }
}

async function deletedRows(
  log: TableLog,
  add: AddAction
): Promise<Uint32Array | string | undefined> {
  try {
    return await log.vectors.load(add)
  } catch (error) {
    if (isPipelineError(error) && error.code === 'DELTA_DATA_CORRUPT') return error.message
    throw error
  }
}
