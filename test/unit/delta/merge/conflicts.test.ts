/**
 * The table of conflicts between writers, cell by cell: a rival commits right before our commit is put,
 * each with a table object of its own over one store.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AddAction } from '../../../../src/delta/actions.ts'
import {
  addWithVector,
  DeletionVectors,
  positionsOf,
  removeOf
} from '../../../../src/delta/deletion-vectors/index.ts'
import { DeltaTable, type MergeResult, type MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, openVectorTable, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const spec = {
  columns: [
    { name: 'id', type: 'integer', nullable: false },
    { name: 'text', type: 'string', nullable: true },
    { name: 'at', type: 'long', nullable: true }
  ]
} as const
const rules: MergeRules = {
  keys: ['id'],
  policies: new Map(),
  guard: { columns: ['at'], strict: true }
}
const noise = (id: number): string => `${(id * 2_654_435_761) % 4_294_967_291} ${id * 7919}`
const stored = (id: number) => ({ id, text: noise(id), at: 10 })
const many = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => stored(from + i))
const newer = (ids: readonly number[], at: number, text = 'new') =>
  ids.map(id => ({ id, text, at }))
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

interface Race {
  readonly delta: TestDelta
  readonly ours: DeltaTable
  readonly theirs: DeltaTable
  before(rival: () => Promise<unknown>): void
  rows(where?: string): Promise<Record<string, unknown>[]>
}

/** 20,000 rows in one file, and 10,000 in another. */
async function race(vectors: boolean, work: (race: Race) => Promise<void>): Promise<void> {
  await using delta = await openTestDelta()
  const { store, before } = withRival(delta.ports.store)
  const properties = { 'delta.enableDeletionVectors': String(vectors) }
  const theirs = await openVectorTable(delta, 't', { ...spec, properties })
  await theirs.append(many(0, 20_000))
  await theirs.append(many(20_000, 10_000))
  const ours = await DeltaTable.open('t', delta.over(store), delta.options)
  const rows = async (where?: string) =>
    (await theirs.read(where === undefined ? {} : { where })).sort(
      (a, b) => Number(a['id']) - Number(b['id'])
    )
  await work({ delta, ours, theirs, before, rows })
  const fresh = await DeltaTable.open('t', delta.ports, delta.options)
  const { problems } = await fresh.verify(['id'])
  assert.deepEqual(problems, [])
}

async function commitByHand(delta: TestDelta, table: DeltaTable, actions: object[]): Promise<void> {
  const { version } = await table.snapshot()
  const path = `t/_delta_log/${String(version + 1).padStart(20, '0')}.json`
  const text = actions.map(action => JSON.stringify(action)).join('\n')
  assert.equal(await delta.ports.store.put(path, Buffer.from(text), { ifAbsent: true }), 'stored')
}

async function fileOf(table: DeltaTable, records: number): Promise<AddAction> {
  const { files } = await table.snapshot()
  const add = [...files.values()].find(
    file => JSON.parse(file.stats ?? '{}').numRecords === records
  )
  return add ?? assert.fail()
}

const counts = ({ inserted, updated, deleted, conflicts }: MergeResult) => ({
  inserted,
  updated,
  deleted,
  conflicts
})

for (const vectors of [true, false]) {
  const how = vectors ? 'with vectors' : 'by copying'

  test(`an append of other keys lets a merge through, which writes nothing again, ${how}`, async () => {
    let alone = 0
    const batch = newer([1, 2, 40_000], 20)
    await race(vectors, async ({ ours }) => {
      alone = (await ours.merge(batch, rules)).bytesWritten
    })
    await race(vectors, async ({ ours, theirs, before }) => {
      before(() => theirs.append(many(50_000, 100)))
      const result = await ours.merge(batch, rules)
      assert.deepEqual(counts(result), { inserted: 1, updated: 2, deleted: 0, conflicts: 1 })
      assert.equal(result.bytesWritten, alone)
      assert.equal(await theirs.countRows(), 30_101)
    })
  })

  test(`a key that the winner appended is updated instead of inserted twice, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before, rows }) => {
      before(() => theirs.append([{ id: 40_000, text: 'theirs', at: 30 }]))
      const result = await ours.merge(newer([1, 40_000, 40_001], 20), rules)
      assert.deepEqual(counts(result), { inserted: 1, updated: 1, deleted: 0, conflicts: 1 })
      assert.deepEqual(await rows('id IN (1, 40000, 40001)'), [
        { id: 1, text: 'new', at: 20 },
        { id: 40_000, text: 'theirs', at: 30 },
        { id: 40_001, text: 'new', at: 20 }
      ])
    })
  })

  test(`rows of one file that two merges change are all changed, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before, rows }) => {
      before(() => theirs.merge(newer(range(100, 50), 20, 'theirs'), rules))
      const result = await ours.merge(newer(range(0, 100), 20, 'ours'), rules)
      assert.deepEqual(counts(result), { inserted: 0, updated: 100, deleted: 0, conflicts: 1 })
      const texts = (await rows('id < 150')).map(row => row['text'])
      assert.deepEqual(
        texts,
        range(0, 150).map(id => (id < 100 ? 'ours' : 'theirs'))
      )
      if (vectors) {
        assert.equal(result.filesMarked, 1)
        const marked = await fileOf(theirs, 20_000)
        assert.equal(marked.deletionVector?.cardinality, 150)
      }
    })
  })

  test(`a row that the winner changed is decided again by the guard, the others are kept, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before, rows }) => {
      before(() =>
        theirs.merge([...newer([0, 1], 30, 'theirs'), ...newer([2, 3], 15, 'theirs')], rules)
      )
      const result = await ours.merge(newer(range(0, 1000), 20, 'ours'), rules)
      assert.deepEqual(counts(result), { inserted: 0, updated: 998, deleted: 0, conflicts: 1 })
      const texts = (await rows('id < 1000')).map(row => row['text'])
      assert.deepEqual(
        texts,
        range(0, 1000).map(id => (id < 2 ? 'theirs' : 'ours'))
      )
    })
  })

  test(`a row that the winner deleted is inserted, and one deleted by both is deleted once, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before, rows }) => {
      const everything = { ...rules, deleteWhen: () => true }
      before(() => theirs.merge(newer([5, 6, 7], 15), everything))
      const result = await ours.merge(newer([5, 6, 8], 20), {
        ...rules,
        deleteWhen: row => row['id'] === 6
      })
      assert.deepEqual(counts(result), { inserted: 1, updated: 1, deleted: 0, conflicts: 1 })
      assert.deepEqual(
        (await rows('id BETWEEN 4 AND 8')).map(row => [row['id'], row['text']]),
        [
          [4, noise(4)],
          [5, 'new'],
          [8, 'new']
        ]
      )
    })
  })

  test(`files that the winner rewrote are searched again, ${how}`, async () => {
    await race(vectors, async ({ delta, ours, theirs, before }) => {
      before(async () => {
        // As OPTIMIZE does: the rows of both files in another one, in another order.
        const all = (await theirs.read()).sort((a, b) => Number(b['id']) - Number(a['id']))
        const olds = [...(await theirs.snapshot()).files.values()]
        await theirs.append(all)
        const [compacted] = [...(await theirs.snapshot()).files.values()].filter(
          add => !olds.includes(add)
        )
        const { version } = await theirs.snapshot()
        await delta.ports.store.delete(`t/_delta_log/${String(version).padStart(20, '0')}.json`)
        const again = await DeltaTable.open('t', delta.ports, delta.options)
        await commitByHand(delta, again, [
          { add: { ...compacted, dataChange: false } },
          ...olds.map(old => ({ remove: removeOf(old, 1, false) }))
        ])
      })
      const result = await ours.merge(newer([3, 20_003, 40_000], 20), rules)
      assert.deepEqual(counts(result), { inserted: 1, updated: 2, deleted: 0, conflicts: 1 })
      const fresh = await DeltaTable.open('t', delta.ports, delta.options)
      assert.equal(await fresh.countRows(), 30_001)
      assert.deepEqual((await fresh.verify(['id'])).problems, [])
      assert.equal((await fresh.read({ where: "text = 'new'" })).length, 3)
    })
  })

  test(`a column that the winner added starts the merge anew, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before, rows }) => {
      before(() => theirs.addColumns([{ name: 'more', type: 'string', nullable: true }]))
      const result = await ours.merge(newer([1, 40_000], 20), rules)
      assert.deepEqual(counts(result), { inserted: 1, updated: 1, deleted: 0, conflicts: 1 })
      assert.deepEqual(await rows('id IN (1, 40000)'), [
        { id: 1, text: 'new', at: 20, more: null },
        { id: 40_000, text: 'new', at: 20, more: null }
      ])
    })
  })

  test(`an append passes every winner, ${how}`, async () => {
    await race(vectors, async ({ ours, theirs, before }) => {
      before(() => theirs.merge(newer(range(0, 100), 20), rules))
      assert.equal((await ours.append(many(50_000, 10))).conflicts, 1)
      before(() => theirs.append(many(60_000, 10)))
      assert.equal((await ours.append(many(70_000, 10))).conflicts, 1)
      before(() => theirs.addColumns([{ name: 'more', type: 'string', nullable: true }]))
      assert.equal((await ours.append(many(80_000, 10))).conflicts, 1)
      assert.equal(await theirs.countRows(), 30_040)
    })
  })
}

test('of a file with a newer vector only the vector is made again, of new rows only those decided anew', async () => {
  await race(true, async ({ ours, theirs, before, delta }) => {
    const batch = newer(range(0, 2000), 20, 'ours').map(row => ({ ...row, text: noise(row.at) }))
    before(() => theirs.merge(newer(range(1990, 20), 15, 'theirs'), rules))
    const result = await ours.merge(batch, rules)
    assert.deepEqual(counts(result), { inserted: 0, updated: 2000, deleted: 0, conflicts: 1 })
    // The file of the first attempt is committed with a vector of its own, beside one for ten rows.
    assert.equal(result.filesAdded, 2)
    const first = await fileOf(theirs, 2000)
    assert.equal(first.deletionVector?.cardinality, 10)
    assert.equal((await theirs.read({ where: '"at" = 20' })).length, 2000)
    const names: string[] = []
    for await (const { path } of delta.ports.store.list('t/')) names.push(path)
    assert.equal(names.filter(name => name.endsWith('.bin')).length <= 2, true, names.join())
  })
})

test('a vector that the winner made smaller brings rows back into the search', async () => {
  await race(true, async ({ delta, ours, theirs, before, rows }) => {
    await theirs.merge(newer([7], 15), { ...rules, deleteWhen: () => true })
    before(async () => {
      const marked = await fileOf(theirs, 20_000)
      // As RESTORE does.
      await commitByHand(delta, theirs, [
        { remove: removeOf(marked, 1) },
        { add: { ...marked, deletionVector: undefined } }
      ])
    })
    const result = await ours.merge(newer([7, 8], 20), rules)
    assert.deepEqual(counts(result), { inserted: 0, updated: 2, deleted: 0, conflicts: 1 })
    assert.equal((await rows('id IN (7, 8)')).length, 2)
  })
})

test('a winner that turns vectors on, or off, starts the merge anew', async () => {
  for (const [from, to] of [
    [false, true],
    [true, false]
  ] as const) {
    await race(from, async ({ delta, ours, theirs, before }) => {
      before(async () => {
        const { metadata } = await theirs.snapshot()
        const configuration = { 'delta.enableDeletionVectors': String(to) }
        await commitByHand(delta, theirs, [{ metaData: { ...metadata, configuration } }])
      })
      const result = await ours.merge(newer(range(0, 100), 20), rules)
      assert.deepEqual([result.conflicts, result.updated], [1, 100])
      assert.equal(result.filesMarked, to ? 1 : 0)
    })
  }
})

test('a foreign vector on the file that a merge copies is heeded', async () => {
  await race(false, async ({ delta, ours, theirs, before, rows }) => {
    before(async () => {
      const add = await fileOf(theirs, 20_000)
      const vectors = new DeletionVectors(delta.ports, 't')
      const { descriptors } = await vectors.write(new Map([[add, positionsOf([1, 2, 3])]]))
      const vector = descriptors.get(add) ?? assert.fail()
      await commitByHand(delta, theirs, [
        { remove: removeOf(add, 1) },
        { add: addWithVector(add, vector) }
      ])
    })
    const result = await ours.merge(newer([2, 4], 20), rules)
    assert.deepEqual(counts(result), { inserted: 1, updated: 1, deleted: 0, conflicts: 1 })
    assert.deepEqual(
      (await rows('id < 6')).map(row => row['id']),
      [0, 2, 4, 5]
    )
  })
})
