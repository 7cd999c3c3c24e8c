/** The engine in a process of its own for bench/delta.ts: one message a job, one answer each. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import type { CellValue } from '../../src/core/index.ts'
import { type ColumnSpec, DeltaTable, type MergeRules } from '../../src/delta/index.ts'

interface Job {
  readonly open?: string
  readonly rows?: number
  readonly files?: number
  readonly work?: string
  readonly source?: string
}

const [directory = ''] = process.argv.slice(2)
const engine = await openDuckDb({ temporaryDirectory: join(directory, 'spill') })
const store = openLocalFiles({ root: join(directory, 'tables') })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
const options = { scratch: join(directory, 'scratch'), indexDirectory: join(directory, 'index') }
const instance = await DuckDBInstance.create(':memory:', { memory_limit: '64MB', threads: '1' })
const sources = await instance.connect()

const column = (name: string, type: ColumnSpec['type'], nullable = true): ColumnSpec => ({
  name,
  type,
  nullable
})
const columns = [
  column('media_id', 'string', false),
  column('project_id', 'string'),
  column('file_type', 'string'),
  column('file_name', 'string'),
  column('media_comment', 'string'),
  column('latitude', 'double'),
  column('longitude', 'double'),
  column('bytes', 'long'),
  column('created_at', 'timestamp'),
  column('updated_at', 'timestamp')
]
// What deltalake's when_matched_update_all does: stored rows are replaced, whatever they hold.
const upsert: MergeRules = { keys: ['media_id'], policies: new Map(), overwrite: true }
let table: DeltaTable | undefined

/** Commits the files that are there, then has the index made, as it is beside the first merges. */
async function open(name: string, rows: number, files: number): Promise<number> {
  const properties = { 'delta.enableDeletionVectors': 'true' }
  const created = await DeltaTable.openOrCreate(name, { columns, properties }, ports, options)
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
  table = await DeltaTable.open(name, ports, options)
  const started = performance.now()
  await table.merge([{ media_id: 'none' }], {
    keys: ['media_id'],
    policies: new Map(),
    deleteWhen: () => true
  })
  await table.settled()
  return (performance.now() - started) / 1000
}

async function rowsOf(source: string): Promise<Record<string, CellValue>[]> {
  const reader = await sources.runAndReadAll(
    `SELECT * REPLACE (epoch_us(created_at) AS created_at, epoch_us(updated_at) AS updated_at) FROM '${source}'`
  )
  return reader.getRowObjects() as Record<string, CellValue>[]
}

process.on('message', (job: Job) => {
  void (async () => {
    let seconds = 0
    let bytes = 0
    if (job.open !== undefined) seconds = await open(job.open, job.rows ?? 0, job.files ?? 1)
    else {
      const rows = await rowsOf(job.source ?? '')
      await table?.settled()
      const before = logBytes()
      const started = performance.now()
      const rules =
        job.work === 'absent' ? { ...upsert, overwrite: false, insertOnly: true } : upsert
      const result = await table?.merge(rows, rules)
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
