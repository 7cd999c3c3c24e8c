/** Ids of rows, through merges, deletes, copies, conflicts and OPTIMIZE. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommit } from '../../../../src/delta/actions.ts'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'
import { assertTracked, trackedRows } from '../../../helpers/row-ids.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const row = (id: number, text = `${(id * 2_654_435_761) % 999_983}`, place = 'x') => ({
  id,
  place,
  text
})
const rows = (from: number, count: number, text?: string) =>
  Array.from({ length: count }, (_, i) => row(from + i, text))

async function openTable(
  delta: TestDelta,
  vectors: boolean,
  partitionBy: readonly string[] = [],
  properties: Record<string, string> = { 'delta.enableRowTracking': 'true' }
): Promise<DeltaTable> {
  const all = { 'delta.enableDeletionVectors': String(vectors), ...properties }
  const spec = { columns, partitionBy, properties: all }
  return await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
}

async function actionsOf(delta: TestDelta, version: number) {
  const path = `t/_delta_log/${String(version).padStart(20, '0')}.json`
  return parseCommit(Buffer.from(await delta.ports.store.get(path)).toString(), path)
}

/** The highest id, as the log says, and the first id of each file of the commit. */
async function idsOf(delta: TestDelta, version: number) {
  const actions = await actionsOf(delta, version)
  const domain = actions.find(action => action.domainMetadata != null)?.domainMetadata
  return {
    mark: domain === undefined ? undefined : JSON.parse(domain.configuration).rowIdHighWaterMark,
    first: actions.flatMap(({ add }) => (add == null ? [] : [add.baseRowId])),
    versions: actions.flatMap(({ add }) => (add == null ? [] : [add.defaultRowCommitVersion]))
  }
}

test('new files get ids after the highest one, which the log keeps', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, true)
  const { protocol, metadata } = await table.snapshot()
  assert.ok(protocol.writerFeatures?.includes('rowTracking'))
  assert.ok(protocol.writerFeatures?.includes('domainMetadata'))
  const names = ['RowId', 'RowCommitVersion'].map(
    name => metadata.configuration[`delta.rowTracking.materialized${name}ColumnName`] ?? ''
  )
  assert.match(names[0] ?? '', /^_row-id-col-/)
  assert.match(names[1] ?? '', /^_row-commit-version-col-/)
  await table.append(rows(0, 3))
  await table.append(rows(3, 2))
  assert.deepEqual(await idsOf(delta, 1), { mark: 2, first: [0], versions: [1] })
  assert.deepEqual(await idsOf(delta, 2), { mark: 4, first: [3], versions: [2] })
  assert.deepEqual(
    await table.read({
      rowIds: true,
      where: '_row_id > 2',
      columns: ['id', '_row_id', '_row_commit_version']
    }),
    [
      { id: 3, _row_id: 3, _row_commit_version: 2 },
      { id: 4, _row_id: 4, _row_commit_version: 2 }
    ]
  )
  const info = (await actionsOf(delta, 2))[0]?.commitInfo
  assert.deepEqual(info?.['tags'], { 'delta.rowTracking.preserved': 'true' })
})

for (const vectors of [true, false]) {
  for (const partitionBy of [[], ['place']]) {
    const how = `${vectors ? 'by vectors' : 'by copying'}${partitionBy.length > 0 ? ', in partitions' : ''}`

    test(`rows keep their ids through every way of changing the table, ${how}`, async () => {
      await using delta = await openTestDelta()
      const table = await openTable(delta, vectors, partitionBy)
      await table.append(rows(0, 4000))
      await table.merge([row(1, 'new'), row(2, 'moved', 'y'), row(5000)], rules)
      await table.merge([row(1, 'newer'), row(2, 'back')], rules)
      await table.merge(rows(3990, 20), { ...rules, insertOnly: true })
      await table.merge([row(3, 'over', 'y'), row(1, 'over')], { ...rules, overwrite: true })
      await table.merge(rows(100, 50), { ...rules, deleteWhen: () => true })
      await table.merge(rows(100, 5), rules)
      await table.optimize({ deletedPart: 0 })
      await table.merge(rows(0, 3000, 'most'), rules)
      await table.delete({ where: 'id < 20' })
      await table.update({ where: 'id BETWEEN 30 AND 40', set: { text: { sql: "text || '!'" } } })
      await table.update({ where: 'id = 3001', set: { place: 'z' } })
      await table.optimize({ deletedPart: 0 })
      await table.checkpoint()
      const again = await DeltaTable.open('t', delta.ports, delta.options)
      await again.merge([row(21, 'last')], rules)
      await assertTracked(again, 'id', 1)
      const domains = (await again.snapshot()).domains
      assert.ok(domains.has('delta.rowTracking'))
    })
  }
}

test('ids that a rival gave meanwhile are not given again', async () => {
  for (const vectors of [true, false]) {
    await using delta = await openTestDelta()
    const { store, before } = withRival(delta.ports.store)
    const theirs = await openTable(delta, vectors)
    await theirs.append(rows(0, 3000))
    const ours = await DeltaTable.open('t', delta.over(store), delta.options)
    before(() => theirs.append(rows(3000, 10)))
    await ours.append(rows(4000, 10))
    before(() => theirs.merge([row(1, 'theirs'), row(3001, 'theirs'), row(5000)], rules))
    const result = await ours.merge([row(1, 'ours'), row(2, 'ours'), row(5001)], rules)
    assert.equal(result.conflicts, 1)
    assert.deepEqual((await idsOf(delta, 3)).mark, 3019)
    await assertTracked(ours, 'id', 1)
  }
})

test('a restore brings the ids back', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, false)
  await table.append(rows(0, 10))
  const ids = async () => [...trackedRows(await table.read({ rowIds: true }), 'id')]
  const before = await ids()
  await table.merge(rows(0, 5, 'new'), rules)
  await table.restore({ version: 1 })
  assert.deepEqual(await ids(), before)
  await table.append(rows(20, 1))
  const [added] = await table.read({ rowIds: true, where: 'id = 20' })
  assert.ok(Number(added?.['_row_id']) > 9)
})

test('turned on for a table that exists, all of its rows have ids', async () => {
  for (const vectors of [true, false]) {
    await using delta = await openTestDelta()
    const table = await openTable(delta, vectors, [], {})
    await table.append(rows(0, 3000))
    await table.append(rows(3000, 5))
    await table.merge([row(1, 'new')], rules)
    const { files } = await table.snapshot()
    await table.setProperties({ 'delta.enableRowTracking': 'true' })
    const backfilled = await table.snapshot()
    assert.deepEqual([...backfilled.files.keys()].sort(), [...files.keys()].sort())
    assert.ok([...backfilled.files.values()].every(add => add.defaultRowCommitVersion === 4))
    assert.equal(trackedRows(await table.read({ rowIds: true }), 'id').size, 3005)
    await table.merge([row(2, 'new'), row(3001, 'new'), row(9000)], rules)
    await table.optimize({ deletedPart: 0 })
    await assertTracked(table, 'id', 4)
    const { version } = await table.snapshot()
    await table.restore({ version: 2 })
    assert.equal(trackedRows(await table.read({ rowIds: true, version }), 'id').size, 3006)
  }
})

test('a table that lists the feature and has it off gives ids to new files only', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, true, [], { 'delta.feature.rowTracking': 'supported' })
  await table.append(rows(0, 10))
  assert.deepEqual(await idsOf(delta, 1), { mark: 9, first: [0], versions: [1] })
  await assert.rejects(table.read({ rowIds: true }), { code: 'DELTA_QUERY_INVALID' })
  await table.setProperties({ 'delta.rowTrackingSuspended': 'true' })
  await table.append(rows(10, 10))
  assert.deepEqual((await idsOf(delta, 3)).first, [undefined])
  const refused = { code: 'DELTA_PROPERTY_INVALID', message: /suspended/ }
  await assert.rejects(table.setProperties({ 'delta.enableRowTracking': 'true' }), refused)
  await table.setProperties({
    'delta.enableRowTracking': 'true',
    'delta.rowTrackingSuspended': null
  })
  await assertTracked(table, 'id', 4)
})

test('files whose statistics do not tell their rows are counted', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, true, [], {})
  await table.append(rows(0, 7))
  const [add] = (await table.snapshot()).files.values()
  const path = `t/_delta_log/${'2'.padStart(20, '0')}.json`
  const line = JSON.stringify({ add: { ...add, stats: null } })
  await delta.ports.store.put(path, Buffer.from(line), { ifAbsent: true })
  await table.setProperties({ 'delta.enableRowTracking': 'true' })
  assert.equal((await idsOf(delta, 3)).mark, 6)
})
