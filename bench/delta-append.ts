/**
 * Appends of the Delta engine beside deltalake, batch by batch in turn, each into its own table: rows of ten
 * columns, as objects here and as an Arrow table there; what it takes to make that of Python objects is told
 * too. deltalake does not sync what it writes, ours does.
 * `node bench/delta-append.ts [--rows 1000000] [--batch 10000]` prints a line for people on stderr and one
 * JSON document on stdout.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { openDuckDb } from '../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../src/adapters/system/index.ts'
import { DeltaTable } from '../src/delta/index.ts'
import { openPython } from '../test/helpers/python.ts'
import { mediaColumns, mediaRowsSql, rowsOfFile } from './support/media-rows.ts'
import { spread, spreadOf } from './support/spread.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    batch: { type: 'string', default: '10000' }
  }
})
const total = Number(values.rows)
const batch = Number(values.batch)

const directory = await mkdtemp(join(tmpdir(), 'bench-delta-append-'))
const instance = await DuckDBInstance.create(':memory:', { memory_limit: '256MB', threads: '1' })
const sources = await instance.connect()
await sources.run("SET TimeZone = 'UTC'")
const engine = await openDuckDb()
const store = openLocalFiles({ root: join(directory, 'tables') })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
try {
  const options = { scratch: join(directory, 'scratch') }
  const table = await DeltaTable.openOrCreate('ours', { columns: mediaColumns }, ports, options)
  const { python } = await openPython()
  const theirs = python?.start(join(import.meta.dirname, 'delta-append.py'), [
    join(directory, 'theirs')
  ])
  const answers = theirs && createInterface({ input: theirs.stdout })[Symbol.asyncIterator]()
  const times = { ours: [] as number[], theirs: [] as number[], conversion: [] as number[] }
  for (let start = 0; start < total; start += batch) {
    const source = join(directory, 'source.parquet')
    const range = `SELECT i FROM range(${start}, ${Math.min(total, start + batch)}) r(i)`
    await sources.run(
      `COPY (${mediaRowsSql('random', range, 'room ')}) TO '${source}' (FORMAT parquet)`
    )
    const rows = await rowsOfFile(sources, source)
    const before = performance.now()
    await table.append(rows)
    times.ours.push(performance.now() - before)
    theirs?.stdin.write(`${source}\n`)
    const answer = await answers?.next()
    if (answer === undefined) continue
    const [append = 0, conversion = 0] = String(answer.value).split(' ').map(Number)
    times.theirs.push(append * 1000)
    times.conversion.push(conversion * 1000)
  }
  theirs?.stdin.end()
  await table.settled()
  if ((await table.countRows()) !== total) throw new Error('rows are missing')
  await table.close()
  const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0)
  const [ours, deltalake] = [spreadOf(times.ours), spreadOf(times.theirs)]
  const report = {
    rows: total,
    batch,
    ours: {
      ...ours,
      totalMs: sum(times.ours),
      bytes: await bytesIn(join(directory, 'tables', 'ours'))
    },
    deltalake: {
      ...deltalake,
      totalMs: sum(times.theirs),
      conversion: { ...spreadOf(times.conversion), totalMs: sum(times.conversion) },
      bytes: await bytesIn(join(directory, 'theirs'))
    },
    ratio: sum(times.theirs) / sum(times.ours),
    ratioFromObjects: (sum(times.theirs) + sum(times.conversion)) / sum(times.ours)
  }
  process.stderr.write(
    `${total} rows by ${batch}: ours ${spread(ours)} a batch, ${(report.ours.totalMs / 1000).toFixed(1)} s in all; ` +
      `deltalake ${spread(deltalake)}, ${(report.deltalake.totalMs / 1000).toFixed(1)} s; ratio ${report.ratio.toFixed(2)}, ` +
      `with the Arrow tables made of objects (${spread(report.deltalake.conversion)}) ${report.ratioFromObjects.toFixed(2)}\n`
  )
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  await engine.close()
  sources.closeSync()
  instance.closeSync()
  await rm(directory, { recursive: true, force: true })
}

async function bytesIn(path: string): Promise<number> {
  const names = await readdir(path, { recursive: true }).catch(() => [])
  const sizes = await Promise.all(
    names.map(async name => {
      const info = await stat(join(path, name))
      return info.isFile() ? info.size : 0
    })
  )
  return sizes.reduce((a, b) => a + b, 0)
}
