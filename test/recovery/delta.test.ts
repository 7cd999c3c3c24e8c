import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta, openVectorTable, type TestDelta } from '../helpers/delta.ts'
import { columns, KEYS, random } from './delta/table.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))
const WRITERS = 3
const KILLS = 12

interface Writer {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  batches: number
}

for (const vectors of [false, true]) {
  const how = vectors ? 'with deletion vectors' : 'by copying files'
  test(`processes that are killed while they merge into one table, ${how}, lose nothing that was acknowledged and leave each key once (seed ${seed})`, t =>
    killedWriters(t, vectors))
}

async function killedWriters(t: TestContext, vectors: boolean): Promise<void> {
  await using delta = await openTestDelta()
  if (vectors) await createMarkedTable(delta)
  const root = join(delta.root, 'tables')
  const next = random(seed)
  const acknowledged = new Set<string>()
  let problem = ''
  const start = (index: number, generation: number): Writer => {
    const script = join(import.meta.dirname, 'delta', 'writer.ts')
    const args = [script, root, `w${index}`, String(seed + generation)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines = createInterface({ input: child.stdout })
    const writer: Writer = { child, batches: 0, ended: once(child, 'close').then(() => undefined) }
    lines.on('line', line => {
      writer.batches++
      for (const id of parsed(line)) acknowledged.add(id)
    })
    child.stderr.on('data', data => {
      problem += String(data)
    })
    return writer
  }
  const writers = Array.from({ length: WRITERS }, (_, i) => start(i, i))
  t.after(() => {
    for (const writer of writers) writer.child.kill('SIGKILL')
  })
  let all = writers.reduce((sum, writer) => sum + writer.batches, 0)
  for (let kill = 0; kill < KILLS; kill++) {
    const victim = Math.floor(next() * WRITERS)
    const writer = writers[victim] as Writer
    await batchesOf(writer, 1 + Math.floor(next() * 3))
    // Any instruction: a part of a merge's usual length after the last acknowledgement.
    await new Promise(resolve => setTimeout(resolve, next() * 60))
    writer.child.kill('SIGKILL')
    await writer.ended
    all += writer.batches
    writers[victim] = start(victim, 100 + kill)
  }
  for (const writer of writers) await batchesOf(writer, 1)
  for (const writer of writers) {
    writer.child.kill('SIGKILL')
    await writer.ended
    all += writer.batches
  }
  assert.equal(problem, '', 'a writer failed')
  const table = await DeltaTable.open('t', delta.ports, delta.options)
  const ids = (await table.read({ columns: ['id'] })).map(row => String(row['id']))
  assert.equal(new Set(ids).size, ids.length, 'a key occurs twice')
  const lost = [...acknowledged.difference(new Set(ids))]
  assert.deepEqual(lost, [], 'acknowledged rows are lost')
  assert.deepEqual((await table.verify(['id'])).problems, [])
  const names = (await readdir(join(root, 't', '_delta_log'))).filter(name =>
    name.endsWith('.json')
  )
  const versions = names.map(name => Number(name.slice(0, 20))).sort((a, b) => a - b)
  assert.deepEqual(
    versions,
    versions.map((_, index) => index),
    'versions have a gap'
  )
  assert.ok(versions.length > all, 'every acknowledged merge has its version')
  const marked = [...(await table.snapshot()).files.values()].filter(
    add => add.deletionVector != null
  )
  assert.equal(marked.length > 0, vectors, 'vectors are written where the table wants them')
}

/** The shared keys stand in a file that is too large to be copied for them. */
async function createMarkedTable(delta: TestDelta): Promise<void> {
  const table = await openVectorTable(delta, 't', {
    columns,
    properties: { 'delta.checkpointInterval': '5' }
  })
  const shared = Array.from({ length: KEYS }, (_, i) => `k${i}`)
  const others = Array.from({ length: 5000 }, (_, i) => `stored ${(i * 7919) % 100_003}`)
  await table.append([...shared, ...others].map(id => ({ id, n: -1, writer: 'none' })))
  await table.close()
}

async function batchesOf(writer: Writer, count: number): Promise<void> {
  while (writer.batches < count) {
    const line = once(writer.child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
    const gone = writer.ended.then(() => 'ended' as const)
    if ((await Promise.race([line, gone])) === 'ended') throw new Error('a writer ended by itself')
  }
}

/** The last line of a killed process may be cut. */
function parsed(line: string): string[] {
  try {
    return JSON.parse(line) as string[]
  } catch {
    return []
  }
}
