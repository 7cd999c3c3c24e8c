/**
 * Reads the changes of a range of versions, in the order of the versions: files of one kind that follow
 * each other are read together, so that a range of many small commits takes few scans.
 */
import { rm } from 'node:fs/promises'
import { type CellValue, DeltaError, isPipelineError } from '../../core/index.ts'
import { differenceOf } from '../deletion-vectors/index.ts'
import { leaseFiles } from '../leased-files.ts'
import type { DataFile, EngineColumn, ExportFormat, ScanRequest } from '../parquet-engine.ts'
import { serialisePartitionValue } from '../partition-values.ts'
import { withoutMetadata } from '../schema.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import {
  CHANGE_TYPE,
  COMMIT_COLUMNS,
  COMMIT_TIMESTAMP,
  COMMIT_VERSION,
  CONSTANT_CHANGE_TYPE,
  STORED_CHANGE_TYPE
} from './columns.ts'
import {
  type ChangesOptions,
  type ChangesPlan,
  type CommittedChange,
  planChanges,
  type Run
} from './plan.ts'

/** The rows, a batch at a time, in the order of the versions. */
export async function* changeBatches(
  log: TableLog,
  options: ChangesOptions
): AsyncGenerator<Record<string, CellValue>[]> {
  const plan = await planChanges(log, options)
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for (const run of plan.runs) {
    if (left <= 0) return
    const { request, release } = await openRun(log, plan, run, options, left)
    try {
      for await (const batch of log.ports.engine.scanBatches(request)) {
        left -= batch.length
        yield batch
      }
    } catch (error) {
      throw await explained(log, run, error)
    } finally {
      release()
    }
  }
}

/** Writes the rows to a local file, in the order of the versions; resolves to their number. */
export async function exportChanges(
  log: TableLog,
  target: string,
  format: ExportFormat,
  options: ChangesOptions
): Promise<number> {
  const plan = await planChanges(log, options)
  const { runs } = plan
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  if (runs.length < 2)
    return await exportRun(log, plan, runs[0] ?? [], options, limit, target, format)
  const parts: string[] = []
  try {
    let left = limit
    for (const run of runs) {
      if (left <= 0) break
      const part = await log.data.scratchPath()
      parts.push(part)
      left -= await exportRun(log, plan, run, options, left, part, 'parquet')
    }
    const all = [...plan.table, STORED_CHANGE_TYPE, ...COMMIT_COLUMNS]
    return await log.ports.engine.export(
      {
        files: parts.map(localPath => ({ localPath, size: 0, partitionValues: {} })),
        schema: all.filter(({ name }) => plan.columns.includes(name)).map(plain),
        columns: plan.columns
      },
      target,
      format
    )
  } finally {
    for (const part of parts) await rm(part, { force: true })
  }
}

/** A column as an export has it. */
function plain({ name, type }: EngineColumn): EngineColumn {
  return { name, physicalName: name, type: withoutMetadata(type), partition: false }
}

async function exportRun(
  log: TableLog,
  plan: ChangesPlan,
  run: Run,
  options: ChangesOptions,
  limit: number,
  target: string,
  format: ExportFormat
): Promise<number> {
  const { request, release } = await openRun(log, plan, run, options, limit)
  try {
    return await log.ports.engine.export(request, target, format)
  } catch (error) {
    throw await explained(log, run, error)
  } finally {
    release()
  }
}

async function openRun(
  log: TableLog,
  { table, columns }: ChangesPlan,
  run: Run,
  { where }: ChangesOptions,
  limit: number
): Promise<{ request: ScanRequest; release: () => void }> {
  const only = await Promise.all(run.map(change => onlyRows(log, change)))
  const { files, release } = await leaseFiles(
    log,
    run.map(({ file, markedNotBy }) => ({
      path: file.path,
      size: file.size ?? 0,
      partitionValues: file.partitionValues ?? {},
      deletionVector: markedNotBy === undefined ? (file.deletionVector ?? null) : null
    }))
  ).catch(async (error: unknown) => {
    throw await explained(log, run, error)
  })
  const stored = run[0] !== undefined && run[0].type === undefined
  const request = {
    files: files.map((file, index) => changedFile(file, run[index], only[index])),
    schema: [...table, stored ? STORED_CHANGE_TYPE : CONSTANT_CHANGE_TYPE, ...COMMIT_COLUMNS],
    columns,
    ...(where === undefined ? {} : { where }),
    ...(Number.isFinite(limit) ? { limit } : {})
  }
  return { request, release }
}

function changedFile(
  file: DataFile,
  change: CommittedChange | undefined,
  only: Uint32Array | undefined
): DataFile {
  if (change === undefined) return file
  const { type, version, timestamp } = change
  const partitionValues = {
    ...file.partitionValues,
    ...(type === undefined ? {} : { [CHANGE_TYPE]: type }),
    [COMMIT_VERSION]: String(version),
    [COMMIT_TIMESTAMP]: serialisePartitionValue(BigInt(timestamp) * 1000n, 'timestamp')
  }
  return { ...file, partitionValues, ...(only === undefined ? {} : { only }) }
}

/** The rows that one vector marks and the other does not. */
async function onlyRows(
  log: TableLog,
  { file, markedNotBy }: CommittedChange
): Promise<Uint32Array | undefined> {
  if (markedNotBy === undefined) return undefined
  const none = new Uint32Array(0)
  const marked = (await log.vectors.load(file)) ?? none
  return differenceOf(marked, (await log.vectors.load(markedNotBy)) ?? none)
}

/** Files that a vacuum took are no damage of the table. */
async function explained(log: TableLog, run: Run, error: unknown): Promise<unknown> {
  const codes = ['DELTA_DATA_CORRUPT', 'STORAGE_NOT_FOUND']
  if (!isPipelineError(error) || !codes.includes(error.code)) return error
  for (const { file, version } of run) {
    const path = objectPath(log.path, file)
    if (path.startsWith('/') || (await log.ports.store.head(path)) !== undefined) continue
    return new DeltaError(
      'DELTA_VERSION_NOT_FOUND',
      `The changes of version ${version} of ${log.where} cannot be read: ${path} is gone. A vacuum deletes such files ` +
        'when they are older than delta.deletedFileRetentionDuration',
      { cause: error }
    )
  }
  return error
}
