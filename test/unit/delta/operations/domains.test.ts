/** Domain metadata of programs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [{ name: 'id', type: 'integer', nullable: false }] as const

test('a domain is set, replaced and removed, through checkpoints too', async () => {
  await using delta = await openTestDelta()
  const table = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  const read = async (): Promise<Record<string, string>> => {
    const fresh = await DeltaTable.open('t', delta.ports, delta.options)
    const { domains } = await fresh.snapshot()
    return Object.fromEntries(
      [...domains].map(([name, { configuration }]) => [name, configuration])
    )
  }
  assert.equal(await table.setDomain('com.example.sync', '{"at":1}'), 1)
  const { protocol } = await table.snapshot()
  assert.equal(protocol.minWriterVersion, 7)
  assert.ok(protocol.writerFeatures?.includes('domainMetadata'))
  await table.setDomain('other', 'not JSON')
  await table.setDomain('com.example.sync', '{"at":2}')
  await table.checkpoint()
  assert.deepEqual(await read(), { 'com.example.sync': '{"at":2}', other: 'not JSON' })
  assert.equal(await table.removeDomain('com.example.sync'), 4)
  assert.deepEqual(await read(), { other: 'not JSON' })
  const log = await delta.ports.store.get(`t/_delta_log/${'4'.padStart(20, '0')}.json`)
  assert.match(Buffer.from(log).toString(), /"configuration":"\{\\"at\\":2\}","removed":true/)
  await table.checkpoint()
  assert.equal(await table.removeDomain('com.example.sync'), 4)
  assert.deepEqual(await read(), { other: 'not JSON' })
})

test('names of Delta itself are refused', async () => {
  await using delta = await openTestDelta()
  const table = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  const refused = { code: 'DELTA_UNSUPPORTED' }
  await assert.rejects(table.setDomain('delta.clustering', '{}'), refused)
  await assert.rejects(table.removeDomain('Delta.rowTracking'), refused)
  await assert.rejects(table.setDomain('', '{}'), refused)
  assert.equal((await table.snapshot()).version, 0)
})

test('two writers of one domain conflict, those of others do not', async () => {
  await using delta = await openTestDelta()
  const { store, before } = withRival(delta.ports.store)
  const theirs = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  const ours = await DeltaTable.open('t', delta.over(store), delta.options)
  before(() => theirs.append([{ id: 1 }]))
  assert.equal(await ours.setDomain('a', '1'), 2)
  before(() => theirs.setDomain('b', 'theirs'))
  assert.equal(await ours.setDomain('a', '2'), 4)
  const lost = { code: 'DELTA_CONFLICT' }
  before(() => theirs.setDomain('a', '2'))
  await assert.rejects(ours.setDomain('a', '3'), lost)
  before(() => theirs.removeDomain('a'))
  await assert.rejects(ours.removeDomain('a'), lost)
  const { domains } = await theirs.snapshot()
  assert.deepEqual([...domains.keys()], ['b'])
  assert.equal(domains.get('b')?.configuration, 'theirs')
})
