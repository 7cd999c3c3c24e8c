/**
 * The Delta engine beside deltalake, alternating in one run on copies of one table: merges of 1,000 rows
 * with ten columns. deltalake does not sync what it writes, ours does. Ours runs in a process of its own,
 * so that its memory can be told.
 * `node bench/delta.ts [--rows 1000000,5000000] [--files N] [--ids sorted,random] [--work newest,random,
 * half,absent] [--policies] [--optimized] [--repeats N]` prints lines for people on stderr and one JSON
 * document on stdout. `--policies`: stored rows are merged by column policies with a guard, as the pipeline
 * does, and not replaced. `--optimized`: the table is optimized by ours first, files joined and rows as they
 * were; else it has the files as they are made.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { openPython } from '../test/helpers/python.ts'
import { mediaRowsSql } from './support/media-rows.ts'
import { spread, spreadOf } from './support/spread.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000,5000000' },
    files: { type: 'string', default: '10' },
    ids: { type: 'string', default: 'random' },
    work: { type: 'string', default: 'newest,random,half,absent' },
    policies: { type: 'boolean', default: false },
    optimized: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '5' }
  }
})
const repeats = Number(values.repeats)
const works = values.work.split(',')

const instance = await DuckDBInstance.create(':memory:', { memory_limit: '2GB' })
const duckdb = await instance.connect()
await duckdb.run("SET TimeZone = 'UTC'")

/** Numbers of the rows of one batch. */
function numbersOf(work: string, rows: number, repeat: number): string {
  const some = (count: number, from: number, span: number): string =>
    `SELECT ${from} + (j * 7919 + ${repeat} * 104729) % ${span} AS i FROM range(${count}) r(j)`
  const fresh = (count: number): string =>
    `SELECT ${rows} + ${repeat} * 10000 + j AS i FROM range(${count}) r(j)`
  if (work === 'newest') return some(1000, rows - rows / 50, rows / 50)
  if (work === 'random') return some(1000, 0, rows)
  if (work === 'half') return `${some(1000, 0, rows)} UNION ALL ${fresh(1000)}`
  return fresh(1000)
}

async function makeTable(
  directory: string,
  ids: string,
  rows: number,
  files: number
): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (let file = 0; file < files; file++) {
    const range = `SELECT i FROM range(${Math.floor((rows * file) / files)}, ${Math.floor((rows * (file + 1)) / files)}) r(i)`
    await duckdb.run(
      `COPY (${mediaRowsSql(ids, range, 'room ')}) TO '${directory}/part-${file}.parquet' (FORMAT parquet, COMPRESSION snappy)`
    )
  }
}

interface Answer {
  readonly seconds: number
  readonly bytes?: number
  readonly peakMiB: number
}

class Ours {
  readonly #child: ChildProcess
  private constructor(child: ChildProcess) {
    this.#child = child
  }
  static start(directory: string): Ours {
    return new Ours(fork(join(import.meta.dirname, 'support', 'delta-process.ts'), [directory]))
  }
  async ask(message: object): Promise<Answer> {
    this.#child.send(message)
    const [answer] = (await once(this.#child, 'message')) as [Answer]
    return answer
  }
  async close(): Promise<void> {
    this.#child.disconnect()
    await once(this.#child, 'exit')
  }
}

async function measure(
  directory: string,
  rows: number,
  ids: string,
  files: number
): Promise<object[]> {
  const { python } = await openPython()
  const results: object[] = []
  for (const work of works) {
    const own = join(directory, 'tables', 'ours')
    const other = join(directory, 'theirs')
    await makeTable(own, ids, rows, files)
    // In a process of its own, so that the memory of the other one is that of the merges.
    const maker = Ours.start(directory)
    await maker.ask({ create: 'ours', rows, files, optimize: values.optimized })
    await maker.close()
    const ours = Ours.start(directory)
    const opened = await ours.ask({ open: 'ours' })
    let theirs: { ask(source: string): Promise<Answer>; close(): void } | undefined
    if (python !== undefined) {
      await makeTable(other, ids, rows, files)
      await python.run(join(import.meta.dirname, 'support', 'convert.py'), [
        other,
        ...(values.optimized ? ['optimize'] : [])
      ])
      const child = python.start(join(import.meta.dirname, 'delta.py'), [other])
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      theirs = {
        ask: async source => {
          child.stdin.write(`${work} ${source}\n`)
          const [seconds = '', peak = ''] = String((await lines.next()).value).split(' ')
          return { seconds: Number(seconds), peakMiB: Number(peak) }
        },
        close: () => child.stdin.end()
      }
    }
    const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
    let bytes = 0
    let peak = { ours: 0, theirs: 0 }
    // The first of each goes before the clock.
    for (let repeat = 0; repeat <= repeats; repeat++) {
      const source = join(directory, `source-${repeat}.parquet`)
      const sql = mediaRowsSql(ids, numbersOf(work, rows, repeat), `gen ${repeat} `)
      await duckdb.run(`COPY (${sql}) TO '${source}' (FORMAT parquet)`)
      const mine = await ours.ask({ work, source, policies: values.policies })
      const foreign = await theirs?.ask(source)
      peak = { ours: mine.peakMiB, theirs: foreign?.peakMiB ?? 0 }
      if (repeat === 0) continue
      times.ours.push(mine.seconds * 1000)
      bytes += mine.bytes ?? 0
      if (foreign !== undefined) times.theirs.push(foreign.seconds * 1000)
    }
    theirs?.close()
    await ours.close()
    const [a, b] = [spreadOf(times.ours), spreadOf(times.theirs)]
    const ratio = b.medianMs / a.medianMs
    const size = (await stat(join(own, 'part-0.parquet'))).size * files
    const bytesPerMerge = Math.round(bytes / repeats)
    results.push({
      rows,
      ids,
      files,
      work,
      policies: values.policies,
      optimized: values.optimized,
      ours: a,
      deltalake: b,
      ratio,
      bytesPerMerge,
      peak,
      indexSeconds: opened.seconds,
      tableBytes: size
    })
    process.stderr.write(
      `${rows} rows in ${files} files, ${ids} ids, ${work}${values.policies ? ' by policies' : ''}${values.optimized ? ', optimized' : ''}: ours ${spread(a)}, deltalake ${spread(b)}, ratio ${ratio.toFixed(1)}; ` +
        `${Math.round(bytesPerMerge / 1024)} KiB a merge; peak ${peak.ours.toFixed(0)} and ${peak.theirs.toFixed(0)} MiB; ` +
        `index made in ${opened.seconds.toFixed(1)} s\n`
    )
    await rm(join(directory, 'tables'), { recursive: true, force: true })
    await rm(other, { recursive: true, force: true })
  }
  return results
}

const directory = await mkdtemp(join(tmpdir(), 'bench-delta-'))
try {
  const results: object[] = []
  for (const rows of values.rows.split(',').map(Number)) {
    for (const ids of values.ids.split(',')) {
      results.push(...(await measure(directory, rows, ids, Number(values.files))))
    }
  }
  process.stdout.write(`${JSON.stringify({ repeats, results }, null, 2)}\n`)
} finally {
  duckdb.closeSync()
  instance.closeSync()
  await rm(directory, { recursive: true, force: true })
}
