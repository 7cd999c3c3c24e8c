/** Opening by the hint, and the cases in which the hint must not be believed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import type { ObjectStore } from '../../../../src/ports/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const LOG = 't/_delta_log'
const pad = (version: number): string => String(version).padStart(20, '0')
const commit = (version: number): string => `${LOG}/${pad(version)}.json`
const checkpoint = (version: number): string => `${LOG}/${pad(version)}.checkpoint.parquet`

/** A table of `commits` appends; checkpoints by hand only. */
async function filled(delta: TestDelta, commits: number, checkpoints: readonly number[]) {
  const properties = { 'delta.checkpointInterval': '100000' }
  const table = await DeltaTable.openOrCreate(
    't',
    { columns, properties },
    delta.ports,
    delta.options
  )
  for (let i = 1; i <= commits; i++) {
    await table.append([{ id: String(i) }])
    if (checkpoints.includes(i)) await table.checkpoint()
  }
  await table.close()
}

async function open(
  delta: TestDelta,
  store?: ObjectStore
): Promise<[version: number, rows: number]> {
  const ports = store === undefined ? delta.ports : delta.over(store)
  const table = await DeltaTable.open('t', ports, delta.options)
  const { version, timestamp } = await table.snapshot()
  assert.ok(timestamp > 1_700_000_000_000)
  const rows = await table.countRows()
  await table.close()
  return [version, rows]
}

/** The store, with the calls that reach it written down. */
function watched(store: ObjectStore, calls: string[]): ObjectStore {
  return {
    ...store,
    root: store.root,
    get: (path, range) => {
      calls.push(`get ${path}`)
      return store.get(path, range)
    },
    list: (prefix, options) => {
      calls.push('list')
      return store.list(prefix, options)
    },
    head: path => store.head(path),
    put: (path, bytes, options) => store.put(path, bytes, options),
    putFile: (path, file, signal) => store.putFile(path, file, signal),
    delete: path => store.delete(path),
    close: () => store.close()
  }
}

describe('Opening a table', () => {
  test('lists nothing where the hint leads to the newest version', async () => {
    await using delta = await openTestDelta('memory')
    await filled(delta, 25, [5, 12])
    const calls: string[] = []
    assert.deepEqual(await open(delta, watched(delta.ports.store, calls)), [25, 25])
    assert.ok(!calls.includes('list'))
    assert.ok(!calls.includes(`get ${commit(4)}`))
    assert.ok(calls.length < 32)
  })

  test('knows when the newest version was committed, also when that has the checkpoint', async () => {
    await using delta = await openTestDelta('memory')
    await filled(delta, 4, [4])
    assert.deepEqual(await open(delta), [4, 4])
    await delta.ports.store.delete(`${LOG}/_last_checkpoint`)
    assert.deepEqual(await open(delta), [4, 4])
  })

  test('finds a newer checkpoint than that of a hint that is long out of date', async () => {
    await using delta = await openTestDelta('memory')
    const { store } = delta.ports
    await filled(delta, 5, [5])
    const hint = await store.get(`${LOG}/_last_checkpoint`)
    await filled(delta, 150, [140])
    await store.put(`${LOG}/_last_checkpoint`, hint)
    const calls: string[] = []
    assert.deepEqual(await open(delta, watched(store, calls)), [155, 155])
    assert.ok(calls.includes('list'))
    assert.ok(calls.includes(`get ${checkpoint(145)}`))
  })

  test('does not take the version of a stale hint for the newest when the log after it is cleaned', async () => {
    await using delta = await openTestDelta('memory')
    const { store } = delta.ports
    await filled(delta, 12, [4, 10])
    await store.put(`${LOG}/_last_checkpoint`, Buffer.from('{"version":4,"size":6}'))
    for (let version = 0; version <= 9; version++) await store.delete(commit(version))
    assert.deepEqual(await open(delta), [12, 12])
  })

  test('is refused when a commit is missing before others that are there', async () => {
    await using delta = await openTestDelta('memory')
    await filled(delta, 20, [4])
    for (const version of [5, 12, 13, 19]) {
      const bytes = await delta.ports.store.get(commit(version))
      await delta.ports.store.delete(commit(version))
      await assert.rejects(open(delta), { code: 'DELTA_LOG_CORRUPT' }, `version ${version}`)
      await delta.ports.store.put(commit(version), bytes)
    }
    assert.deepEqual(await open(delta), [20, 20])
  })

  test('does without the checkpoint of the hint when it is gone or damaged', async () => {
    await using delta = await openTestDelta('memory')
    const { store } = delta.ports
    await filled(delta, 12, [4, 10])
    await store.put(checkpoint(10), Buffer.from('no Parquet'))
    assert.deepEqual(await open(delta), [12, 12])
    await store.delete(checkpoint(10))
    assert.deepEqual(await open(delta), [12, 12])
  })

  test('reads the other checkpoint of the version when one is damaged', async () => {
    await using delta = await openTestDelta('memory')
    const { store } = delta.ports
    await filled(delta, 6, [4])
    const uuid = '80a083e8-7026-4e79-81be-64bd76c43a11'
    await store.put(`${LOG}/${pad(4)}.checkpoint.${uuid}.parquet`, await store.get(checkpoint(4)))
    await store.put(checkpoint(4), Buffer.from('no Parquet'))
    for (let version = 0; version < 4; version++) await store.delete(commit(version))
    assert.deepEqual(await open(delta), [6, 6])
  })
})
