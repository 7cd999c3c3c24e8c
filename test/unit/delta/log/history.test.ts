import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openMemoryDelta } from '../../../helpers/memory-delta.ts'

test('tells times that time travel takes, though the clock of the writer is behind that of the store', async () => {
  await using delta = await openMemoryDelta()
  const clock = { ...delta.ports.clock, now: () => delta.now - 3_600_000 }
  const columns = [{ name: 'id', type: 'string', nullable: false }] as const
  const ports = { ...delta.ports, clock }
  const table = await DeltaTable.openOrCreate('t', { columns }, ports, delta.options)
  for (const id of ['1', '2', '3']) {
    delta.now += 1000
    await table.append([{ id }])
  }
  for (const { version, timestamp } of await table.history()) {
    assert.equal(await table.versionAt(timestamp ?? 0), version)
  }
})
