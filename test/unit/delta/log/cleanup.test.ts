import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Action, AddAction } from '../../../../src/delta/actions.ts'
import { DataFiles } from '../../../../src/delta/data-files.ts'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { cleanLog } from '../../../../src/delta/log/cleanup.ts'
import { loadState } from '../../../../src/delta/log-reader.ts'
import { TableLog } from '../../../../src/delta/table-log.ts'
import { type MemoryDelta, openMemoryDelta } from '../../../helpers/memory-delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const HOUR = 3_600_000
const LOG = 't/_delta_log'
const pad = (version: number): string => String(version).padStart(20, '0')

async function open(delta: MemoryDelta, properties: Record<string, string> = {}) {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

const keepOneHour = { 'delta.logRetentionDuration': 'interval 1 hour' }

/** An append each six minutes, up to the version. */
async function appendUntil(delta: MemoryDelta, table: DeltaTable, last: number): Promise<void> {
  for (let { version } = await table.snapshot(); version < last; version++) {
    delta.now += HOUR / 10
    await table.append([{ id: `${version + 1}` }])
    await table.settled()
  }
}

const versionsOf = (names: readonly string[], suffix: string): number[] =>
  names.filter(name => name.endsWith(suffix)).map(name => Number(name.slice(0, 20)))

describe('The clean-up of a log', () => {
  test('keeps every version within the retention, and the checkpoint to rebuild it from', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, keepOneHour)
    await appendUntil(delta, table, 35)
    const names = await delta.logNames()
    // At version 30 the retention reached back to version 20.
    assert.deepEqual(versionsOf(names, '.checkpoint.parquet'), [20, 30])
    assert.equal(Math.min(...versionsOf(names, '.json')), 20)
    assert.equal(versionsOf(names, '.json').length, 16)
    assert.equal(Math.min(...versionsOf(names, '.crc')), 20)
    for (let version = 20; version <= 35; version++) {
      const anew = await DeltaTable.open('t', delta.ports, delta.options)
      assert.equal((await anew.read({ version })).length, version)
    }
    await assert.rejects(table.read({ version: 19 }), { code: 'DELTA_VERSION_NOT_FOUND' })
    assert.deepEqual(delta.warnings, [])
  })

  test('is off by property, and on by default after thirty days', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, { 'delta.enableExpiredLogCleanup': 'false' })
    await appendUntil(delta, table, 15)
    delta.now += 24 * 31 * HOUR
    await appendUntil(delta, table, 20)
    assert.equal(versionsOf(await delta.logNames(), '.json')[0], 0)
    await table.setProperties({ 'delta.enableExpiredLogCleanup': null })
    delta.now += HOUR
    await appendUntil(delta, table, 29)
    assert.equal(versionsOf(await delta.logNames(), '.json')[0], 0)
    await appendUntil(delta, table, 30)
    assert.equal(versionsOf(await delta.logNames(), '.json')[0], 10)
  })

  test('deletes nothing on the word of a damaged checkpoint', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, keepOneHour)
    await appendUntil(delta, table, 29)
    const { store } = delta.ports
    await store.put(`${LOG}/${pad(20)}.checkpoint.parquet`, Buffer.from('damaged'))
    await appendUntil(delta, table, 30)
    assert.equal(versionsOf(await delta.logNames(), '.json')[0], 10)
    assert.match(delta.warnings.join(), /checkpoint of version 20 is damaged/)
    assert.equal((await table.read({ version: 25 })).length, 25)
  })

  test('is left alone by a table with protected checkpoints', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    await appendUntil(delta, table, 30)
    delta.now += 24 * 365 * HOUR
    const data = new DataFiles(delta.ports, delta.options)
    const { metadata } = await table.snapshot()
    const writerFeatures = ['checkpointProtection']
    const protocol = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures }
    assert.equal(await cleanLog(delta.ports, data, 't', { metadata, protocol }), 0)
    const open7 = { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: [] }
    assert.ok((await cleanLog(delta.ports, data, 't', { metadata, protocol: open7 })) > 0)
  })

  test('takes sidecars that no checkpoint names, when they are a day old', async () => {
    await using delta = await openMemoryDelta()
    const { store } = delta.ports
    const table = await open(delta, { ...keepOneHour, 'delta.feature.v2Checkpoint': 'supported' })
    await appendUntil(delta, table, 12)
    const whole = await store.get(`${LOG}/${pad(10)}.checkpoint.parquet`)
    const lines = Buffer.from(whole).toString().split('\n')
    const isFile = (line: string): boolean => /^\{"(add|remove)"/.test(line)
    await store.put(
      `${LOG}/_sidecars/used.parquet`,
      Buffer.from(['ROWS1', ...lines.filter(isFile), ''].join('\n'))
    )
    await store.put(`${LOG}/_sidecars/unused.parquet`, Buffer.from('x'))
    const sidecar = { path: 'used.parquet', sizeInBytes: 1, modificationTime: 1 }
    const own = [...lines.slice(1, -1).filter(line => !isFile(line)), JSON.stringify({ sidecar })]
    const name = `${pad(10)}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json`
    await store.put(`${LOG}/${name}`, Buffer.from(own.join('\n')))
    await store.delete(`${LOG}/${pad(10)}.checkpoint.parquet`)
    delta.now += 25 * HOUR
    await store.put(`${LOG}/_sidecars/young.parquet`, Buffer.from('x'))
    await appendUntil(delta, table, 20)
    const kept = (await delta.logNames()).filter(path => path.startsWith('_sidecars'))
    assert.deepEqual(kept, ['_sidecars/used.parquet', '_sidecars/young.parquet'])
    assert.equal((await table.read({ version: 11 })).length, 11)
    await appendUntil(delta, table, 50)
    delta.now += 25 * HOUR
    await appendUntil(delta, table, 60)
    assert.deepEqual(
      (await delta.logNames()).filter(path => path.startsWith('_sidecars')),
      []
    )
  })
})

/** Commits that replace one of fifty files each, without data. */
function replacement(version: number): Action[] {
  const add = (file: number): AddAction => ({
    path: `part-${file}.parquet`,
    partitionValues: {},
    size: 1000,
    modificationTime: 1,
    dataChange: true,
    stats: '{"numRecords":1}'
  })
  if (version <= 50) return [{ add: add(version) }]
  const remove = { path: add(version - 50).path, deletionTimestamp: 1, dataChange: true }
  return [{ remove }, { add: add(version) }]
}

describe('A table that takes a commit each ten seconds for a day', () => {
  test('keeps a log of bounded size, and opens at a bounded cost', async () => {
    await using delta = await openMemoryDelta()
    await open(delta, keepOneHour)
    const data = new DataFiles(delta.ports, delta.options)
    const state = await loadState(delta.ports, data, 't')
    const log = new TableLog(delta.ports, data, 't', state ?? assert.fail())
    const commits = 8640
    let most = 0
    for (let version = 1; version <= commits; version++) {
      delta.now += 10_000
      const snapshot = await log.refresh()
      await log.commit(snapshot, { operation: 'WRITE' }, replacement(version))
      if (version % 10 === 0) await log.settled()
      if (version % 997 === 0) most = Math.max(most, (await delta.logNames()).length)
    }
    // Commits and checksums, and a checkpoint for ten, of the retention and until the next clean-up.
    assert.ok(most < 2.1 * (360 * (1 + 1 / 24) + 20), `${most} files`)
    const before = { ...delta.calls }
    const anew = await DeltaTable.open('t', delta.ports, delta.options)
    const { version, files } = await anew.snapshot()
    assert.deepEqual([version, files.size], [commits, 50])
    assert.equal(delta.calls.list, before.list)
    assert.ok(delta.calls.get - before.get < 32)
    assert.deepEqual(delta.warnings, [])
  })
})
