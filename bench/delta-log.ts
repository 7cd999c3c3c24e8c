/**
 * Opening a table with a long log, and following it, beside deltalake: alternating in one run, each in a
 * process that is warm. "From nothing" means that no state of the table is known; the files of the log are
 * in the page cache for both.
 * `node bench/delta-log.ts [--files 100,20000] [--commits 10000] [--repeats N]` prints lines for people on
 * stderr and one JSON document on stdout.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { openDuckDb } from '../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../src/adapters/system/index.ts'
import { DeltaTable } from '../src/delta/index.ts'
import { openPython } from '../test/helpers/python.ts'
import { writeCommits } from './support/delta-log-table.ts'
import { spreadOf } from './support/spread.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '100,20000' },
    commits: { type: 'string', default: '10000' },
    repeats: { type: 'string', default: '7' }
  }
})
const commits = Number(values.commits)
const repeats = Number(values.repeats)

const directory = await mkdtemp(join(tmpdir(), 'bench-delta-log-'))
const engine = await openDuckDb()
const store = openLocalFiles({ root: directory })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
const options = { scratch: join(directory, 'scratch') }
const theirs = await openTheirs()
const results: object[] = []

interface Other {
  ask(job: string): Promise<number>
  close(): void
}

async function openTheirs(): Promise<Other | undefined> {
  const { python } = await openPython()
  if (python === undefined) return undefined
  const child = python.start(join(import.meta.dirname, 'delta-log.py'), [])
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    ask: async job => {
      child.stdin.write(`${job}\n`)
      const [seconds = ''] = String((await lines.next()).value).split(' ')
      return Number(seconds) * 1000
    },
    close: () => child.stdin.end()
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Both in turn, the first of each before the clock. */
async function compare(
  what: string,
  files: number,
  ours: (repeat: number) => Promise<number>,
  other: (repeat: number) => Promise<number> | undefined
): Promise<void> {
  const times: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const mine = await ours(repeat)
    const foreign = await other(repeat)
    if (repeat === 0) continue
    times.ours.push(mine)
    if (foreign !== undefined) times.theirs.push(foreign)
  }
  const [a, b] = [spreadOf(times.ours), spreadOf(times.theirs)]
  const ratio = b.medianMs / a.medianMs
  results.push({ what, files, commits, ours: a, deltalake: b, ratio })
  const text = (s: typeof a): string =>
    `${s.medianMs.toFixed(1)} ms (${s.leastMs.toFixed(1)} to ${s.mostMs.toFixed(1)})`
  process.stderr.write(
    `${files} files, ${what}: ours ${text(a)}, deltalake ${text(b)}, ratio ${ratio.toFixed(1)}\n`
  )
}

async function compareOpen(what: string, table: string, files: number): Promise<void> {
  const open = async (): Promise<void> => {
    const opened = await DeltaTable.open(table, ports, options)
    await opened.close()
  }
  await compare(
    what,
    files,
    () => timed(open),
    () => theirs?.ask(`open ${join(directory, table)}`)
  )
}

/** Each of the two follows commits of its own, one at a time. */
async function compareRefresh(table: string, files: number, newest: number): Promise<void> {
  let version = newest
  const held = await DeltaTable.open(table, ports, options)
  await theirs?.ask(`hold ${join(directory, table)}`)
  await compare(
    'refresh by one commit',
    files,
    async () => {
      writeCommits(join(directory, table), { commits: version + 1, files }, version + 1)
      version++
      return await timed(() => held.snapshot())
    },
    () => theirs?.ask('refresh')
  )
  await held.close()
}

async function measureCheckpoint(table: string, files: number): Promise<void> {
  const opened = await DeltaTable.open(table, ports, options)
  const times: number[] = []
  for (let repeat = 0; repeat < 3; repeat++) times.push(await timed(() => opened.checkpoint()))
  await opened.close()
  const own = spreadOf(times)
  results.push({ what: 'write a checkpoint', files, ours: own })
  process.stderr.write(`${files} files, write a checkpoint: ${own.medianMs.toFixed(0)} ms\n`)
}

try {
  for (const files of values.files.split(',').map(Number)) {
    const table = `t${files}`
    const path = join(directory, table)
    writeCommits(path, { commits: commits - 1000, files })
    await measureCheckpoint(table, files)
    writeCommits(path, { commits, files }, commits - 999)
    await compareOpen('open, 1,000 commits after the checkpoint', table, files)
    await measureCheckpoint(table, files)
    await compareOpen('open, checkpoint of the newest version', table, files)
    writeCommits(path, { commits: commits + 9, files }, commits + 1)
    await compareOpen('open, 9 commits after the checkpoint', table, files)
    await compareRefresh(table, files, commits + 9)
  }
  process.stdout.write(`${JSON.stringify({ repeats, results }, null, 2)}\n`)
} finally {
  theirs?.close()
  await engine.close()
  await store.close()
  await rm(directory, { recursive: true, force: true })
}
