/**
 * Merges of small batches into tables of several sizes, beside deltalake on a copy of the same table in
 * the same run when Python is there. deltalake does not sync its files, so ours is measured twice: as it
 * is, and over a store and files whose syncs do nothing. One merge of each kind goes before the clock.
 * `node bench/delta-merge.ts [--rows 10000,100000] [--repeats N] [--work newest,random,new,absent,patch]`
 * prints lines for people on stderr and one JSON document on stdout.
 */
import { cp, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDuckDb } from '../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../src/adapters/system/index.ts'
import type { Row } from '../src/core/index.ts'
import {
  type ColumnSpec,
  type DeltaPorts,
  DeltaTable,
  type MergeRules
} from '../src/delta/index.ts'
import { openPython, type Python } from '../test/helpers/python.ts'

const BATCH = 1000
const CHUNK = 50_000

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000,100000,1000000' },
    repeats: { type: 'string', default: '5' },
    work: { type: 'string', default: 'newest,random,new,absent,patch' }
  }
})
const sizes = values.rows.split(',').map(Number)
const repeats = Number(values.repeats)

/**
 * newest, random: 500 new rows and 500 changed ones with the newest keys or any; new: 1,000 new rows;
 * absent: 1,000 new rows with random ids, inserted if absent; patch: 20 changed rows.
 */
type Work = 'newest' | 'random' | 'new' | 'absent' | 'patch'
const works = values.work.split(',') as Work[]

interface Spread {
  readonly medianMs: number
  readonly leastMs: number
  readonly mostMs: number
}

const columns: readonly ColumnSpec[] = [
  { name: 'media_id', type: 'string', nullable: false },
  { name: 'project_id', type: 'string', nullable: true },
  { name: 'file_type', type: 'string', nullable: true },
  { name: 'file_name', type: 'string', nullable: true },
  { name: 'media_comment', type: 'string', nullable: true },
  { name: 'latitude', type: 'double', nullable: true },
  { name: 'longitude', type: 'double', nullable: true },
  { name: 'bytes', type: 'long', nullable: true },
  { name: 'created_at', type: 'timestamp', nullable: true },
  { name: 'updated_at', type: 'timestamp', nullable: true }
]
const upsert: MergeRules = { keys: ['media_id'], policies: new Map([['media_id', 'key']]) }

function media(work: Work, index: number, generation: number): Row {
  const id = 100_000_000 + index
  // Multiplication by an odd number permutes 32 bits: distinct, in no order.
  const scattered = (Math.imul(id, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')
  return {
    media_id: work === 'absent' ? scattered : String(id),
    project_id: String(700_000 + (index >> 4)),
    file_type: index % 9 === 0 ? 'mp4' : 'jpg',
    file_name: `photo ${(index * 7919) % 1_000_003}.jpg`,
    media_comment: index % 3 === 0 ? null : `room ${index % 40}, side ${(index * 31) % 977}`,
    latitude: 30 + ((index * 7) % 10_000) / 1000,
    longitude: -90 - ((index * 13) % 10_000) / 1000,
    bytes: 100_000 + ((index * 104_729) % 5_000_000),
    created_at: 1_700_000_000_000_000n + BigInt(index) * 1_000_003n,
    updated_at: 1_750_000_000_000_000n + BigInt(generation)
  }
}

function batchOf(work: Work, size: number, repeat: number): Row[] {
  // 7919 is prime, so the keys of one batch are distinct.
  const any = (j: number): number => (j * 7919 + repeat * 104_729) % size
  if (work === 'patch') {
    return Array.from({ length: 20 }, (_, i) => media(work, any(i), repeat + 1))
  }
  if (work === 'new' || work === 'absent') {
    return Array.from({ length: BATCH }, (_, i) => media(work, size + repeat * BATCH + i, 0))
  }
  const half = BATCH / 2
  const stride = Math.max(1, Math.trunc(size / 50 / half))
  return Array.from({ length: BATCH }, (_, i) => {
    if (i < half) return media(work, size + repeat * half + i, repeat + 1)
    const j = i - half
    return media(work, work === 'newest' ? size - 1 - j * stride : any(j), repeat + 1)
  })
}

async function measure(
  ports: DeltaPorts,
  python: Python | undefined,
  directory: string,
  size: number,
  work: Work
): Promise<object> {
  const options = { scratch: join(directory, 'scratch') }
  const name = `media-${size}-${work}`
  const table = await DeltaTable.openOrCreate(name, { columns }, ports, options)
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start)
    await table.append(Array.from({ length: count }, (_, i) => media(work, start + i, 0)))
  }
  await table.close()
  for (const copy of ['theirs', 'unsynced']) {
    await cp(table.location, join(directory, 'tables', `${name}-${copy}`), { recursive: true })
  }
  const ours = await merges(ports, options.scratch, name, size, work)
  const theirs = await withDeltalake(ports, python, directory, `${name}-theirs`, size, work)
  const unsynced = await withoutSyncs(() =>
    merges(ports, options.scratch, `${name}-unsynced`, size, work)
  )
  const ratio = theirs && theirs.medianMs / ours.times.medianMs
  const result = {
    rows: size,
    work,
    ours: ours.times,
    unsynced: unsynced.times,
    deltalake: theirs,
    ratio,
    bytesPerMerge: ours.bytes,
    rssBytes: process.memoryUsage.rss()
  }
  process.stderr.write(
    `${size} rows, ${work}: ${spread(ours.times)}, without syncs ${spread(unsynced.times)}, ` +
      `${Math.round(ours.bytes / 1024)} KiB a merge; deltalake ` +
      `${theirs === undefined ? 'not here' : `${spread(theirs)}, ratio ${ratio?.toFixed(2)}`}\n`
  )
  return result
}

async function merges(
  ports: DeltaPorts,
  scratch: string,
  name: string,
  size: number,
  work: Work
): Promise<{ times: Spread; bytes: number }> {
  const table = await DeltaTable.open(name, ports, { scratch })
  const rules = work === 'absent' ? { ...upsert, insertOnly: true } : upsert
  const times: number[] = []
  let bytes = 0
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const rows = batchOf(work, size, repeat)
    const started = performance.now()
    const { bytesWritten } = await table.merge(rows, rules)
    if (repeat === 0) continue
    times.push(performance.now() - started)
    bytes += bytesWritten
  }
  await table.close()
  return { times: spreadOf(times), bytes: Math.round(bytes / repeats) }
}

async function withDeltalake(
  ports: DeltaPorts,
  python: Python | undefined,
  directory: string,
  name: string,
  size: number,
  work: Work
): Promise<Spread | undefined> {
  if (python === undefined) return undefined
  const options = { scratch: join(directory, 'scratch') }
  const source = join(directory, `source-${size}-${work}-#.parquet`)
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const batch = await DeltaTable.openOrCreate(
      `batch-${size}-${work}-${repeat}`,
      { columns },
      ports,
      options
    )
    await batch.append(batchOf(work, size, repeat))
    await batch.export(source.replace('#', String(repeat)), 'parquet')
    await batch.close()
  }
  const script = join(import.meta.dirname, 'delta-merge.py')
  const table = join(directory, 'tables', name)
  const output = await python.run(script, [table, source, String(repeats + 1), work])
  const seconds = output.trim().split('\n').map(Number)
  return spreadOf(seconds.slice(1).map(value => value * 1000))
}

/** For comparison with a writer that does not sync; the product has no such switch. */
async function withoutSyncs<T>(run: () => Promise<T>): Promise<T> {
  const handle = await open(import.meta.filename)
  const prototype = Object.getPrototypeOf(handle) as { sync: () => Promise<void> }
  await handle.close()
  const { sync } = prototype
  prototype.sync = async () => {}
  try {
    return await run()
  } finally {
    prototype.sync = sync
  }
}

function spreadOf(times: readonly number[]): Spread {
  const sorted = [...times].sort((a, b) => a - b)
  return {
    medianMs: sorted[sorted.length >> 1] ?? Number.NaN,
    leastMs: sorted[0] ?? Number.NaN,
    mostMs: sorted.at(-1) ?? Number.NaN
  }
}

function spread({ medianMs, leastMs, mostMs }: Spread): string {
  return `${medianMs.toFixed(0)} ms (${leastMs.toFixed(0)} to ${mostMs.toFixed(0)})`
}

const directory = await mkdtemp(join(tmpdir(), 'bench-delta-'))
const engine = await openDuckDb()
const store = openLocalFiles({ root: join(directory, 'tables') })
try {
  const { python } = await openPython()
  const ports = { store, engine, clock: systemClock(), ids: systemIds() }
  const results: object[] = []
  for (const size of sizes) {
    for (const work of works) results.push(await measure(ports, python, directory, size, work))
  }
  process.stdout.write(`${JSON.stringify({ batch: BATCH, repeats, results }, null, 2)}\n`)
} finally {
  await engine.close()
  await store.close()
  await rm(directory, { recursive: true, force: true })
}
