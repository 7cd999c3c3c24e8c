/** The disk of a process that writes a table loses its power, at any moment and as unkindly as it can. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openDuckDb } from '../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import { DeltaTable, type ParquetEngine } from '../../src/delta/index.ts'
import { random } from './delta/table.ts'
import { type Luck, TracedDisk } from './power-loss/disk.ts'
import { type Call, readTrace, straceArguments } from './power-loss/trace.ts'

const run = promisify(execFile)
const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))
/** Moments at which the power fails, beside those right after a change was acknowledged. */
const MOMENTS = 60

interface History {
  readonly calls: readonly Call[]
  readonly disk: TracedDisk
  /** When each change began and when it was acknowledged, and the rows then. */
  readonly changes: readonly { begun: number; done: number; rows: readonly [string, number][] }[]
}

test(`what a table acknowledged survives a loss of power at any moment (seed ${seed})`, async t => {
  if (!(await straceWorks(t.diagnostic.bind(t)))) return
  const directory = mkdtempSync(join(tmpdir(), 'power-loss-'))
  const engine = await openDuckDb({ threads: 1, connections: 1 })
  try {
    const { calls, disk, changes } = await trace(directory)
    const next = random(seed)
    const written = calls.filter(call => call.end >= (changes[0]?.begun ?? 0))
    const moments = [
      ...changes.map(change => change.done),
      ...Array.from(
        { length: MOMENTS },
        () => written[Math.floor(next() * written.length)]?.end ?? 0
      )
    ]
    const lucks: Luck[] = [() => false, () => true, () => next() < 0.5, () => next() < 0.9]
    for (const [index, at] of moments.entries()) {
      for (const [kind, luck] of lucks.entries()) {
        const root = join(directory, `lost-${index}-${kind}`)
        disk.lose(at, luck, root)
        const acknowledged = changes.findLastIndex(change => change.done <= at)
        const begun = changes.findLastIndex(change => change.begun <= at)
        const allowed = changes
          .slice(Math.max(0, acknowledged), begun + 1)
          .map(change => change.rows)
        await check(root, engine, acknowledged >= 0, allowed, `moment ${index}, luck ${kind}`)
        rmSync(root, { recursive: true })
      }
    }
  } finally {
    await engine.close()
    rmSync(directory, { recursive: true })
  }
})

/** The table of the disk holds one of the states that are allowed, and can be written. */
async function check(
  root: string,
  engine: ParquetEngine,
  exists: boolean,
  allowed: readonly (readonly [string, number][])[],
  where: string
): Promise<void> {
  const store = openLocalFiles({ root: join(root, 'root') })
  const ports = { store, engine, clock: systemClock(), ids: systemIds() }
  const options = { scratch: join(root, 'scratch') }
  const table = await DeltaTable.openIfExists('nested/t', ports, options)
  if (table === undefined) assert.ok(!exists, `${where}: the table is gone`)
  else {
    const stored = textOf(await rowsOf(table))
    assert.ok(
      allowed.some(rows => textOf(rows) === stored),
      `${where}: the table holds something else than what was acknowledged, or begun after it`
    )
    assert.deepEqual((await table.verify(['id'])).problems, [], where)
    const rules = { keys: ['id'], policies: new Map() }
    await table.merge([{ id: 'after', n: 99 }], rules)
    assert.equal((await table.read({ where: "id = 'after'" })).length, 1, where)
    await table.close()
  }
  await store.close()
}

async function rowsOf(table: DeltaTable): Promise<[string, number][]> {
  return (await table.read()).map(row => [String(row['id']), Number(row['n'])])
}

function textOf(rows: readonly (readonly [string, number])[]): string {
  return JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function trace(directory: string): Promise<History> {
  const base = join(directory, 'disk')
  const traces = join(directory, 'traces')
  for (const path of [base, traces]) mkdirSync(path)
  const script = join(import.meta.dirname, 'power-loss', 'writer.ts')
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', script]
  const args = [join(base, 'root'), join(directory, 'scratch')]
  await run('strace', [...straceArguments(join(traces, 'trace')), ...command, ...args], {
    maxBuffer: 64 * 1_048_576
  })
  const calls = readTrace(traces, 'trace')
  const changes: { begun: number; done: number; rows: [string, number][] }[] = []
  for (const { name, args: given, start, end } of calls) {
    const text = name === 'write' && Buffer.isBuffer(given[1]) ? given[1].toString() : ''
    if (/^BEGIN \d+\n$/.test(text))
      changes.push({ begun: start, done: Number.POSITIVE_INFINITY, rows: [] })
    const done = /^DONE \d+ (.*)\n$/.exec(text)
    const change = changes.at(-1)
    if (done?.[1] === undefined || change === undefined) continue
    change.done = end
    change.rows = JSON.parse(done[1]) as [string, number][]
  }
  assert.ok(changes.length > 10, 'the trace has the changes')
  return { calls, disk: new TracedDisk(base, calls), changes }
}

/** strace is a Debian package and must be allowed to trace. */
async function straceWorks(say: (text: string) => void): Promise<boolean> {
  const attempt = (): Promise<boolean> =>
    run('strace', ['-qq', '-o', '/dev/null', 'true']).then(
      () => true,
      () => false
    )
  if (await attempt()) return true
  if (process.env['CI'] === 'true') {
    await run('apt-get', ['install', '-y', 'strace']).catch(() => undefined)
    assert.ok(await attempt(), 'strace cannot be used here')
    return true
  }
  say('SKIPPED: strace cannot be used here')
  return false
}
