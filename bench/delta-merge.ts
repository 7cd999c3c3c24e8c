/**
 * Upserts of 1,000 rows (half new, half stored) into tables of several sizes, with the newest and with
 * random keys, beside deltalake on a copy of the same table in the same run when Python is there.
 * `node bench/delta-merge.ts [--rows 10000,100000,1000000] [--repeats N]` prints lines for people on
 * stderr and one JSON document on stdout.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises'
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
    repeats: { type: 'string', default: '5' }
  }
})
const sizes = values.rows.split(',').map(Number)
const repeats = Number(values.repeats)

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
const rules: MergeRules = { keys: ['media_id'], policies: new Map([['media_id', 'key']]) }

function media(index: number, generation: number): Row {
  return {
    media_id: String(100_000_000 + index),
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

/** Half new keys, half stored ones: the newest, or any. */
function batchOf(size: number, repeat: number, keys: 'newest' | 'random'): Row[] {
  const half = BATCH / 2
  return Array.from({ length: BATCH }, (_, i) => {
    if (i < half) return media(size + repeat * half + i, repeat + 1)
    const j = i - half
    const stride = Math.max(1, Math.trunc(size / 50 / half))
    // 7919 is prime, so the keys of one batch are distinct.
    const index = keys === 'newest' ? size - 1 - j * stride : (j * 7919 + repeat * 104_729) % size
    return media(index, repeat + 1)
  })
}

async function measure(
  ports: DeltaPorts,
  python: Python | undefined,
  directory: string,
  size: number,
  keys: 'newest' | 'random'
): Promise<object> {
  const options = { scratch: join(directory, 'scratch') }
  const name = `media-${size}-${keys}`
  const table = await DeltaTable.openOrCreate(name, { columns }, ports, options)
  for (let start = 0; start < size; start += CHUNK) {
    const count = Math.min(CHUNK, size - start)
    await table.append(Array.from({ length: count }, (_, i) => media(start + i, 0)))
  }
  const copy = join(directory, `copy-${name}`)
  await cp(table.location, copy, { recursive: true })
  const seconds: number[] = []
  let bytesWritten = 0
  for (let repeat = 0; repeat < repeats; repeat++) {
    const rows = batchOf(size, repeat, keys)
    const started = performance.now()
    bytesWritten += (await table.merge(rows, rules)).bytesWritten
    seconds.push((performance.now() - started) / 1000)
  }
  const theirs = await withDeltalake(ports, python, directory, copy, size, keys)
  const result = {
    rows: size,
    keys,
    medianSeconds: median(seconds),
    bytesPerMerge: Math.round(bytesWritten / repeats),
    deltalakeMedianSeconds: theirs,
    ratio: theirs === undefined ? undefined : theirs / median(seconds),
    rssBytes: process.memoryUsage.rss()
  }
  process.stderr.write(
    `${size} rows, ${keys} keys: ${(result.medianSeconds * 1000).toFixed(0)} ms, ` +
      `${Math.round(result.bytesPerMerge / 1024)} KiB written; deltalake ` +
      `${theirs === undefined ? 'not here' : `${(theirs * 1000).toFixed(0)} ms`}\n`
  )
  await table.close()
  return result
}

async function withDeltalake(
  ports: DeltaPorts,
  python: Python | undefined,
  directory: string,
  copy: string,
  size: number,
  keys: 'newest' | 'random'
): Promise<number | undefined> {
  if (python === undefined) return undefined
  const options = { scratch: join(directory, 'scratch') }
  const source = join(directory, `source-${size}-${keys}-#.parquet`)
  for (let repeat = 0; repeat < repeats; repeat++) {
    const name = `batch-${size}-${keys}-${repeat}`
    const batch = await DeltaTable.openOrCreate(name, { columns }, ports, options)
    await batch.append(batchOf(size, repeat, keys))
    await batch.export(source.replace('#', String(repeat)), 'parquet')
  }
  const script = join(import.meta.dirname, 'delta-merge.py')
  const output = await python.run(script, [copy, source, String(repeats)])
  return median(output.trim().split('\n').map(Number))
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

const directory = await mkdtemp(join(tmpdir(), 'bench-delta-'))
const engine = await openDuckDb()
const store = openLocalFiles({ root: join(directory, 'tables') })
try {
  const { python } = await openPython()
  const ports = { store, engine, clock: systemClock(), ids: systemIds() }
  const results: object[] = []
  for (const size of sizes) {
    for (const keys of ['newest', 'random'] as const) {
      results.push(await measure(ports, python, directory, size, keys))
    }
  }
  process.stdout.write(`${JSON.stringify({ batch: BATCH, repeats, results }, null, 2)}\n`)
} finally {
  await engine.close()
  await store.close()
  await rm(directory, { recursive: true, force: true })
}
