import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { type ColumnSpec, DeltaTable } from '../../../../src/delta/index.ts'
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

  test('is refused with columns that no engine takes', async () => {
    await using delta = await openTestDelta('memory')
    const refused = async (
      columns: readonly ColumnSpec[],
      message: RegExp,
      partitionBy: readonly string[] = []
    ): Promise<void> => {
      const spec = { columns, partitionBy }
      const made = DeltaTable.openOrCreate('bad', spec, delta.ports, delta.options)
      await assert.rejects(made, { code: 'DELTA_SCHEMA_INVALID', message })
    }
    const id = { name: 'id', type: 'long' } as const
    await refused([id, { name: 'ID', type: 'long' }], /ID occurs twice/)
    await refused([{ ...id, name: '' }], /no name/)
    await refused([{ ...id, type: 'decimal(39,0)' }], /1 to 38 digits/)
    await refused([{ ...id, type: 'decimal(3,4)' }], /1 to 38 digits/)
    await refused([id], /no column day/, ['day'])
    await refused([id], /every column is a partition column/, ['id'])
    const list = { name: 'list', type: { type: 'array', elementType: 'long' } } as const
    await refused([id, list], /nested column list/, ['list'])
    const inner = {
      name: 's',
      type: { type: 'struct', fields: [id, { ...id, name: 'Id' }] }
    } as const
    await refused([inner], /Id occurs twice/)
    await assert.rejects(
      DeltaTable.openOrCreate(
        'bad',
        { columns: [{ name: 'v', type: 'variant' as 'string' }] },
        delta.ports,
        delta.options
      ),
      { code: 'DELTA_UNSUPPORTED', message: /variantType/ }
    )
  })

  test('names the codec of new files, of those that can be written', async () => {
    await using delta = await openTestDelta()
    for (const codec of ['snappy', 'ZSTD', 'gzip', 'lz4_raw', 'uncompressed', 'none']) {
      const table = await create(delta, { 'delta.parquet.compression.codec': codec }, codec)
      await table.append([{ id: 'a', n: 1 }])
      const [file] = (await table.snapshot()).files.values()
      const path = join(delta.root, 'tables', codec, file?.path ?? '')
      assert.equal(await codecOf(path), CODECS[codec.toLowerCase()] ?? codec.toUpperCase())
      assert.deepEqual(await table.read(), [{ id: 'a', n: 1 }])
    }
    await assert.rejects(create(delta, { 'delta.parquet.compression.codec': 'lz4' }, 'lz4'), {
      code: 'DELTA_PROPERTY_INVALID'
    })
  })
})

const CODECS: Readonly<Record<string, string>> = { none: 'UNCOMPRESSED' }

async function codecOf(path: string): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const query = `SELECT DISTINCT compression FROM parquet_metadata('${path}')`
    return String((await connection.runAndReadAll(query)).getColumns()[0]?.[0])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
