/** What merges record of their changes, with and without deletion vectors, and after conflicts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommit } from '../../../../src/delta/actions.ts'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { assertReplays } from '../../../helpers/changes.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map([['text', 'coalesce']]) }
const row = (id: number, text: string | null = `text ${id}`, place = 'x') => ({
  id,
  place,
  text,
  at: BigInt(id)
})
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => row(from + index))
/** Enough of them make a file that is marked rather than copied. */
const noisy = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) =>
    row(from + i, `${((from + i) * 2_654_435_761) % 999_983}`)
  )

interface Kind {
  readonly vectors: boolean
  readonly partitioned: boolean
}
const kinds: readonly Kind[] = [
  { vectors: true, partitioned: false },
  { vectors: false, partitioned: false },
  { vectors: true, partitioned: true },
  { vectors: false, partitioned: true }
]

async function openTable(
  delta: TestDelta,
  { vectors, partitioned }: Kind,
  properties: Record<string, string> = {}
): Promise<DeltaTable> {
  const spec = {
    columns,
    partitionBy: partitioned ? ['place'] : [],
    properties: {
      'delta.enableChangeDataFeed': 'true',
      'delta.enableDeletionVectors': String(vectors),
      ...properties
    }
  }
  return await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
}

async function actionsOf(delta: TestDelta, version: number) {
  const path = `t/_delta_log/${String(version).padStart(20, '0')}.json`
  return parseCommit(Buffer.from(await delta.ports.store.get(path)).toString(), path)
}

async function filesOfChanges(delta: TestDelta): Promise<string[]> {
  const objects = await Array.fromAsync(delta.ports.store.list('t/_change_data/'))
  return objects.map(({ path }) => path.slice('t/'.length)).sort()
}

const types = (changes: readonly Record<string, unknown>[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const change of changes) {
    const type = String(change['_change_type'])
    counts[type] = (counts[type] ?? 0) + 1
  }
  return counts
}

for (const kind of kinds) {
  const how = `${kind.vectors ? 'by vectors' : 'by copying'}${kind.partitioned ? ', in partitions' : ''}`

  test(`a merge tells inserts, both sides of updates, and deletes, ${how}`, async () => {
    await using delta = await openTestDelta()
    const table = await openTable(delta, kind)
    await table.append(noisy(0, 5000))
    const gone = row(2)
    const merged = await table.merge([row(0, null), row(1, 'new', 'y'), gone, row(6000)], {
      ...rules,
      deleteWhen: given => given === gone
    })
    assert.equal(merged.filesMarked, kind.vectors ? 1 : 0)
    const changes = await table.changes({ fromVersion: 2 })
    assert.deepEqual(types(changes), {
      update_preimage: 1,
      update_postimage: 1,
      delete: 1,
      insert: 1
    })
    const [before] = changes.filter(change => change['_change_type'] === 'update_preimage')
    const [stored] = await table.read({ version: 1, where: 'id = 1' })
    assert.equal(before?.['text'], stored?.['text'])
    assert.equal(before?.['place'], 'x')
    const actions = await actionsOf(delta, 2)
    const cdc = actions.flatMap(action => action.cdc ?? [])
    const partitions = kind.partitioned ? [{ place: 'x' }, { place: 'y' }] : [{}]
    assert.deepEqual(
      cdc
        .map(action => action.partitionValues)
        .sort((a, b) => (String(a['place']) < String(b['place']) ? -1 : 1)),
      partitions
    )
    assert.ok(cdc.every(({ dataChange, path }) => !dataChange && path.startsWith('_change_data/')))
    assert.equal(
      actions[0]?.commitInfo?.operationMetrics?.['numTargetChangeFilesAdded'],
      String(partitions.length)
    )
    await assertReplays(table)
  })

  test(`every way of merging can be replayed, ${how}`, async () => {
    await using delta = await openTestDelta()
    const table = await openTable(delta, kind)
    await table.append(noisy(0, 4000))
    await table.merge(noisy(3990, 20), { ...rules, insertOnly: true })
    await table.merge([row(1, 'over', 'y'), { id: 2 }, row(5000)], { ...rules, overwrite: true })
    await table.merge(noisy(100, 50), { ...rules, deleteWhen: () => true })
    await table.merge([row(1), row(1, 'twice'), row(1, 'thrice', 'z')], rules)
    await table.merge(rows(0, 10), { ...rules, overwrite: true, deleteWhen: ({ id }) => id === 3 })
    const { version, filesAdded } = await table.optimize({ deletedPart: 0 })
    assert.equal(filesAdded > 0, kind.vectors)
    await table.merge(noisy(0, 4000), { ...rules, deleteWhen: () => true })
    await table.restore({ version: 3 })
    await assertReplays(table)
    const joined = await table.changes({ fromVersion: version, toVersion: version })
    if (filesAdded > 0) assert.deepEqual(joined, [], 'OPTIMIZE changes nothing')
  })
}

test('only rows that are added need no files of changes', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, { vectors: true, partitioned: false })
  await table.append(rows(0, 10))
  await table.merge(rows(10, 10), rules, { smallFileBytes: 0, targetFileBytes: 1 })
  await table.merge(
    rows(5, 20),
    { ...rules, insertOnly: true },
    { smallFileBytes: 0, targetFileBytes: 1 }
  )
  assert.deepEqual(await filesOfChanges(delta), [])
  const changes = await table.changes({ fromVersion: 1 })
  assert.deepEqual(types(changes), { insert: 25 })
  await assertReplays(table)
})

test('a merge that takes small files along tells its inserts in a file of changes', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, { vectors: false, partitioned: false })
  await table.append(rows(0, 10))
  const { filesRemoved } = await table.merge(rows(10, 3), rules)
  assert.equal(filesRemoved, 1)
  assert.equal((await filesOfChanges(delta)).length, 1)
  assert.deepEqual(types(await table.changes({ fromVersion: 2 })), { insert: 3 })
})

test('a merge that changes nothing writes nothing', async () => {
  await using delta = await openTestDelta()
  const table = await openTable(delta, { vectors: true, partitioned: false })
  await table.append(rows(0, 10))
  await table.merge(rows(0, 10), rules)
  assert.equal((await table.snapshot()).version, 1)
  await table.merge([], rules, { transaction: { appId: 'a', version: 1 } })
  assert.deepEqual(await table.changes({ fromVersion: 2 }), [])
  assert.deepEqual(await filesOfChanges(delta), [])
})

for (const vectors of [true, false]) {
  const how = vectors ? 'by vectors' : 'by copying'

  test(`after a conflict the changes are those of the version committed, ${how}`, async () => {
    await using delta = await openTestDelta()
    const { store, before } = withRival(delta.ports.store)
    const theirs = await openTable(delta, { vectors, partitioned: true })
    await theirs.append(noisy(0, 5000))
    await theirs.append(noisy(5000, 5000).map(given => ({ ...given, place: 'y' })))
    const ours = await DeltaTable.open('t', delta.over(store), delta.options)
    before(() => theirs.merge([row(0, 'theirs'), row(7000, 'theirs', 'z'), row(20_000)], rules))
    const batch = [row(0, 'ours'), row(1, 'ours'), row(6000, 'ours', 'y'), row(20_000), row(30_000)]
    const result = await ours.merge(batch, rules)
    assert.equal(result.conflicts, 1)
    await assertReplays(ours)
    const [first] = await ours.changes({
      fromVersion: 4,
      where: "id = 0 AND _change_type = 'update_preimage'"
    })
    assert.equal(first?.['text'], 'theirs')
    const told = [...(await actionsOf(delta, 3)), ...(await actionsOf(delta, 4))].flatMap(
      action => action.cdc?.path ?? []
    )
    assert.deepEqual(await filesOfChanges(delta), told.map(decodeURIComponent).sort())
  })

  test(`files of changes that the winner has no part in are not written again, ${how}`, async () => {
    await using delta = await openTestDelta()
    const { store, before } = withRival(delta.ports.store)
    const theirs = await openTable(delta, { vectors, partitioned: true })
    await theirs.append(noisy(0, 5000))
    const ours = await DeltaTable.open('t', delta.over(store), delta.options)
    before(() => theirs.append([row(9000)]))
    const result = await ours.merge([row(0, 'ours'), row(1, 'ours', 'y')], rules)
    assert.equal(result.conflicts, 1)
    assert.equal(result.bytesWasted, 0)
    await assertReplays(ours)
  })
}

test('inserts that become updates by a conflict are told as updates, all in files', async () => {
  await using delta = await openTestDelta()
  const { store, before } = withRival(delta.ports.store)
  const theirs = await openTable(delta, { vectors: true, partitioned: false })
  const ours = await DeltaTable.open('t', delta.over(store), delta.options)
  before(() => theirs.append([row(1, 'theirs')]))
  await ours.merge([row(1, 'ours'), row(2), row(3), row(4)], rules)
  const changes = await ours.changes({ fromVersion: 2 })
  assert.deepEqual(types(changes), { update_preimage: 1, update_postimage: 1, insert: 3 })
  await assertReplays(ours)
})

test('a vacuum takes files of changes when they are old, and none that are young', async () => {
  await using delta = await openTestDelta()
  const properties = { 'delta.deletedFileRetentionDuration': 'interval 1 hours' }
  const table = await openTable(delta, { vectors: false, partitioned: true }, properties)
  await table.append(rows(0, 10))
  await table.merge([row(1, 'new')], rules)
  const [file = ''] = await filesOfChanges(delta)
  assert.match(file, /^_change_data\/place=x\/cdc-/)
  assert.deepEqual((await table.vacuum()).files, [])
  assert.deepEqual(types(await table.changes({ fromVersion: 2 })), {
    update_preimage: 1,
    update_postimage: 1
  })
  const later = {
    ...delta.ports,
    clock: { ...delta.ports.clock, now: () => Date.now() + 2 * 3_600_000 }
  }
  const old = await DeltaTable.open('t', later, delta.options)
  assert.ok((await old.vacuum()).files.includes(file))
  assert.deepEqual(await filesOfChanges(delta), [])
  await assert.rejects(table.changes({ fromVersion: 2 }), { code: 'DELTA_VERSION_NOT_FOUND' })
  assert.equal((await table.read()).length, 10)
})

test('the feed is turned on for a table that exists, and tells of the versions since', async () => {
  await using delta = await openTestDelta()
  const table = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  await table.append(rows(0, 3))
  await table.setProperties({ 'delta.enableChangeDataFeed': 'true' })
  await table.merge([row(1, 'new')], rules)
  await assert.rejects(table.changes({ fromVersion: 1 }), { code: 'DELTA_CHANGES_NOT_RECORDED' })
  await assertReplays(table, 3)
  await table.setProperties({ 'delta.enableChangeDataFeed': 'false' })
  await table.merge([row(1, 'newer')], rules)
  assert.equal((await filesOfChanges(delta)).length, 1)
  await assert.rejects(table.changes({ fromVersion: 3 }), { code: 'DELTA_CHANGES_NOT_RECORDED' })
})

test('columns with the names of the feed are refused while it is on', async () => {
  await using delta = await openTestDelta()
  const refused = { code: 'DELTA_SCHEMA_MISMATCH', message: /change data feed/ }
  const column = { name: '_Change_Type', type: 'string', nullable: true } as const
  const table = await openTable(delta, { vectors: false, partitioned: false })
  await assert.rejects(table.addColumns([column]), refused)
  const other = { columns: [...columns, column] }
  const plain = await DeltaTable.openOrCreate('u', other, delta.ports, delta.options)
  await assert.rejects(plain.setProperties({ 'delta.enableChangeDataFeed': 'true' }), refused)
})
