/** Reads: rows of a version, keys, and their files after skipping. */
import { DeltaError } from '../core/index.ts'
import type { AddAction } from './actions.ts'
import { mayHoldKeys, mayHoldTerms, statsOf, wantedValues } from './data-skipping.ts'
import { leaseFiles, withFiles } from './leased-files.ts'
import type { Snapshot } from './log-state.ts'
import type { EngineColumn, ScanRequest } from './parquet-engine.ts'
import { trackingColumns } from './row-tracking/index.ts'
import { checkedRow } from './rows.ts'
import { engineColumns } from './table-files.ts'
import type { TableLog } from './table-log.ts'
import type { InputRow } from './values/cells.ts'

/** Which rows and columns. */
export interface ReadOptions<C extends string = string> {
  /** All by default, in the order of the schema. */
  readonly columns?: readonly C[]
  /** SQL boolean expression over the columns. */
  readonly where?: string
  /** The most rows. */
  readonly limit?: number
  /**
   * With the columns `_row_id` and `_row_commit_version`: the id that a row keeps when it is changed or moved to
   * another file, and the version in which it was last written. Only of tables with
   * `delta.enableRowTracking`.
   */
  readonly rowIds?: boolean
}

/** Runs `use` with the scan of the snapshot, while its files are at hand. */
export async function withScan<T>(
  log: TableLog,
  snapshot: Snapshot,
  options: ReadOptions,
  use: (request: ScanRequest) => Promise<T>
): Promise<T> {
  const { request, release } = await openScan(log, snapshot, options)
  try {
    return await use(request)
  } finally {
    release()
  }
}

/** The scan of the snapshot; its files stay at hand until released. */
export async function openScan(
  log: TableLog,
  snapshot: Snapshot,
  options: ReadOptions
): Promise<{ request: ScanRequest; release: () => void }> {
  const schema = [...engineColumns(snapshot), ...idColumns(log, snapshot, options)]
  const columns = checkedColumns(log, schema, options.columns)
  const selected = await selectFiles(log, snapshot, options.where)
  const { files, release } = await leaseFiles(log, selected)
  const request = {
    files,
    schema,
    columns,
    ...(options.where === undefined ? {} : { where: options.where }),
    ...(options.limit === undefined ? {} : { limit: options.limit })
  }
  return { request, release }
}

/** The given key rows that are stored, as indexes into `rows`. Key columns must not be null. */
export async function findKeys(
  log: TableLog,
  snapshot: Snapshot,
  keys: readonly string[],
  given: readonly InputRow[]
): Promise<Set<number>> {
  const fields = snapshot.fields.filter(field => keys.includes(field.name))
  const byName = new Map(fields.map(field => [field.name, field]))
  const rows = given.map(row => checkedRow(byName, row, log.where))
  const wanted = fields.map(field =>
    wantedValues(
      field,
      rows.map(row => row[field.name] ?? null)
    )
  )
  const files = [...snapshot.files.values()].filter(add => mayHoldKeys(add, wanted))
  if (files.length === 0 || rows.length === 0) return new Set()
  const columns = engineColumns(snapshot).filter(column => keys.includes(column.name))
  const matches = await withFiles(log, files, dataFiles =>
    log.ports.engine.match({ files: dataFiles, keys: columns, rows, columns: [] })
  )
  return new Set(matches.map(match => match.row))
}

export async function countRows(log: TableLog, snapshot: Snapshot): Promise<number> {
  let rows = 0
  const uncounted: AddAction[] = []
  for (const add of snapshot.files.values()) {
    const { numRecords } = statsOf(add)
    rows -= add.deletionVector?.cardinality ?? 0
    if (numRecords === undefined) uncounted.push(add)
    else rows += Number(numRecords)
  }
  if (uncounted.length === 0) return rows
  const counts = await withFiles(log, uncounted, files =>
    log.ports.engine.rowCounts(files.map(file => file.localPath))
  )
  return counts.reduce((sum, count) => sum + count, rows)
}

/** The files that can hold a row of the filter. */
export async function selectFiles(
  log: TableLog,
  snapshot: Snapshot,
  where: string | undefined
): Promise<AddAction[]> {
  const files = [...snapshot.files.values()]
  if (where === undefined) return files
  const { terms } = await log.ports.engine.filterParts(where)
  const fields = new Map(snapshot.fields.map(field => [field.name.toLowerCase(), field]))
  return files.filter(add => mayHoldTerms(add, terms, fields))
}

const ID_NAMES = ['_row_id', '_row_commit_version']

/** The columns of row tracking, if they are asked for. */
function idColumns(log: TableLog, snapshot: Snapshot, { rowIds }: ReadOptions): EngineColumn[] {
  if (rowIds !== true) return []
  const columns = trackingColumns(snapshot)
  const taken = snapshot.fields.find(({ name }) => ID_NAMES.includes(name.toLowerCase()))
  if (columns.length === ID_NAMES.length && taken === undefined) {
    return columns.map((column, index) => ({ ...column, name: ID_NAMES[index] ?? column.name }))
  }
  const why = taken === undefined ? 'does not track rows' : `has a column ${taken.name} of its own`
  throw new DeltaError('DELTA_QUERY_INVALID', `${log.where} ${why}: it gives no row ids`)
}

function checkedColumns(
  log: TableLog,
  schema: readonly EngineColumn[],
  columns: readonly string[] | undefined
): string[] {
  const names = schema.map(column => column.name)
  const unknown = columns?.find(column => !names.includes(column))
  if (unknown !== undefined) {
    throw new DeltaError('DELTA_QUERY_INVALID', `${log.where} has no column ${unknown}`)
  }
  return columns === undefined ? names : [...columns]
}
