import assert from 'node:assert/strict'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { openDuckDb } from '../../../../src/adapters/duckdb/index.ts'
import type { Row } from '../../../../src/core/index.ts'
import type { DeltaTable, MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, openVectorTable, type TestDelta } from '../../../helpers/delta.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))
const spec = {
  columns: [
    { name: 'id', type: 'integer', nullable: false },
    { name: 'text', type: 'string', nullable: true },
    { name: 'at', type: 'long', nullable: true }
  ]
} as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const row = (id: number, text = `text ${id} ${(id * 7919) % 1_000_003}`) => ({ id, text, at: 0 })
const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i))

async function bytesIn(delta: TestDelta, directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(join(delta.root, 'tables', directory))) {
    const info = await stat(join(delta.root, 'tables', directory, name))
    if (info.isFile()) bytes += info.size
  }
  return bytes
}

async function sorted(table: DeltaTable): Promise<Record<string, unknown>[]> {
  return (await table.read()).sort((a, b) => Number(a['id']) - Number(b['id']))
}

test('changed rows are marked in one vector file and written with the new ones; the file stays', async () => {
  await using delta = await openTestDelta()
  const table = await openVectorTable(delta, 't', spec)
  await table.append(many(0, 20_000))
  await table.append(many(20_000, 20_000))
  const before = await bytesIn(delta, 't')
  const batch = Array.from({ length: 1000 }, (_, i) => row(i * 50, 'new'))
  const result = await table.merge(batch, rules)
  assert.deepEqual(
    [result.updated, result.inserted, result.filesAdded, result.filesRemoved, result.filesMarked],
    [800, 200, 1, 0, 2]
  )
  const names = await readdir(join(delta.root, 'tables', 't'))
  assert.equal(names.filter(name => name.endsWith('.bin')).length, 1)
  const written = (await bytesIn(delta, 't')) - before
  assert.equal(result.bytesWritten, written)
  assert.ok(written < 40_000, `${written} bytes`)
  for (const add of (await table.snapshot()).files.values()) {
    if (add.deletionVector == null) continue
    const stats = JSON.parse(add.stats ?? '')
    assert.deepEqual([stats.numRecords, stats.tightBounds], [20_000, false])
  }
  const expected = new Map(many(0, 40_000).map(r => [r.id, r]))
  for (const r of batch) expected.set(r.id, r)
  assert.deepEqual(
    await sorted(table),
    [...expected.values()].sort((a, b) => a.id - b.id)
  )
  // A second merge of the same rows' neighbours unites the vectors.
  const again = await table.merge(
    batch.map(r => row(r.id + 1, 'next')),
    rules
  )
  assert.equal(again.filesMarked, 2)
  assert.equal(await table.countRows(), 40_400)
  assert.deepEqual((await table.verify(['id'])).problems, [])
})

test('a few rows of a file are marked in a file of vectors; inserts mark nothing', async () => {
  await using delta = await openTestDelta()
  const table = await openVectorTable(delta, 't', spec)
  await table.append(many(0, 20_000))
  const inserts = await table.merge([row(-1), row(30_000)], rules)
  assert.deepEqual([inserts.inserted, inserts.filesMarked], [2, 0])
  const result = await table.merge([row(5, 'x'), row(7, 'y')], rules)
  assert.deepEqual([result.updated, result.filesMarked], [2, 1])
  const names = await readdir(join(delta.root, 'tables', 't'))
  assert.equal(names.filter(name => name.endsWith('.bin')).length, 1)
  assert.deepEqual(await table.read({ where: 'id IN (5, 7)' }), [row(5, 'x'), row(7, 'y')])
})

test('files that are small or mostly deleted are copied, those without a row left are removed', async () => {
  await using delta = await openTestDelta()
  const table = await openVectorTable(delta, 't', spec)
  await table.append(many(0, 20))
  const small = await table.merge([row(3, 'x')], rules)
  assert.deepEqual([small.filesRemoved, small.filesMarked], [1, 0])
  await table.append(many(100, 20_000))
  const half = await table.merge(
    many(100, 12_000).map(r => ({ ...r, text: 'x' })),
    rules
  )
  assert.deepEqual([half.filesRemoved, half.filesMarked, half.updated], [1, 0, 12_000])
  await table.append(many(50_000, 10_000))
  const all = await table.merge(
    many(50_000, 10_000).map(r => ({ id: r.id, at: 1 })),
    { ...rules, deleteWhen: () => true }
  )
  assert.deepEqual(
    [all.deleted, all.filesRemoved, all.filesAdded, all.filesMarked],
    [10_000, 1, 0, 0]
  )
  assert.equal(await table.countRows(), 20_020)
  assert.deepEqual((await table.verify(['id'])).problems, [])
})

for (const vectors of [true, false]) {
  const how = vectors ? 'with vectors' : 'by copying'
  test(`any sequence of upserts, inserts and deletes gives what a map gives, ${how} (seed ${seed})`, async () => {
    await using delta = await openTestDelta('memory')
    let name = 0
    const operation = fc.record({
      ids: fc.uniqueArray(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 300 }),
      kind: fc.constantFrom('upsert', 'insert', 'delete', 'both')
    })
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 6 }), async operations => {
        const properties = { 'delta.enableDeletionVectors': String(vectors) }
        const table = await openVectorTable(delta, `t${name++}`, { ...spec, properties })
        const model = new Map<number, unknown>()
        await table.append(many(0, 8000))
        for (const r of many(0, 8000)) model.set(r.id, r)
        let turn = 0
        for (const { ids, kind } of operations) {
          turn++
          const batch = ids.map(id => row(id, `turn ${turn}`))
          const goes = (r: Row): boolean =>
            kind === 'delete' || (kind === 'both' && Number(r['id']) % 2 === 0)
          await table.merge(batch, {
            ...rules,
            ...(kind === 'insert' ? { insertOnly: true } : {}),
            deleteWhen: goes
          })
          for (const r of batch) {
            if (kind === 'insert') {
              if (!model.has(r.id)) model.set(r.id, r)
            } else if (goes(r)) model.delete(r.id)
            else model.set(r.id, r)
          }
        }
        const expected = [...model].sort(([a], [b]) => a - b).map(([, r]) => r)
        assert.deepEqual(await sorted(table), expected)
        assert.equal(await table.countRows(), expected.length)
        assert.deepEqual((await table.verify(['id'])).problems, [])
        await table.close()
      }),
      { seed, numRuns: 12 }
    )
  })
}

test('deletes obey the order of arrival and the guard', async () => {
  await using delta = await openTestDelta('memory')
  const table = await openVectorTable(delta, 't', spec)
  await table.append([
    { id: 1, text: 'a', at: 10 },
    { id: 2, text: 'a', at: 10 },
    { id: 3, text: 'a', at: 10 }
  ])
  const goes = new Set<Row>([
    { id: 1, at: 5 },
    { id: 2, at: 20 },
    { id: 3, at: 20 },
    { id: 4, at: 20 }
  ])
  const batch = [...goes, { id: 3, text: 'back', at: 30 }]
  const result = await table.merge(batch, {
    ...rules,
    guard: { columns: ['at'], strict: true },
    deleteWhen: r => goes.has(r)
  })
  assert.deepEqual([result.deleted, result.updated, result.inserted], [1, 1, 0])
  assert.deepEqual(await sorted(table), [
    { id: 1, text: 'a', at: 10 },
    { id: 3, text: 'back', at: 30 }
  ])
})

test('rows given from JavaScript are in their file in the order given, also with several threads', async () => {
  await using delta = await openTestDelta()
  const engine = await openDuckDb({ threads: 3 })
  const ports = { ...delta.ports, engine }
  try {
    const table = await openVectorTable(delta, 't', spec, ports)
    const rows = many(0, 700_000).map((r, i) => ({ ...r, id: (i * 7919) % 700_001 }))
    await table.append(rows)
    const [add] = (await table.snapshot()).files.values()
    const localPath = delta.ports.store.localPath?.(`t/${add?.path}`) ?? ''
    const key = { name: 'id', physicalName: 'id', type: 'integer', partition: false } as const
    const matches = await engine.match({
      files: [{ localPath, size: 1, partitionValues: {} }],
      keys: [key],
      rows: rows.map(({ id }) => ({ id })),
      columns: []
    })
    assert.equal(matches.length, rows.length)
    assert.ok(matches.every(({ row: index, position }) => index === position))
  } finally {
    await engine.close()
  }
})
