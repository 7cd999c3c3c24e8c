/** The engine in a process of its own for bench/delta.ts: one message a job, one answer each. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import type { ColumnPolicy } from '../../src/core/index.ts'
import { DeltaTable, type MergeRules } from '../../src/delta/index.ts'
import { mediaColumns, rowsOfFile } from './media-rows.ts'

interface Job {
  /** A table of Parquet files that are there. */
  readonly create?: string
  readonly rows?: number
  readonly files?: number
  readonly optimize?: boolean
  readonly open?: string
  readonly work?: string
  readonly policies?: boolean
  readonly source?: string
}

const [directory = ''] = process.argv.slice(2)
const engine = await openDuckDb({ temporaryDirectory: join(directory, 'spill') })
const store = openLocalFiles({ root: join(directory, 'tables') })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
const options = { scratch: join(directory, 'scratch'), indexDirectory: join(directory, 'index') }
const instance = await DuckDBInstance.create(':memory:', { memory_limit: '64MB', threads: '1' })
const sources = await instance.connect()

const keys = ['media_id']
/** What deltalake's when_matched_update_all does: stored rows are replaced, whatever they hold. */
const upsert: MergeRules = { keys, policies: new Map(), overwrite: true }
/** As the tables of the pipeline do: older answers change nothing, and nothing is replaced by null. */
const merged: MergeRules = {
  keys,
  policies: new Map<string, ColumnPolicy>([
    ...mediaColumns.map(({ name }) => [name, 'coalesce'] as const),
    ['media_id', 'key'],
    ['created_at', 'first'],
    ['updated_at', 'replace']
  ]),
  guard: { columns: ['updated_at'], strict: false }
}
let table: DeltaTable | undefined

/** Commits the files that are there, and joins them if that is asked for. */
async function create(name: string, { rows = 0, files = 1, optimize }: Job): Promise<void> {
  const properties = { 'delta.enableDeletionVectors': 'true' }
  const spec = { columns: mediaColumns, properties }
  const created = await DeltaTable.openOrCreate(name, spec, ports, options)
  const adds = Array.from({ length: files }, (_, file) => {
    const path = `part-${file}.parquet`
    const { size } = statSync(join(created.location, path))
    const numRecords = Math.floor((rows * (file + 1)) / files) - Math.floor((rows * file) / files)
    const stats = JSON.stringify({ numRecords })
    const add = { path, partitionValues: {}, size, modificationTime: 1, dataChange: true, stats }
    return JSON.stringify({ add })
  })
  await created.close()
  await store.put(`${name}/_delta_log/${'1'.padStart(20, '0')}.json`, Buffer.from(adds.join('\n')))
  if (optimize !== true) return
  const joined = await DeltaTable.open(name, ports, options)
  await joined.optimize()
  await joined.close()
}

/** Opens the table and has the index made, as it is beside the first merges. */
async function open(name: string): Promise<number> {
  table = await DeltaTable.open(name, ports, options)
  const started = performance.now()
  // Neither is there, but within the bounds of sorted or random ids: else no file would be searched.
  const absent = [{ media_id: '100000000-' }, { media_id: '8-' }]
  await table.merge(absent, { keys, policies: new Map(), deleteWhen: () => true })
  await table.settled()
  return (performance.now() - started) / 1000
}

process.on('message', (job: Job) => {
  void (async () => {
    let seconds = 0
    let bytes = 0
    if (job.create !== undefined) await create(job.create, job)
    else if (job.open !== undefined) seconds = await open(job.open)
    else {
      const rows = await rowsOfFile(sources, job.source ?? '')
      await table?.settled()
      const before = logBytes()
      const started = performance.now()
      const rules = job.policies === true ? merged : upsert
      const result = await table?.merge(
        rows,
        job.work === 'absent' ? { ...rules, overwrite: false, insertOnly: true } : rules
      )
      seconds = (performance.now() - started) / 1000
      bytes = (result?.bytesWritten ?? 0) + logBytes() - before
    }
    const status = readFileSync('/proc/self/status', 'utf8')
    const peakMiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    process.send?.({ seconds, bytes, peakMiB })
  })()
})

/** Bytes of the commits, which a merge writes too. */
function logBytes(): number {
  const log = join(table?.location ?? '', '_delta_log')
  return readdirSync(log)
    .filter(name => name.endsWith('.json'))
    .reduce((sum, name) => sum + statSync(join(log, name)).size, 0)
}

process.on('disconnect', () => {
  void (async () => {
    await table?.close()
    await engine.close()
    process.exit(0)
  })()
})
