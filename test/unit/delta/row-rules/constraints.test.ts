/** Check constraints and invariants, asked of every new row. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable, type MergeRules, type TableSpec } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string' },
  { name: 'n', type: 'long' },
  { name: 'x', type: 'double' }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const violated = { code: 'DELTA_CONSTRAINT_VIOLATED' }

async function create(delta: TestDelta, spec: Partial<TableSpec> = {}): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate('t', { columns, ...spec }, delta.ports, delta.options)
}

/** Writes a commit as another engine would, with another schema or other properties. */
async function alterByHand(
  delta: TestDelta,
  table: DeltaTable,
  change: { fields?: object[]; configuration?: object; writer?: number }
): Promise<DeltaTable> {
  const { version, metadata } = await table.snapshot()
  const schema = JSON.parse(metadata.schemaString)
  const metaData = {
    ...metadata,
    schemaString: JSON.stringify({ ...schema, fields: change.fields ?? schema.fields }),
    configuration: { ...metadata.configuration, ...change.configuration }
  }
  const protocol = { minReaderVersion: 1, minWriterVersion: change.writer ?? 3 }
  const text = [{ protocol }, { metaData }].map(action => JSON.stringify(action)).join('\n')
  const path = `t/_delta_log/${String(version + 1).padStart(20, '0')}.json`
  await delta.ports.store.put(path, Buffer.from(text), { ifAbsent: true })
  return await DeltaTable.open('t', delta.ports, delta.options)
}

describe('Check constraints', () => {
  test('are added when all stored rows keep them, and raise the protocol', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append([
      { id: 1, n: 1 },
      { id: 2, n: null }
    ])
    await assert.rejects(table.addConstraint('Positive', 'n > 0'), {
      ...violated,
      message: /1 of the rows breaks the constraint positive \(n > 0\)/
    })
    await table.delete({ where: 'n IS NULL' })
    await table.addConstraint('Positive', '`n` > 0')
    const { protocol, metadata, version } = await table.snapshot()
    assert.equal(protocol.minWriterVersion, 3)
    assert.equal(metadata.configuration['delta.constraints.positive'], '`n` > 0')
    await table.addConstraint('positive', '`n` > 0')
    assert.equal((await table.snapshot()).version, version)
    const refused = { code: 'DELTA_PROPERTY_INVALID' }
    await assert.rejects(table.addConstraint('POSITIVE', 'n > 1'), refused)
    await assert.rejects(table.setProperties({ 'delta.constraints.b': 'true' }), refused)
    await assert.rejects(table.setProperties({ 'delta.constraints.positive': null }), refused)
    await assert.rejects(table.dropConstraint('nothing'), refused)
    await assert.rejects(table.addConstraint('c', 'rand() > 0'), { code: 'DELTA_UNSUPPORTED' })
    await table.dropConstraint('Positive')
    await table.append([{ id: 3, n: -1 }])
    const operations = (await table.history()).map(({ operation }) => operation)
    assert.deepEqual(operations.slice(0, 2), ['WRITE', 'DROP CONSTRAINT'])
  })

  test('keep rows out that do not make them true, whoever writes them', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, {
      constraints: { positive: 'n > 0', number: 'x IS NULL OR x < 10' }
    })
    await table.append([
      { id: 1, n: 1 },
      { id: 2, n: 2, x: 3 }
    ])
    const { version } = await table.snapshot()
    const bad: [string, () => Promise<unknown>][] = [
      [
        'append',
        () =>
          table.append([
            { id: 3, n: 1 },
            { id: 4, n: 0 }
          ])
      ],
      ['a null', () => table.append([{ id: 3 }])],
      ['NaN', () => table.append([{ id: 3, n: 1, x: Number.NaN }])],
      ['merge insert', () => table.merge([{ id: 3, n: -1 }], rules)],
      ['merge update', () => table.merge([{ id: 1, n: -1 }], rules)],
      ['update value', () => table.update({ set: { n: -1 } })],
      ['update SQL', () => table.update({ where: 'id = 2', set: { n: { sql: 'n - 2' } } })],
      ['update other', () => table.update({ where: 'id = 2', set: { x: 10 } })]
    ]
    for (const [what, write] of bad) {
      await assert.rejects(
        write(),
        (error: Error & { code?: string }) => {
          assert.doesNotMatch(error.message, /-1/)
          return error.code === violated.code
        },
        what
      )
    }
    assert.equal((await table.snapshot()).version, version)
    await table.merge(
      [
        { id: 1, n: 5 },
        { id: 3, n: 6 }
      ],
      rules
    )
    await table.update({ where: 'id = 2', set: { n: { sql: 'n + 1' }, x: 9.5 } })
    await table.merge([{ id: 1 }], { ...rules, deleteWhen: () => true })
    await table.delete({ where: 'n = 6' })
    await table.optimize()
    assert.deepEqual(await table.read(), [{ id: 2, place: null, n: 3, x: 9.5 }])
  })

  test('are looked at again for rows that others add meanwhile', async () => {
    await using delta = await openTestDelta()
    const theirs = await create(delta)
    const { store, before } = withRival(delta.ports.store)
    const ours = await DeltaTable.open('t', delta.over(store), delta.options)
    before(() => theirs.append([{ id: 1, n: -1 }]))
    await assert.rejects(ours.addConstraint('positive', 'n > 0'), violated)
    await theirs.delete()
    before(() => theirs.append([{ id: 2, n: 2 }]))
    await ours.addConstraint('positive', 'n > 0')
    before(() => theirs.addConstraint('small', 'n < 10'))
    await assert.rejects(ours.append([{ id: 3, n: 11 }]), violated)
    before(() => theirs.addConstraint('smaller', 'n < 5'))
    await assert.rejects(ours.merge([{ id: 3, n: 7 }], rules), violated)
    before(() => theirs.addConstraint('smallest', 'n < 4'))
    await assert.rejects(ours.update({ set: { n: 4 } }), violated)
    assert.equal(await theirs.countRows(), 1)
  })

  test('of other engines are kept to, and what this one does not evaluate is refused', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append([{ id: 1, n: 1 }])
    const invariant = JSON.stringify({ expression: { expression: 'n >= 0' } })
    const fields = JSON.parse((await table.snapshot()).metadata.schemaString).fields
    fields[2].metadata = { 'delta.invariants': invariant }
    const spark = await alterByHand(delta, table, {
      fields,
      configuration: { 'delta.constraints.place': 'place = "a\\"b" OR `place` IS NULL' }
    })
    await assert.rejects(spark.append([{ id: 2, n: -1 }]), violated)
    await assert.rejects(spark.append([{ id: 2, n: 1, place: 'a' }]), violated)
    await spark.append([{ id: 2, n: 1, place: 'a"b' }])
    const strange = await alterByHand(delta, spark, {
      configuration: { 'delta.constraints.odd': "regexp_like(place, 'a')" }
    })
    const refused = { code: 'DELTA_UNSUPPORTED', message: /regexp_like\(place, 'a'\)/ }
    await assert.rejects(strange.append([{ id: 3, n: 1 }]), refused)
    await assert.rejects(strange.merge([{ id: 3, n: 1 }], rules), refused)
    await assert.rejects(strange.update({ set: { n: 2 } }), refused)
    // What makes no new rows goes on, and the constraint can be dropped.
    await strange.delete({ where: 'id = 1' })
    await strange.optimize()
    await strange.dropConstraint('odd')
    await strange.append([{ id: 3, n: 1 }])
    assert.equal(await strange.countRows(), 2)
  })
})
