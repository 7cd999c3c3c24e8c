import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { type MemoryDelta, openMemoryDelta } from '../../../helpers/memory-delta.ts'

const columns = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'n', type: 'long', nullable: true }
] as const
const crc = (version: number): string => `t/_delta_log/${String(version).padStart(20, '0')}.crc`

async function open(delta: MemoryDelta, properties: Record<string, string> = {}) {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

async function stored(delta: MemoryDelta, version: number): Promise<Record<string, unknown>> {
  return JSON.parse(Buffer.from(await delta.ports.store.get(crc(version))).toString())
}

describe('A version checksum', () => {
  test('says what the version amounts to, for each commit', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, { 'delta.enableInCommitTimestamps': 'true' })
    await table.append([{ id: 'a', n: 1 }], { transaction: { appId: 'app', version: 3 } })
    await table.append([{ id: 'b', n: 2 }])
    await table.merge([{ id: 'a', n: 5 }], { keys: ['id'] })
    await table.settled()
    for (const version of [1, 2, 3]) {
      const { files, metadata, protocol, timestamp } = await table.snapshot(version)
      const sizes = [...files.values()].map(add => add.size)
      const { txnId, ...rest } = await stored(delta, version)
      assert.match(String(txnId), /^[0-9a-f-]{36}$/)
      assert.deepEqual(rest, {
        tableSizeBytes: sizes.reduce((sum, size) => sum + size, 0),
        numFiles: files.size,
        numMetadata: 1,
        numProtocol: 1,
        inCommitTimestampOpt: timestamp,
        setTransactions: [{ appId: 'app', version: 3, lastUpdated: delta.now }],
        domainMetadata: [],
        metadata: JSON.parse(JSON.stringify(metadata)),
        protocol: JSON.parse(JSON.stringify(protocol))
      })
    }
    assert.deepEqual((await table.verify()).problems, [])
  })

  test('counts deletion vectors and the rows that they delete', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, { 'delta.enableDeletionVectors': 'true' })
    const rows = Array.from({ length: 2000 }, (_, n) => ({ id: `k${n}`, n }))
    await table.append(rows)
    await table.merge(
      [
        { id: 'k1', n: 0 },
        { id: 'k2', n: 0 }
      ],
      { keys: ['id'] }
    )
    await table.settled()
    const { numDeletedRecordsOpt, numDeletionVectorsOpt } = await stored(delta, 2)
    assert.deepEqual([numDeletedRecordsOpt, numDeletionVectorsOpt], [2, 1])
    assert.deepEqual((await table.verify()).problems, [])
  })

  test('is never replaced, and does not fail a commit', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    await delta.ports.store.put(crc(1), Buffer.from('of somebody else'))
    await table.append([{ id: 'a', n: 1 }])
    await table.settled()
    assert.equal(Buffer.from(await delta.ports.store.get(crc(1))).toString(), 'of somebody else')
    const { put } = delta.ports.store
    Object.assign(delta.ports.store, {
      put: async (path: string, bytes: Uint8Array, options?: { ifAbsent?: boolean }) => {
        if (path.endsWith('.crc')) throw new Error('no room')
        return await put(path, bytes, options)
      }
    })
    await table.append([{ id: 'b', n: 1 }])
    await table.settled()
    assert.equal((await table.read()).length, 2)
    assert.match(delta.warnings.join(), /checksum of memory:\/t was not written: Error: no room/)
  })

  test('that says otherwise than the log is a problem, which is told field by field', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    await table.append([{ id: 'a', n: 1 }], { transaction: { appId: 'app', version: 3 } })
    await table.settled()
    const right = await stored(delta, 1)
    const problemsOf = async (changes: Record<string, unknown>): Promise<string> => {
      await delta.ports.store.put(crc(1), Buffer.from(JSON.stringify({ ...right, ...changes })))
      return (await table.verify()).problems.join('; ')
    }
    assert.equal(await problemsOf({}), '')
    assert.equal(await problemsOf({ unknownField: 1, allFiles: null }), '')
    const size = right['tableSizeBytes']
    assert.equal(
      await problemsOf({ tableSizeBytes: 7, numFiles: 2 }),
      `The checksum of version 1 says tableSizeBytes 7, the log amounts to ${size}; ` +
        'The checksum of version 1 says numFiles 2, the log amounts to 1'
    )
    assert.match(await problemsOf({ numMetadata: 2 }), /says numMetadata 2, not 1/)
    for (const field of ['metadata', 'protocol', 'setTransactions', 'domainMetadata', 'allFiles']) {
      const other =
        Array.isArray(right[field]) || field === 'allFiles' ? [{ appId: 'x' }] : { id: 'x' }
      assert.equal(
        await problemsOf({ [field]: other }),
        `The checksum of version 1 says otherwise of ${field} than the log`
      )
    }
    await delta.ports.store.put(crc(1), Buffer.from('{'))
    assert.deepEqual((await table.verify()).problems, ['The checksum of version 1 cannot be read'])
    await delta.ports.store.delete(crc(1))
    assert.deepEqual((await table.verify()).problems, [])
  })
})
