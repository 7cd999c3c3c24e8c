/**
 * Several processes merge overlapping keys into one table on a local disk, as fast as they can. Shows that
 * every key is there once with its newest value, and how much of the work was lost to conflicts: bytes that
 * no commit refers to, and the time of the attempts after the first one (pauses are no work).
 * `node bench/delta-writers.ts [--writers 8] [--merges 25] [--batch 1000] [--keys 20000] [--vectors on|off]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DeltaTable } from '../src/delta/index.ts'
import { openTestDelta, openVectorTable } from '../test/helpers/delta.ts'
import { columns, openWriter, rowOf, type WriterReport } from './support/delta-writer.ts'

const { values } = parseArgs({
  options: {
    writers: { type: 'string', default: '8' },
    merges: { type: 'string', default: '25' },
    batch: { type: 'string', default: '1000' },
    keys: { type: 'string', default: '20000' },
    stored: { type: 'string', default: '100000' },
    vectors: { type: 'string', default: 'on' },
    together: { type: 'boolean', default: false }
  }
})
const writers = Number(values.writers)

await using delta = await openTestDelta()
const properties = { 'delta.enableDeletionVectors': String(values.vectors === 'on') }
const table = await openVectorTable(delta, 't', { columns, properties })
const stored = Number(values.stored)
for (let from = 0; from < stored; from += 50_000) {
  await table.append(
    Array.from({ length: Math.min(50_000, stored - from) }, (_, i) => rowOf(from + i, 0))
  )
}
const scratch = await mkdtemp(join(tmpdir(), 'delta-writers-'))
const started = performance.now()
const options = { root: join(delta.root, 'tables'), scratch, ...numbers() }
const reports = await Promise.all(
  Array.from({ length: writers }, (_, writer) =>
    values.together ? openWriter({ ...options, writer }) : spawned({ ...options, writer })
  )
)
const seconds = (performance.now() - started) / 1000
await rm(scratch, { recursive: true, force: true })

const fresh = await DeltaTable.open('t', delta.ports, delta.options)
const { problems } = await fresh.verify(['id'])
const newest = new Map<number, number>()
for (const report of reports) {
  for (const [id, at] of report.newest) newest.set(id, Math.max(at, newest.get(id) ?? 0))
}
let wrong = 0
for (const row of await fresh.read({ columns: ['id', 'updated_at'] })) {
  const expected = newest.get(Number(row['id'])) ?? 0
  if (Number(row['updated_at']) !== expected) wrong++
  newest.delete(Number(row['id']))
}
const sum = (of: (report: WriterReport) => number): number =>
  reports.reduce((total, report) => total + of(report), 0)
const merges = sum(report => report.merges)
const result = {
  writers,
  merges,
  seconds: round(seconds),
  mergesPerSecond: round(merges / seconds),
  conflicts: sum(report => report.conflicts),
  bytesWritten: sum(report => report.bytesWritten),
  bytesWasted: round(sum(report => report.bytesWasted) / sum(report => report.bytesWritten)),
  timeRedone: round(sum(report => report.redoneMs) / sum(report => report.activeMs)),
  slowestMergeMs: Math.max(...reports.map(report => report.slowestMs)),
  mostConflicts: Math.max(...reports.map(report => report.mostConflicts)),
  wrongRows: wrong + newest.size,
  problems
}
console.log(JSON.stringify(result, null, 2))

function numbers(): { merges: number; batch: number; keys: number } {
  return { merges: Number(values.merges), batch: Number(values.batch), keys: Number(values.keys) }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

async function spawned(of: Parameters<typeof openWriter>[0]): Promise<WriterReport> {
  const script = join(import.meta.dirname, 'support', 'delta-writer.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, JSON.stringify(of)],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  let text = ''
  child.stdout.on('data', data => {
    text += String(data)
  })
  await once(child, 'close')
  return JSON.parse(text) as WriterReport
}
