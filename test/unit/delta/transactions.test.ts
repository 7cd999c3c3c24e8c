import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable, type MergeRules } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const conflict = { code: 'DELTA_TRANSACTION_CONFLICT', errorClass: 'permanent' }

async function create(delta: TestDelta): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
}

describe('Transaction versions', () => {
  test('are committed with appends and merges, and outlive a checkpoint', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    assert.equal(await table.transactionVersion('app'), undefined)
    await table.append([{ id: 'a' }], { transaction: { appId: 'app', version: 5, expected: null } })
    await table.merge([{ id: 'b' }], rules, {
      transaction: { appId: 'app', version: 9, expected: 5 }
    })
    await table.append([{ id: 'c' }], { transaction: { appId: 'other', version: 1 } })
    await table.checkpoint()
    const again = await DeltaTable.open('t', delta.ports, delta.options)
    assert.equal(await again.transactionVersion('app'), 9)
    assert.equal(await again.transactionVersion('other'), 1)
  })

  test('are committed even when the rows change nothing', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append([{ id: 'a' }])
    const { inserted, updated } = await table.merge([{ id: 'a' }], rules, {
      transaction: { appId: 'app', version: 1, expected: null }
    })
    assert.deepEqual([inserted, updated], [0, 0])
    await table.append([], { transaction: { appId: 'app', version: 2, expected: 1 } })
    assert.equal(await table.transactionVersion('app'), 2)
    assert.equal(await table.countRows(), 1)
  })

  test('refuse a second run of the same batch', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    const transaction = { appId: 'app', version: 1, expected: null }
    await table.append([{ id: 'a' }], { transaction })
    await assert.rejects(table.append([{ id: 'a' }], { transaction }), {
      ...conflict,
      message: /of app is 1, not absent as expected/
    })
    await assert.rejects(table.merge([{ id: 'a' }], rules, { transaction }), conflict)
    assert.equal(await table.countRows(), 1)
  })

  test('let one of several that start from the same version through', async () => {
    await using delta = await openTestDelta()
    const writers = [await create(delta)]
    for (let i = 0; i < 3; i++) writers.push(await create(delta))
    const transaction = { appId: 'app', version: 7, expected: null }
    const results = await Promise.allSettled(
      writers.map((writer, i) => writer.append([{ id: String(i) }], { transaction }))
    )
    const refused = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    assert.equal(refused.length, 3)
    for (const { code } of refused) assert.equal(code, conflict.code)
    assert.equal(await writers[0]?.countRows(), 1)
  })
})
