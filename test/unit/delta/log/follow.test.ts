/** Following a log that others write and clean, and the checkpoints that they owe. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { type MemoryDelta, openMemoryDelta } from '../../../helpers/memory-delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const LOG = 't/_delta_log'
const pad = (version: number): string => String(version).padStart(20, '0')
const commit = (version: number): string => `${LOG}/${pad(version)}.json`

async function create(delta: MemoryDelta, properties: Record<string, string> = {}) {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

const ids = async (table: DeltaTable): Promise<unknown[]> =>
  (await table.read()).map(row => row['id']).sort()

describe('A table that follows its log', () => {
  test('sees what others committed although its own version was cleaned away meanwhile', async () => {
    await using delta = await openMemoryDelta()
    const reader = await create(delta)
    const writer = await DeltaTable.open('t', delta.ports, delta.options)
    for (let i = 1; i <= 9; i++) await writer.append([{ id: `${i}` }])
    await writer.checkpoint()
    await writer.append([{ id: 'x' }])
    for (let version = 0; version < 9; version++) await delta.ports.store.delete(commit(version))
    delta.now += 61_000
    assert.deepEqual(await ids(reader), ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'x'])
  })

  test('does not commit a version again that was cleaned away', async () => {
    await using delta = await openMemoryDelta()
    const late = await create(delta)
    const writer = await DeltaTable.open('t', delta.ports, delta.options)
    for (let i = 1; i <= 5; i++) await writer.append([{ id: `${i}` }])
    await writer.checkpoint()
    for (let version = 0; version < 5; version++) await delta.ports.store.delete(commit(version))
    delta.now += 61_000
    const { version } = await late.append([{ id: 'late' }])
    assert.equal(version, 6)
    assert.equal((await ids(writer)).length, 6)
  })

  test('asks for the next commit and nothing else while it refreshes often', async () => {
    await using delta = await openMemoryDelta()
    const table = await create(delta)
    await table.append([{ id: '1' }])
    await table.settled()
    const before = { ...delta.calls }
    for (let i = 0; i < 10; i++) {
      delta.now += 1000
      await table.snapshot()
    }
    assert.deepEqual(delta.calls, { ...before, get: before.get + 10 })
  })

  test('writes the checkpoint that another process died before writing', async () => {
    await using delta = await openMemoryDelta()
    const table = await create(delta)
    for (let i = 1; i <= 9; i++) await table.append([{ id: `${i}` }])
    // The tenth version comes from a process that ends with its commit.
    await delta.ports.store.put(commit(10), Buffer.from('{"commitInfo":{"timestamp":1}}'))
    for (let i = 11; i <= 13; i++) await table.append([{ id: `${i}` }])
    await table.settled()
    const names = await delta.logNames()
    assert.deepEqual(
      names.filter(name => name.includes('checkpoint')),
      [`${pad(13)}.checkpoint.parquet`, '_last_checkpoint']
    )
  })

  test('leaves a checkpoint to the process that committed its version', async () => {
    await using delta = await openMemoryDelta()
    const [a, b] = [await create(delta), await create(delta)]
    for (let i = 1; i <= 60; i++) {
      await (i % 2 === 0 ? a : b).append([{ id: `${i}` }])
      await a.settled()
      await b.settled()
    }
    const names = await delta.logNames()
    assert.deepEqual(
      names.filter(name => name.endsWith('.checkpoint.parquet')),
      [10, 20, 30, 40, 50, 60].map(version => `${pad(version)}.checkpoint.parquet`)
    )
    assert.deepEqual(delta.warnings, [])
  })
})
