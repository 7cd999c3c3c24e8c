/** Generated columns and column defaults. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable, type MergeRules, type TableSpec } from '../../../../src/delta/index.ts'
import { assertReplays } from '../../../helpers/changes.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const DAY = 86_400_000_000n
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const violated = { code: 'DELTA_CONSTRAINT_VIOLATED' }
const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 't', type: 'timestamp' },
  { name: 'day', type: 'date', generatedAs: 'CAST(t AS DATE)' },
  { name: 'n', type: 'long' },
  { name: 'twice', type: 'long', generatedAs: 'n * 2', nullable: false }
] as const

async function create(delta: TestDelta, spec: Partial<TableSpec> = {}): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate('t', { columns, ...spec }, delta.ports, delta.options)
}

const sorted = async (table: DeltaTable) =>
  (await table.read()).sort((a, b) => Number(a['id']) - Number(b['id']))

describe('Generated columns', () => {
  for (const partitioned of [false, true]) {
    const how = partitioned ? ', as partitions' : ''
    test(`are computed where rows lack them, and checked where they have them${how}`, async () => {
      await using delta = await openTestDelta()
      const properties = { 'delta.enableChangeDataFeed': 'true' }
      const table = await create(delta, { partitionBy: partitioned ? ['day'] : [], properties })
      assert.equal((await table.snapshot()).protocol.minWriterVersion, 4)
      await table.append([
        { id: 1, t: 0n, n: 1 },
        { id: 2, t: DAY + 5n, n: 2, day: '1970-01-02', twice: 4 },
        { id: 3, t: null, n: 3, day: null }
      ])
      for (const wrong of [
        { id: 4, t: 0n, n: 1, day: '1970-01-02' },
        { id: 4, t: 0n, n: 1, day: null },
        { id: 4, n: 1, twice: 3 }
      ]) {
        await assert.rejects(table.append([wrong]), violated)
        await assert.rejects(table.merge([wrong], rules), violated)
      }
      await assert.rejects(table.append([{ id: 4 }]), { code: 'DELTA_SCHEMA_MISMATCH' })
      await table.merge(
        [
          { id: 1, t: 3n * DAY },
          { id: 4, t: DAY, n: 5 }
        ],
        rules
      )
      await table.merge([{ id: 3, n: 7, twice: 14 }], rules)
      await table.update({ where: 'id = 2', set: { t: { sql: 't + INTERVAL 1 DAY' }, n: 10 } })
      await table.update({ where: 'id = 4', set: { day: '1970-01-02' } })
      for (const set of [{ day: '1999-01-01' }, { twice: { sql: 'n' } }, { t: 0n, day: null }]) {
        await assert.rejects(table.update({ where: 'id = 2', set }), violated)
      }
      await assert.rejects(table.update({ where: 'id = 2', set: { n: null } }), {
        code: 'DELTA_SCHEMA_MISMATCH'
      })
      assert.deepEqual(await sorted(table), [
        { id: 1, t: 3n * DAY, day: '1970-01-04', n: 1, twice: 2 },
        { id: 2, t: 2n * DAY + 5n, day: '1970-01-03', n: 10, twice: 20 },
        { id: 3, t: null, day: null, n: 7, twice: 14 },
        { id: 4, t: DAY, day: '1970-01-02', n: 5, twice: 10 }
      ])
      const partitions = [...(await table.snapshot()).files.values()].map(
        add => add.partitionValues['day']
      )
      if (partitioned) {
        const days = ['1970-01-02', '1970-01-03', '1970-01-04', null]
        assert.deepEqual([...new Set(partitions)].sort(), days.sort())
      }
      await assertReplays(table)
      assert.deepEqual((await table.verify(['id'])).problems, [])
    })
  }

  test('are made of other columns of the table, in SQL that this engine evaluates', async () => {
    await using delta = await openTestDelta()
    const refused = { code: 'DELTA_UNSUPPORTED' }
    for (const generatedAs of ['nothing + 1', 'rand()', 'a', "'text'", 'n / a']) {
      const spec = {
        columns: [
          { name: 'n', type: 'long' },
          { name: 'a', type: 'long', generatedAs: 'n' },
          { name: 'b', type: 'long', generatedAs }
        ]
      } as const
      const created = DeltaTable.openOrCreate('bad', spec, delta.ports, delta.options)
      await assert.rejects(created, refused, generatedAs)
    }
    const table = await create(delta)
    const added = { name: 'more', type: 'long', generatedAs: 'n' } as const
    await assert.rejects(table.addColumns([added]), refused)
    await assert.rejects(table.merge([{ twice: 2 }], { ...rules, keys: ['twice'] }), refused)
  })
})

describe('Column defaults', () => {
  const withDefaults: TableSpec = {
    columns: [
      { name: 'id', type: 'integer', nullable: false },
      { name: 'place', type: 'string', default: "'no\\'where'", nullable: false },
      { name: 'n', type: 'long', default: '40 + 2' },
      { name: 'x', type: 'double', default: '0.5' },
      { name: 'day', type: 'date', default: "DATE '2024-02-29'" },
      { name: 'at', type: 'timestamp', default: 'current_timestamp()' },
      { name: 'none', type: 'string', default: 'NULL' }
    ]
  }

  test('stand for columns that new rows lack, and for nothing else', async () => {
    await using delta = await openTestDelta()
    const before = BigInt(Date.now()) * 1000n
    const table = await DeltaTable.openOrCreate('t', withDefaults, delta.ports, delta.options)
    const { protocol } = await table.snapshot()
    assert.ok(protocol.writerFeatures?.includes('allowColumnDefaults'))
    await table.append([{ id: 1 }, { id: 2, place: 'here', n: null, x: null, day: null, at: null }])
    await table.merge(
      [
        { id: 3, n: 1 },
        { id: 2, n: 2 }
      ],
      rules
    )
    await table.merge([{ id: 1, place: 'over' }], { ...rules, overwrite: true })
    const rows = await sorted(table)
    const filled = { x: 0.5, day: '2024-02-29', none: null }
    assert.deepEqual(
      rows.map(({ at, ...row }) => row),
      [
        { id: 1, place: 'over', n: 42, ...filled },
        { id: 2, place: 'here', n: 2, x: null, day: null, none: null },
        { id: 3, place: "no'where", n: 1, ...filled }
      ]
    )
    for (const at of [rows[0]?.['at'], rows[2]?.['at']]) {
      assert.ok(typeof at === 'bigint' && at >= before && at <= BigInt(Date.now()) * 1000n)
    }
    assert.equal(rows[1]?.['at'], null)
    await assert.rejects(table.append([{ id: 4, place: null }]), { code: 'DELTA_SCHEMA_MISMATCH' })
  })

  test('are literals, or what is computed alike everywhere', async () => {
    await using delta = await openTestDelta()
    for (const fallback of ['uuid()', 'id', "'a' 'b'", '1.5']) {
      const spec = {
        columns: [
          { name: 'id', type: 'long' },
          { name: 'n', type: 'long', default: fallback }
        ]
      } as const
      const created = DeltaTable.openOrCreate('bad', spec, delta.ports, delta.options)
      await assert.rejects(created, { code: 'DELTA_UNSUPPORTED' }, fallback)
    }
  })
})
