import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'n', type: 'long', nullable: true }
] as const

async function create(
  delta: TestDelta,
  properties: Record<string, string>,
  name = 't'
): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate(name, { columns, properties }, delta.ports, delta.options)
}

describe('The definition of a table', () => {
  test('asks for no more than its properties need', async () => {
    await using delta = await openTestDelta('memory')
    const protocolOf = async (properties: Record<string, string>): Promise<unknown> => {
      const name = JSON.stringify(properties).replace(/\W/g, '')
      return (await (await create(delta, properties, name)).snapshot()).protocol
    }
    const open = { minReaderVersion: 1, minWriterVersion: 2 }
    assert.deepEqual(await protocolOf({}), open)
    assert.deepEqual(await protocolOf({ 'delta.appendOnly': 'true' }), open)
    assert.deepEqual(await protocolOf({ owner: 'claims' }), open)
    assert.deepEqual(await protocolOf({ 'delta.enableDeletionVectors': 'true' }), {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['deletionVectors'],
      writerFeatures: ['appendOnly', 'invariants', 'deletionVectors']
    })
    assert.deepEqual(await protocolOf({ 'delta.feature.vacuumProtocolCheck': 'supported' }), {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['vacuumProtocolCheck'],
      writerFeatures: ['appendOnly', 'invariants', 'vacuumProtocolCheck']
    })
  })

  test('is refused with unknown properties, wrong values, and what cannot be written', async () => {
    await using delta = await openTestDelta('memory')
    const invalid = (properties: Record<string, string>, message: RegExp): Promise<void> =>
      assert.rejects(create(delta, properties), { code: 'DELTA_PROPERTY_INVALID', message })
    await invalid({ 'delta.enableDeletionVector': 'true' }, /no table property delta.enableDel/)
    await invalid({ 'delta.appendOnly': 'yes' }, /"yes"; allowed is true, false/)
    await invalid({ 'delta.checkpointInterval': '0' }, /a whole number from 1/)
    await invalid({ 'delta.feature.unheardOf': 'supported' }, /no table feature unheardOf/)
    await assert.rejects(create(delta, { 'delta.feature.catalogManaged': 'supported' }), {
      code: 'DELTA_UNSUPPORTED',
      message: /catalogManaged/
    })
    assert.equal(await DeltaTable.openIfExists('t', delta.ports, delta.options), undefined)
  })

  test('changes with its properties, and raises the protocol once', async () => {
    await using delta = await openTestDelta('memory')
    const table = await create(delta, {})
    await table.append([{ id: 'a', n: 1 }])
    await table.setProperties({ 'delta.enableDeletionVectors': 'true', owner: 'claims' })
    const { protocol, metadata, version } = await table.snapshot()
    assert.equal(protocol.minWriterVersion, 7)
    assert.deepEqual(metadata.configuration, {
      'delta.enableDeletionVectors': 'true',
      owner: 'claims'
    })
    await table.setProperties({ owner: 'claims' })
    assert.equal((await table.snapshot()).version, version)
    await table.setProperties({ 'delta.enableDeletionVectors': null })
    const after = await table.snapshot()
    assert.deepEqual(after.metadata.configuration, { owner: 'claims' })
    assert.deepEqual(after.protocol, protocol)
    assert.deepEqual(await table.read(), [{ id: 'a', n: 1 }])
  })

  test('can be changed by two at once', async () => {
    await using delta = await openTestDelta('memory')
    const one = await create(delta, {})
    const other = await DeltaTable.open('t', delta.ports, delta.options)
    await Promise.all([one.setProperties({ a: '1' }), other.setProperties({ b: '2' })])
    assert.deepEqual((await one.snapshot()).metadata.configuration, { a: '1', b: '2' })
  })
})
