/**
 * Which files must be read for the changes of a range of versions, in the order of the versions. All that
 * makes the range unreadable is found here, before the first row is given.
 */
import { DeltaError } from '../../core/index.ts'
import type { AddAction } from '../actions.ts'
import { mayHoldTerms } from '../data-skipping.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import type { EngineColumn } from '../parquet-engine.ts'
import type { ReadOptions } from '../read.ts'
import { isNested } from '../schema.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { assertNoChangeColumns, COMMIT_COLUMNS, STORED_CHANGE_TYPE } from './columns.ts'
import { assertReadableChanges } from './compatible.ts'
import { type FileChange, fileChanges } from './file-changes.ts'
import { type ChangesRange, commitsOf, versionRange } from './range.ts'

/** `columns` and `where` may name `_change_type`, `_commit_version` and `_commit_timestamp` too. */
export interface ChangesOptions extends ChangesRange, ReadOptions {}

export interface CommittedChange extends FileChange {
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** Files that one scan reads. */
export type Run = readonly CommittedChange[]

export interface ChangesPlan {
  readonly runs: readonly Run[]
  /** Columns of the table as they are in the last version of the range. */
  readonly table: readonly EngineColumn[]
  readonly columns: readonly string[]
}

/** Files at hand at a time. */
const FILES_AT_ONCE = 256

export async function planChanges(log: TableLog, options: ChangesOptions): Promise<ChangesPlan> {
  const newest = await log.refresh()
  const range = await versionRange(log, newest.version, options)
  const at = async (version: number): Promise<Snapshot> =>
    version >= newest.version ? newest : await log.at(version)
  const last = range.to < range.from ? newest : await at(range.to)
  const { fields, metadata } = last
  assertNoChangeColumns(metadata, fields, log.where)
  const table = engineColumns(last)
  const columns = checkedColumns(log, table, options.columns)
  if (range.to < range.from) return { runs: [], table, columns }
  assertReadableChanges((await at(range.from)).metadata, range.from, last, log.where)
  const { where } = options
  const { engine } = log.ports
  const terms = where === undefined ? [] : (await engine.filterParts(where)).terms
  const byName = new Map(fields.map(field => [field.name.toLowerCase(), field]))
  const changes: CommittedChange[] = []
  for await (const { version, timestamp, actions } of commitsOf(log, range)) {
    for (const { metaData } of version > range.from ? actions : []) {
      if (metaData != null) assertReadableChanges(metaData, version, last, log.where)
    }
    for (const change of await completed(log, version, fileChanges(actions))) {
      if (!mayHoldTerms(change.file as AddAction, terms, byName)) continue
      changes.push({ ...change, version, timestamp })
    }
  }
  return { runs: runsOf(changes, table), table, columns }
}

function checkedColumns(
  log: TableLog,
  table: readonly EngineColumn[],
  columns: readonly string[] | undefined
): string[] {
  const names = [...table, STORED_CHANGE_TYPE, ...COMMIT_COLUMNS].map(({ name }) => name)
  const unknown = columns?.find(column => !names.includes(column))
  if (unknown === undefined) return columns === undefined ? names : [...columns]
  throw new DeltaError('DELTA_QUERY_INVALID', `Changes of ${log.where} have no column ${unknown}`)
}

/** Tombstones need not say the partition of their file; the version before does. */
async function completed(
  log: TableLog,
  version: number,
  changes: readonly FileChange[]
): Promise<readonly FileChange[]> {
  if (changes.every(({ file }) => file.partitionValues != null)) return changes
  const { files } = await log.at(version - 1)
  return changes.map(change => {
    const { file } = change
    const known = file.partitionValues == null ? files.get(fileKey(file as AddAction)) : undefined
    if (known === undefined) return change
    return { ...change, file: { ...file, partitionValues: known.partitionValues } }
  })
}

/** Changes that one scan gives in their order: files with and without deleted rows are read apart. */
function runsOf(changes: readonly CommittedChange[], table: readonly EngineColumn[]): Run[] {
  // Files with nested columns are read in groups of equal types, so only one version at a time.
  const nested = table.some(({ type }) => isNested(type))
  const kindOf = ({ type, markedNotBy, file, version }: CommittedChange): string => {
    const rows = markedNotBy !== undefined ? 'only' : file.deletionVector == null ? 'all' : 'rest'
    return `${type === undefined ? 'stored' : rows} ${nested ? version : ''}`
  }
  const runs: CommittedChange[][] = []
  for (const change of changes) {
    const run = runs.at(-1)
    const [first] = run ?? []
    const fits = first !== undefined && kindOf(first) === kindOf(change)
    if (run !== undefined && fits && run.length < FILES_AT_ONCE) run.push(change)
    else runs.push([change])
  }
  return runs
}
