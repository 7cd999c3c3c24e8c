import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DeltaTables, openDeltaTables } from '../../../../src/adapters/delta-tables/index.ts'
import { systemClock, systemIds } from '../../../../src/adapters/system/index.ts'
import type { ColumnDef, ColumnPolicy, ColumnType, TableDef } from '../../../../src/core/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const column = (name: string, type: ColumnType, policy: ColumnPolicy): ColumnDef => ({
  name,
  type,
  nullable: policy !== 'key',
  policy,
  doc: name
})

const contacts: TableDef = {
  name: 'contacts',
  doc: 'contacts',
  columns: [
    column('contact_id', 'string', 'key'),
    column('project_id', 'string', 'key'),
    column('email', 'string', 'coalesce'),
    column('primary', 'boolean', 'or'),
    column('asked', 'timestamp', 'coalesce'),
    column('updated_at', 'timestamp', 'audit')
  ],
  mergeKey: ['contact_id', 'project_id'],
  guard: { columns: ['asked'], strict: false }
}

const events: TableDef = {
  name: 'events',
  doc: 'events',
  columns: [
    column('event_id', 'string', 'key'),
    column('kind', 'string', 'first'),
    column('event_date', 'date', 'first')
  ],
  mergeKey: ['event_id'],
  insertOnly: true,
  partitionBy: ['event_date']
}

describe('table store on Delta', () => {
  test('merges by the policies, guard and keys of the definition', () =>
    withTables(async tables => {
      const key = { contact_id: 'c', project_id: 'p' }
      const first = await tables.merge(contacts, [
        { ...key, email: 'a@x', primary: true, asked: 5n, updated_at: 1n },
        { contact_id: 'c', project_id: 'q', email: 'b@x', asked: 5n, updated_at: 1n },
        { contact_id: 'c', project_id: null, email: 'lost' }
      ])
      assert.deepEqual([first.inserted, first.updated, first.dropped], [2, 0, 1])
      const older = { ...key, email: 'old@x', primary: false, asked: 4n, updated_at: 2n }
      assert.equal((await tables.merge(contacts, [older])).unchanged, 1)
      const newer = { ...key, email: null, primary: false, asked: 6n, updated_at: 3n }
      assert.equal((await tables.merge(contacts, [newer])).updated, 1)
      assert.deepEqual(await tables.read(contacts, { where: "project_id = 'p'" }), [
        { ...key, email: 'a@x', primary: true, asked: 6n, updated_at: 3n }
      ])
    }))

  test('inserts an event once, whichever batch and partition it comes with again', () =>
    withTables(async tables => {
      await tables.merge(events, [{ event_id: 'e1', kind: 'A', event_date: '2024-01-01' }])
      const again = await tables.merge(events, [
        { event_id: 'e1', kind: 'B', event_date: '2024-01-02' },
        { event_id: 'e2', kind: 'A', event_date: null },
        { event_id: 'e2', kind: 'C', event_date: '2024-01-03' }
      ])
      assert.deepEqual([again.inserted, again.unchanged], [1, 2])
      const rows = await tables.read(events, { columns: ['event_id', 'kind'] })
      assert.deepEqual(rows.map(row => `${row['event_id']} ${row['kind']}`).sort(), [
        'e1 A',
        'e2 A'
      ])
      assert.deepEqual((await tables.verify('events', ['event_id'])).problems, [])
    }))

  test('finds existing keys, of text and of numbers', () =>
    withTables(async tables => {
      await tables.merge(events, [{ event_id: 'e1' }, { event_id: '' }])
      assert.deepEqual(await tables.existingKeys(events, ['e1', 'e9', 'e1']), new Set(['e1']))
      assert.deepEqual(await tables.existingKeys(events, []), new Set())
      const tasks: TableDef = {
        name: 'tasks',
        doc: '',
        columns: [column('task_id', 'long', 'key')],
        mergeKey: ['task_id']
      }
      await tables.merge(tasks, [{ task_id: 5 }, { task_id: 2n ** 60n }])
      const found = await tables.existingKeys(tasks, ['5', '6', String(2n ** 60n), 'x'])
      assert.deepEqual(found, new Set(['5', String(2n ** 60n)]))
    }))

  test('adds columns of a newer definition and keeps those of an older one', () =>
    withTables(async (tables, delta) => {
      await tables.merge(events, [{ event_id: 'e1', kind: 'A' }])
      const wider = { ...events, columns: [...events.columns, column('more', 'long', 'first')] }
      const newer = openDeltaTables({ scratchDirectory: delta.options.scratch }, portsOf(delta))
      await newer.merge(wider, [{ event_id: 'e2', more: 7 }])
      await tables.merge(events, [{ event_id: 'e3' }])
      const rows = await newer.read(wider, { columns: ['event_id', 'more'] })
      assert.deepEqual(rows.map(row => `${row['event_id']} ${row['more']}`).sort(), [
        'e1 null',
        'e2 7',
        'e3 null'
      ])
      const clash = { ...events, columns: [column('event_id', 'long', 'key')] }
      await assert.rejects(newer.ensure(clash), { code: 'DELTA_SCHEMA_MISMATCH' })
      await newer.close()
    }))

  test('lists, shows, streams and reads tables by name', () =>
    withTables(async tables => {
      await tables.ensure(contacts)
      await tables.merge(events, [{ event_id: 'e1' }, { event_id: 'e2', event_date: '2024-01-01' }])
      assert.deepEqual(await tables.list(), ['contacts', 'events'])
      const shown = await tables.show('events')
      assert.deepEqual([shown.version, shown.rows, shown.files], [1, 2, 2])
      assert.deepEqual(shown.partitionBy, ['event_date'])
      assert.deepEqual(
        shown.history.map(entry => entry.operation),
        ['MERGE', 'CREATE TABLE']
      )
      let streamed = 0
      for await (const batch of tables.readStream('events')) streamed += batch.length
      assert.equal(streamed, 2)
      await assert.rejects(tables.readTable('none'), { code: 'DELTA_TABLE_NOT_FOUND' })
      assert.equal((await tables.readTable('events', { version: 0 })).length, 0)
    }))

  test('takes many merges into one table and into several at the same time', () =>
    withTables(async tables => {
      const merges = Array.from({ length: 12 }, (_, i) =>
        i % 2 === 0
          ? tables.merge(events, [{ event_id: `e${i}` }, { event_id: 'shared' }])
          : tables.merge(contacts, [{ contact_id: 'c', project_id: `p${i % 4}` }])
      )
      const outcomes = await Promise.all(merges)
      assert.equal(
        outcomes.reduce((sum, outcome) => sum + outcome.conflicts, 0),
        0
      )
      assert.equal((await tables.read(events)).length, 7)
      assert.equal((await tables.read(contacts)).length, 2)
    }))
})

async function withTables(
  use: (tables: DeltaTables, delta: TestDelta) => Promise<void>
): Promise<void> {
  await using delta = await openTestDelta()
  const tables = openDeltaTables({ scratchDirectory: delta.options.scratch }, portsOf(delta))
  await use(tables, delta)
  await tables.close()
}

function portsOf(delta: TestDelta): Parameters<typeof openDeltaTables>[1] {
  const { store, engine } = delta.ports
  return { store, engine, clock: systemClock(), ids: systemIds() }
}
