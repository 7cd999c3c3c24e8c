/**
 * OPTIMIZE that loses to other writers, cell by cell: a rival commits right before its commit is put. What
 * the rival did must be in the table afterwards, once.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeltaTable, type MergeRules, type OptimizeResult } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { withRival } from '../../../helpers/rival.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'text', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const noise = (id: number): string => `${(id * 2_654_435_761) % 4_294_967_291} ${id * 7919}`
const many = (from: number, count: number, step = 1) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i * step, text: noise(from + i * step) }))
const changed = (from: number, count: number, step = 1) =>
  many(from, count, step).map(row => ({ ...row, text: `new ${row.id}` }))
const deleting: MergeRules = { ...rules, deleteWhen: () => true }

type Content = Map<number, unknown>

interface Race {
  readonly delta: TestDelta
  readonly theirs: DeltaTable
  readonly size: number
  readonly content: Content
}

interface Cell {
  readonly name: string
  readonly vectors?: boolean
  /** Changes the table, and `content` to what it must hold then. */
  rival(race: Race): Promise<unknown>
  check(result: OptimizeResult, size: number): void
}

async function put(race: Race, rows: readonly { id: number; text: string }[]): Promise<void> {
  await race.theirs.merge(rows, rules)
  for (const row of rows) race.content.set(row.id, row.text)
}

async function take(race: Race, rows: readonly { id: number; text: string }[]): Promise<void> {
  await race.theirs.merge(rows, deleting)
  for (const row of rows) race.content.delete(row.id)
}

/** Three files of `size` rows; the first 40 rows of the third are deleted from the start. */
const cells: readonly Cell[] = [
  {
    name: 'an append lets it through',
    rival: async race => {
      await race.theirs.append(many(9_000_000, 10))
      for (const row of many(9_000_000, 10)) race.content.set(row.id, row.text)
    },
    check: result => assert.deepEqual([result.lost, result.rowsCarried], [0, 0])
  },
  {
    name: 'rows that a merge marked are marked in the new file',
    rival: race => put(race, changed(race.size / 2, race.size / 10, 7)),
    check: (result, size) => assert.deepEqual([result.lost, result.rowsCarried], [0, size / 10])
  },
  {
    name: 'rows deleted in several commits are marked in the new file',
    rival: async race => {
      await take(race, many(race.size + 17, race.size / 100, 3))
      await take(race, many(2 * race.size + 41, race.size / 100, 2))
      await put(race, changed(0, 3))
    },
    check: (result, size) => assert.deepEqual([result.lost, result.rowsCarried], [0, size / 50 + 3])
  },
  {
    name: 'a file that lost its last row is marked as a whole',
    rival: race => take(race, many(0, race.size)),
    check: (result, size) => {
      assert.deepEqual([result.lost, result.rowsCarried], [0, size])
      assert.equal(result.filesRemoved, 2)
    }
  },
  {
    name: 'a merge that copied a file of which most was deleted leaves a copy of the others',
    rival: race => take(race, many(2 * race.size, race.size - 5)),
    check: (result, size) => assert.deepEqual([result.lost, result.rowsCarried], [0, size - 40])
  },
  {
    name: 'without vectors a copied file is lost',
    vectors: false,
    rival: race => put(race, changed(5, 20)),
    check: result => assert.deepEqual([result.lost, result.filesRemoved], [1, 0])
  },
  {
    name: 'of two, one is lost',
    rival: race => race.theirs.optimize(),
    check: result => assert.deepEqual([result.lost, result.filesRemoved], [1, 0])
  },
  {
    name: 'it is given up when the winner left less than half of it',
    rival: race => take(race, many(0, race.size * 2)),
    check: result => assert.equal(result.lost, 1)
  },
  {
    name: 'other properties, and a higher protocol, make it start anew',
    vectors: false,
    rival: race => race.theirs.setProperties({ 'delta.enableDeletionVectors': 'true' }),
    check: result => assert.equal(result.lost, 1)
  },
  {
    name: 'rows that came back are not lost',
    rival: async race => {
      await race.theirs.restore({ version: 3 })
      for (const row of many(2 * race.size, 40)) race.content.set(row.id, row.text)
    },
    check: result => assert.equal(result.lost, 1)
  }
]

const sorted = (content: Content) => [...content].sort(([a], [b]) => a - b)

for (const size of [2000, 20_000, 150_000]) {
  for (const cell of cells) {
    // The largest are for positions beyond one row group.
    if (size > 100_000 && !cell.name.includes('marked')) continue
    test(`${cell.name}, with ${size} rows a file`, async () => {
      await using delta = await openTestDelta()
      const { store, before } = withRival(delta.ports.store)
      const vectors = cell.vectors ?? true
      const properties = { 'delta.enableDeletionVectors': String(vectors) }
      const spec = { columns, properties }
      const theirs = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
      for (let i = 0; i < 3; i++) await theirs.append(many(i * size, size))
      if (vectors) await theirs.merge(many(2 * size, 40), deleting)
      const gone = new Set(vectors ? many(2 * size, 40).map(row => row.id) : [])
      const rows = many(0, size * 3).filter(row => !gone.has(row.id))
      const content: Content = new Map(rows.map(row => [row.id, row.text]))
      const race = { delta, theirs, size, content }
      const ours = await DeltaTable.open('t', delta.over(store), delta.options)
      before(() => cell.rival(race))
      cell.check(await ours.optimize({ deletedPart: 0 }), size)
      const fresh = await DeltaTable.open('t', delta.ports, delta.options)
      const read = (await fresh.read()).map(row => [row['id'], row['text']] as [number, unknown])
      assert.equal(read.length, content.size)
      assert.deepEqual(sorted(new Map(read)), sorted(content))
      assert.equal(await fresh.countRows(), content.size)
      assert.deepEqual((await fresh.verify(['id'])).problems, [])
      for (const table of [fresh, ours, theirs]) await table.close()
    })
  }
}

test('a merge that loses to it searches the new files only', async () => {
  await using delta = await openTestDelta()
  const { store, before } = withRival(delta.ports.store)
  const properties = { 'delta.enableDeletionVectors': 'true' }
  const theirs = await DeltaTable.openOrCreate(
    't',
    { columns, properties },
    delta.ports,
    delta.options
  )
  for (let i = 0; i < 3; i++) await theirs.append(many(i * 20_000, 20_000))
  const { files } = await theirs.snapshot()
  const largest = Math.max(...[...files.values()].map(file => file.size))
  await theirs.append(many(60_000, 200_000))
  const searched: number[] = []
  const ports = delta.over(store)
  const engine = new Proxy(ports.engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'match') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<typeof target.match>) => {
        searched.push(args[0].files.length)
        return await target.match(...args)
      }
    }
  })
  const ours = await DeltaTable.open('t', { ...ports, engine }, delta.options)
  before(() => theirs.optimize({ targetFileBytes: largest * 4 }))
  const result = await ours.merge(changed(10, 50, 4500), rules)
  assert.deepEqual([result.updated, result.conflicts], [50, 1])
  assert.deepEqual(searched, [4, 1])
  assert.deepEqual((await theirs.verify(['id'])).problems, [])
  await ours.close()
  await theirs.close()
})

test('merges of the same table object go on while it copies, and none is lost', async () => {
  await using delta = await openTestDelta()
  const properties = { 'delta.enableDeletionVectors': 'true' }
  let copying: (() => void) | undefined
  let goOn: (() => void) | undefined
  const copied = new Promise<void>(resolve => {
    copying = resolve
  })
  const gate = new Promise<void>(resolve => {
    goOn = resolve
  })
  const engine = new Proxy(delta.ports.engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'write') return typeof value === 'function' ? value.bind(target) : value
      return async (...args: Parameters<typeof target.write>) => {
        const written = await target.write(...args)
        if (args[0].inOrder === true) {
          copying?.()
          await gate
        }
        return written
      }
    }
  })
  const ports = { ...delta.ports, engine }
  const table = await DeltaTable.openOrCreate('t', { columns, properties }, ports, delta.options)
  for (let i = 0; i < 3; i++) await table.append(many(i * 20_000, 20_000))
  const optimizing = table.optimize()
  await copied
  const merges = await Promise.all([
    table.merge(changed(100, 300, 150), rules),
    table.merge(changed(101, 300, 150), rules)
  ])
  assert.deepEqual(
    merges.map(({ updated, conflicts }) => [updated, conflicts]),
    [
      [300, 0],
      [300, 0]
    ]
  )
  goOn?.()
  const result = await optimizing
  assert.deepEqual([result.lost, result.rowsCarried], [0, 600])
  assert.equal((await table.read({ where: "text LIKE 'new%'" })).length, 600)
  assert.deepEqual((await table.verify(['id'])).problems, [])
  await table.close()
})
