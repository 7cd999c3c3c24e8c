import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openMemoryObjectStore } from '../../../../src/adapters/memory/index.ts'
import {
  type AutomaticMaintenance,
  type DeltaPorts,
  DeltaTable,
  type MaintenanceResult,
  type MergeRules
} from '../../../../src/delta/index.ts'
import type { ObjectStore } from '../../../../src/ports/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { openMemoryParquet } from '../../../helpers/memory-parquet.ts'
import { seededRandom } from '../../../helpers/random.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true }
] as const
const properties = { 'delta.enableDeletionVectors': 'true' }
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const DAY_MS = 86_400_000

const rows = (from: number, count: number, text = 'some text') =>
  Array.from({ length: count }, (_, i) => ({
    id: from + i,
    place: `p${(from + i) % 2}`,
    text: `${text} ${from + i}`
  }))

/** A world whose time is told by the test, with objects in memory and files of rows as JSON. */
function cheapWorld(at = Date.UTC(2026, 0, 1)) {
  const time = { now: at }
  const files = new Map<string, Uint8Array>()
  const memory = openMemoryObjectStore({ now: () => time.now })
  // Files are objects, so that nothing goes through a disk.
  const store = Object.assign(Object.create(memory) as ObjectStore, {
    root: memory.root,
    localPath: (path: string) => path
  })
  for (const name of ['put', 'putFile', 'get', 'head', 'list', 'delete', 'close'] as const) {
    Object.assign(store, { [name]: (memory[name] as () => unknown).bind(memory) })
  }
  const engine = openMemoryParquet({
    read: async path => files.get(path) ?? (await memory.get(path)),
    write: async (path, bytes) => {
      if (path.startsWith('/')) files.set(path, bytes)
      else await memory.put(path, bytes)
    }
  })
  const random = seededRandom(7)
  let ids = 0
  const ports: DeltaPorts = {
    store,
    engine,
    clock: { now: () => time.now, sleep: async () => undefined },
    ids: {
      uuid: () => `00000000-0000-4000-8000-${(ids++).toString(16).padStart(12, '0')}`,
      random: () => random.next()
    }
  }
  return { time, ports, store }
}

async function create(delta: TestDelta, maintenance?: AutomaticMaintenance): Promise<DeltaTable> {
  const options = { ...delta.options, ...(maintenance === undefined ? {} : { maintenance }) }
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, options)
}

describe('Maintenance', () => {
  test('joins files when a tier is full, and leaves few ones and large ones alone', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    for (let i = 0; i < 7; i++) await table.append(rows(i * 10, 10))
    const before = (await table.snapshot()).version
    assert.equal((await table.maintain()).optimized.filesRemoved, 0)
    assert.equal((await table.snapshot()).version, before)
    await table.append(rows(70, 10))
    const { busy, optimized, vacuumed } = await table.maintain()
    assert.equal(busy, false)
    assert.equal(vacuumed, undefined)
    assert.deepEqual([optimized.filesAdded, optimized.filesRemoved], [1, 8])
    assert.equal(await table.countRows(), 80)
    assert.equal((await table.maintain()).optimized.filesRemoved, 0)
    await table.close()
  })

  test('copies a file that is mostly deleted, and joins none that are Z-ordered', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    const noise = (id: number): string => `${(id * 2_654_435_761) % 4_294_967_291} ${id * 7919}`
    for (let i = 0; i < 8; i++) {
      await table.append(rows(i * 3000, 3000).map(row => ({ ...row, text: noise(row.id) })))
    }
    await table.optimize({ zOrderBy: ['text'], targetFileBytes: 20_000 })
    assert.ok((await table.snapshot()).files.size >= 8)
    assert.equal((await table.maintain()).optimized.filesRemoved, 0)
    const [add] = (await table.snapshot()).files.values()
    const { numRecords } = JSON.parse(add?.stats ?? '')
    const doomed = (await table.read()).slice(0, Math.ceil(numRecords * 0.5))
    await table.merge(doomed as ReturnType<typeof rows>, { ...rules, deleteWhen: () => true })
    const { rowsPurged } = (await table.maintain({ deletedPart: 0.01 })).optimized
    assert.equal(rowsPurged, doomed.length)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
  })

  test('stays within its bytes, and goes on the next time', async () => {
    await using delta = await openTestDelta()
    const table = await DeltaTable.openOrCreate(
      't',
      { columns, properties, partitionBy: ['place'] },
      delta.ports,
      delta.options
    )
    for (let i = 0; i < 8; i++) await table.append(rows(i * 10, 10))
    const first = await table.maintain({ bytesPerRun: 1 })
    assert.deepEqual([first.optimized.filesAdded, first.optimized.filesRemoved], [1, 8])
    const second = await table.maintain({ bytesPerRun: 1 })
    assert.deepEqual([second.optimized.filesAdded, second.optimized.filesRemoved], [1, 8])
    assert.equal((await table.snapshot()).files.size, 2)
    await table.close()
  })

  test('is for one process at a time, until that one is long dead', async () => {
    const { time, ports, store } = cheapWorld()
    const table = await DeltaTable.openOrCreate('t', { columns, properties }, ports, {
      scratch: '/none'
    })
    for (let i = 0; i < 8; i++) await table.append(rows(i * 10, 10))
    const marker = 't/_delta_log/_maintenance'
    await store.put(marker, Buffer.from('another'))
    assert.equal((await table.maintain()).busy, true)
    assert.equal((await table.snapshot()).files.size, 8)
    time.now += 3_600_000
    assert.equal((await table.maintain()).optimized.filesRemoved, 8)
    assert.equal(await store.head(marker), undefined)
    await table.close()
  })

  test('vacuums now and then by the retention of the table, whoever did the last one', async () => {
    const { time, ports } = cheapWorld()
    const options = { scratch: '/none' }
    const table = await DeltaTable.openOrCreate('t', { columns, properties }, ports, options)
    const other = await DeltaTable.open('t', ports, options)
    for (let i = 0; i < 8; i++) await table.append(rows(i * 10, 10))
    assert.equal((await table.maintain()).vacuumed, undefined)
    time.now += 2 * DAY_MS
    assert.deepEqual((await table.maintain()).vacuumed?.files, [])
    assert.equal((await other.maintain()).vacuumed, undefined)
    time.now += 6 * DAY_MS
    assert.equal((await other.maintain({ vacuumIntervalMs: null })).vacuumed, undefined)
    assert.equal((await other.maintain()).vacuumed?.files.length, 8)
    assert.equal(await table.countRows(), 80)
    for (const one of [table, other]) await one.close()
  })

  test('runs by itself when a commit finds it due, and says what it did', async () => {
    const { time, ports } = cheapWorld()
    const runs: MaintenanceResult[] = []
    const maintenance = { intervalMs: 60_000, onRun: (run: MaintenanceResult) => runs.push(run) }
    const options = { scratch: '/none', maintenance }
    const table = await DeltaTable.openOrCreate('t', { columns, properties }, ports, options)
    for (let i = 0; i < 8; i++) await table.append(rows(i * 10, 10))
    await table.settled()
    assert.equal(runs.length, 0)
    time.now += 90_000
    await table.append(rows(80, 10))
    await table.settled()
    assert.equal(runs.length, 1)
    assert.equal(runs[0]?.optimized.filesRemoved, 9)
    await table.close()
  })

  test('gives a failure to whoever listens, and the commits go on', async () => {
    const { time, ports } = cheapWorld()
    const warnings: string[] = []
    const engine = Object.create(ports.engine) as DeltaPorts['engine']
    Object.assign(engine, {
      write: (request: Parameters<typeof engine.write>[0]) =>
        request.inOrder === true
          ? Promise.reject(new Error('no room'))
          : ports.engine.write(request)
    })
    for (const name of ['match', 'scan', 'rowCounts', 'writeCheckpoint', 'filterParts'] as const) {
      Object.assign(engine, { [name]: (ports.engine[name] as () => unknown).bind(ports.engine) })
    }
    const failing = { ...ports, engine, onWarning: (text: string) => void warnings.push(text) }
    const options = { scratch: '/none', maintenance: {} }
    const table = await DeltaTable.openOrCreate('t', { columns, properties }, failing, options)
    for (let i = 0; i < 9; i++) {
      await table.append(rows(i * 10, 10))
      time.now += 90_000
    }
    await table.append(rows(90, 10))
    await table.settled()
    assert.ok(warnings.some(text => /The maintenance of memory:\/t failed/.test(text)))
    assert.equal(await table.countRows(), 100)
    await table.close()
  })
})

test('a table that takes a commit a second keeps few files, at a bounded cost', async () => {
  // A day has 86,400; the shape is reached long before.
  const commits = Number(process.env['CLAIMS_TEST_COMMITS'] ?? 3000)
  const { time, ports } = cheapWorld()
  let rewritten = 0
  let ingested = 0
  const onRun = ({ optimized }: MaintenanceResult): void => {
    rewritten += optimized.bytesAdded
  }
  const options = { scratch: '/none', maintenance: { onRun } }
  const spec = { columns, properties: { ...properties, 'delta.checkpointInterval': '100' } }
  const table = await DeltaTable.openOrCreate('t', spec, ports, options)
  let most = 0
  for (let i = 0; i < commits; i++) {
    ingested += (await table.append(rows(i * 20, 20))).bytesWritten
    await table.settled()
    time.now += 1000
    most = Math.max(most, (await table.snapshot()).files.size)
  }
  // A minute of commits, and seven files of each tier.
  assert.ok(most < 150, `${most} files`)
  assert.ok(
    rewritten < ingested * 4,
    `${(rewritten / ingested).toFixed(2)} bytes rewritten per byte`
  )
  const fresh = await DeltaTable.open('t', ports, { scratch: '/none' })
  assert.equal(await fresh.countRows(), commits * 20)
  for (const one of [table, fresh]) await one.close()
})
