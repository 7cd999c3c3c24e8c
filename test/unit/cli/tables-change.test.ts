/** Commands that change rows, columns and properties of a table. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'
import { runCli } from '../../helpers/run-cli.ts'

const spec = { columns: { id: 'integer', place: 'string' } } as const

async function makeTable(delta: TestDelta): Promise<{ table: DeltaTable; path: string }> {
  const table = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
  await table.append(Array.from({ length: 10 }, (_, id) => ({ id, place: `p${id % 2}` })))
  return { table, path: join(delta.root, 'tables/t') }
}

describe('tables delete', () => {
  it('deletes the rows of a condition, and says how many', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const some = await runCli('tables', 'delete', path, '--where', "place = 'p1' AND id > 4")
    assert.equal(some.code, 0, some.err)
    assert.match(some.out, /^t: 3 rows deleted; version 2, /)
    assert.equal(await table.countRows(), 7)
    const none = await runCli('tables', 'delete', path, '--where', 'id > 100', '--json')
    assert.deepEqual([JSON.parse(none.out).deleted, JSON.parse(none.out).version], [0, 2])
    const all = await runCli('tables', 'delete', path, '--all')
    assert.match(all.out, /^t: 7 rows deleted/)
    assert.equal(await table.countRows(), 0)
    await table.close()
  })

  it('deletes nothing without a condition, or with one that fits no column', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    for (const words of [[], ['--where', 'id = 1', '--all']]) {
      const { code, err } = await runCli('tables', 'delete', path, ...words)
      assert.equal(code, 2)
      assert.match(err, /either --where SQL or --all/)
    }
    const wrong = await runCli('tables', 'delete', path, '--where', 'idd = 1')
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /no column idd; near it: "id"/)
    assert.doesNotMatch(wrong.err, /Cause|Binder/)
    assert.equal(await table.countRows(), 10)
    await table.close()
  })
})

describe('tables update', () => {
  it('sets columns to expressions over the rows as they were', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const set = ['--set', "place='x=' || place", '--set', 'id=id + 100']
    const { code, out, err } = await runCli('tables', 'update', path, ...set, '--where', 'id > 7')
    assert.equal(code, 0, err)
    assert.match(out, /^t: 2 rows updated; version 2, /)
    const rows = await table.read({ where: 'id > 100' })
    assert.deepEqual(rows.map(row => `${row['id']} ${row['place']}`).sort(), [
      '108 x=p0',
      '109 x=p1'
    ])
    const all = await runCli('tables', 'update', path, '--set', 'place=NULL', '--all', '--json')
    assert.equal(JSON.parse(all.out).updated, 10)
    await table.close()
  })

  it('changes nothing when it is not said what, where and how', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    for (const [words, exit, message] of [
      [['--all'], 2, /--set COLUMN=SQL is missing/],
      [['--set', 'place', '--all'], 2, /must be COLUMN=SQL/],
      [['--set', 'place=NULL'], 2, /either --where SQL or --all/],
      [['--set', 'place=nowhere', '--all'], 1, /no column nowhere/],
      [['--set', 'city=1', '--all'], 1, /city/]
    ] as const) {
      const { code, err } = await runCli('tables', 'update', path, ...words)
      assert.equal(code, exit, err)
      assert.match(err, message)
    }
    assert.equal((await table.snapshot()).version, 1)
    await table.close()
  })
})

describe('tables alter', () => {
  it('adds columns, sets and removes properties', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const words = ['--add-column', 'price decimal(10, 2)', '--add-column', 'note STRING']
    const properties = ['--set', 'owner=us = we', '--set', 'delta.enableDeletionVectors=true']
    const { code, out, err } = await runCli('tables', 'alter', path, ...words, ...properties)
    assert.equal(code, 0, err)
    assert.equal(out, 't: version 3\n')
    const { fields, metadata } = await table.snapshot()
    assert.deepEqual(
      fields.slice(2).map(({ name, type }) => [name, type]),
      [
        ['price', 'decimal(10,2)'],
        ['note', 'string']
      ]
    )
    assert.equal(metadata.configuration['owner'], 'us = we')
    await runCli('tables', 'alter', path, '--unset', 'owner')
    assert.equal((await table.snapshot()).metadata.configuration['owner'], undefined)
    const again = await runCli('tables', 'alter', path, '--unset', 'owner')
    assert.equal(again.out, 't: nothing to change\n')
    await table.close()
  })

  it('adds constraints that hold of the rows, and drops them', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const wrong = await runCli('tables', 'alter', path, '--add-constraint', 'big=id > 3')
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /DELTA_CONSTRAINT_VIOLATED/)
    const right = await runCli('tables', 'alter', path, '--add-constraint', 'some=id >= 0')
    assert.equal(right.code, 0, right.err)
    await assert.rejects(table.append([{ id: -1 }]), { code: 'DELTA_CONSTRAINT_VIOLATED' })
    assert.equal((await runCli('tables', 'alter', path, '--drop-constraint', 'some')).code, 0)
    await table.append([{ id: -1 }])
    await table.close()
  })

  it('chooses the columns that rows are clustered by, or none', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const domains = async (): Promise<string[]> => [...(await table.snapshot()).domains.keys()]
    const chosen = await runCli('tables', 'alter', path, '--cluster-by', 'id,place')
    assert.equal(chosen.code, 0, chosen.err)
    assert.deepEqual(await domains(), ['delta.clustering'])
    assert.equal((await runCli('tables', 'alter', path, '--no-clustering')).code, 0)
    const wrong = await runCli('tables', 'alter', path, '--cluster-by', 'nothing')
    assert.match(wrong.err, /nothing.*\[DELTA_CLUSTERING_INVALID\]/s)
    await table.close()
  })

  it('renames and drops columns of a table that maps them', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const rename = ['--rename-column', 'place=site']
    const without = await runCli('tables', 'alter', path, ...rename)
    assert.equal(without.code, 1)
    assert.match(without.err, /set delta\.columnMapping\.mode/)
    const mode = ['--set', 'delta.columnMapping.mode=name']
    const { code, err } = await runCli('tables', 'alter', path, ...mode, ...rename, '--json')
    assert.equal(code, 0, err)
    assert.deepEqual(Object.keys((await table.read({ limit: 1 }))[0] ?? {}), ['id', 'site'])
    await runCli('tables', 'alter', path, '--drop-column', 'site')
    assert.deepEqual(Object.keys((await table.read({ limit: 1 }))[0] ?? {}), ['id'])
    await table.close()
  })

  it('refuses what is no column, no property, no type, and leaves the table as it is', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    for (const [words, exit, message] of [
      [[], 2, /Nothing to do/],
      [['--add-column', 'x'], 2, /must be a name and a type/],
      [['--set', 'x'], 2, /must be NAME=VALUE/],
      [['--rename-column', 'x='], 2, /must be OLD=NEW/],
      [['--drop-column', 'x'], 1, /set delta\.columnMapping\.mode/],
      [['--set', ''], 2, /--set is empty/],
      [['--add-column', 'x strng'], 1, /no type strng.*\[DELTA_SCHEMA_INVALID\]/s],
      [['--add-column', 'place long'], 1, /place as string.*\[DELTA_SCHEMA_MISMATCH\]/s],
      [['--set', 'delta.x=1'], 1, /no table property delta\.x.*\[DELTA_PROPERTY_INVALID\]/s]
    ] as const) {
      const { code, err } = await runCli('tables', 'alter', path, ...words)
      assert.equal(code, exit, err)
      assert.match(err, message)
    }
    assert.equal((await table.snapshot()).version, 1)
    await table.close()
  })
})

describe('tables checkpoint', () => {
  it('writes one', async () => {
    await using delta = await openTestDelta()
    const { table, path } = await makeTable(delta)
    const { out } = await runCli('tables', 'checkpoint', path)
    assert.equal(out, 't: checkpoint of version 1\n')
    const shown = JSON.parse((await runCli('tables', 'show', path, '--json')).out)
    assert.deepEqual(shown.log.checkpoints, [1])
    await table.close()
  })
})
