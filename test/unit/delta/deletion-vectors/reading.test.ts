import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { AddAction, DeletionVectorDescriptor } from '../../../../src/delta/actions.ts'
import { encodeVector } from '../../../../src/delta/deletion-vectors/codec.ts'
import {
  DeletionVectors,
  positionsOf,
  vectorActions,
  vectorPath
} from '../../../../src/delta/deletion-vectors/index.ts'
import { encodeZ85 } from '../../../../src/delta/deletion-vectors/z85.ts'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta, openVectorTable, type TestDelta } from '../../../helpers/delta.ts'

const spec = {
  columns: [
    { name: 'id', type: 'integer', nullable: false },
    { name: 'part', type: 'string', nullable: true },
    { name: 'text', type: 'string', nullable: true }
  ],
  partitionBy: ['part']
} as const
const rows = (from: number, count: number, part: string) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, part, text: `t${(from + i) % 7}` }))

/** Deletes the rows at the positions of the file of a partition, as another writer would. */
async function deleteRows(
  delta: TestDelta,
  table: DeltaTable,
  part: string,
  positions: number[],
  inLog = false
): Promise<AddAction> {
  const { version, files } = await table.snapshot()
  const add = [...files.values()].find(file => file.partitionValues['part'] === part)
  assert.ok(add)
  const vectors = new DeletionVectors(delta.ports, 't')
  const { descriptors } = await vectors.write(new Map([[add, positionsOf(positions)]]))
  const written = descriptors.get(add) ?? assert.fail()
  const actions = vectorActions(add, inLog ? inlineVector(positions) : written, 1)
  const path = `t/_delta_log/${String(version + 1).padStart(20, '0')}.json`
  await delta.ports.store.put(path, Buffer.from(actions.map(a => JSON.stringify(a)).join('\n')))
  const [marked] = actions.flatMap(action => action.add ?? [])
  return marked ?? assert.fail()
}

function inlineVector(positions: number[]): DeletionVectorDescriptor {
  const bytes = encodeVector(positionsOf(positions))
  return {
    storageType: 'i',
    pathOrInlineDv: encodeZ85(bytes),
    sizeInBytes: bytes.length,
    cardinality: positions.length
  }
}

async function threeFiles(delta: TestDelta): Promise<DeltaTable> {
  const table = await openVectorTable(delta, 't', spec)
  await table.append([...rows(0, 5000, 'a'), ...rows(5000, 10, 'b'), ...rows(6000, 10, 'c')])
  // One vector in a file, one in the log, one file without.
  await deleteRows(
    delta,
    table,
    'a',
    Array.from({ length: 2500 }, (_, i) => i * 2)
  )
  await deleteRows(delta, table, 'b', [0, 9], true)
  return table
}

test('deleted rows are in no answer, whatever is asked', async () => {
  await using delta = await openTestDelta()
  const table = await threeFiles(delta)
  const kept = [...rows(0, 5000, 'a').filter(row => row.id % 2 === 1)]
  const expected = [...kept, ...rows(5001, 8, 'b'), ...rows(6000, 10, 'c')].map(row => row.id)
  const ids = (read: Record<string, unknown>[]): number[] =>
    read.map(row => Number(row['id'])).sort((a, b) => a - b)
  assert.deepEqual(ids(await table.read()), expected)
  assert.deepEqual(
    ids(await table.read({ where: "id BETWEEN 4990 AND 5002 AND part IN ('a', 'b')" })),
    expected.filter(id => id >= 4990 && id <= 5002)
  )
  assert.deepEqual(
    ids(await table.read({ where: "text = 't3'" })),
    expected.filter(id => id % 7 === 3)
  )
  assert.deepEqual((await table.read({ where: 'id = 5000' })).length, 0)
  assert.equal((await table.read({ where: 'id < 100', limit: 7 })).length, 7)
  assert.deepEqual(await table.read({ where: 'id = 5001' }), [{ id: 5001, part: 'b', text: 't3' }])
  assert.equal(await table.countRows(), expected.length)
  const batches: Record<string, unknown>[] = []
  for await (const batch of table.readBatches({ columns: ['id'] })) batches.push(...batch)
  assert.deepEqual(ids(batches), expected)
  const target = join(delta.root, 'out.csv')
  assert.equal(await table.export(target, 'csv', { columns: ['id'] }), expected.length)
  assert.equal((await readFile(target, 'utf8')).trim().split('\n').length, expected.length + 1)
  assert.deepEqual(await table.findKeys('id', [0, 1, 5000, 5001, 6000]), new Set([1, 3, 4]))
  const report = await table.verify(['id'])
  assert.deepEqual([report.rows, report.problems], [expected.length, []])
  assert.equal((await table.read({ version: 2 })).length, 5020)
})

test('a deleted row does not count as a second one of its key, nor is it copied', async () => {
  await using delta = await openTestDelta()
  const table = await threeFiles(delta)
  await table.append([{ id: 0, part: 'c', text: 'new' }])
  assert.deepEqual((await table.verify(['id'])).problems, [])
  const rules = { keys: ['id'], policies: new Map() }
  await table.merge([{ id: 5000, part: 'b', text: 'again' }], { ...rules, insertOnly: true })
  await table.merge([{ id: 5001, text: 'changed' }], rules)
  const changed = await table.read({ where: 'id IN (5000, 5001, 5009)' })
  assert.deepEqual(
    changed.sort((a, b) => Number(a['id']) - Number(b['id'])),
    [
      { id: 5000, part: 'b', text: 'again' },
      { id: 5001, part: 'b', text: 'changed' }
    ]
  )
  assert.deepEqual((await table.verify(['id'])).problems, [])
})

test('vectors survive a checkpoint', async () => {
  await using delta = await openTestDelta()
  const table = await threeFiles(delta)
  await table.checkpoint()
  const again = await DeltaTable.open('t', delta.ports, delta.options)
  assert.equal(await again.countRows(), 2518)
  assert.equal((await again.read()).length, 2518)
})

test('a damaged, missing or foreign vector file is named, for reading and by verify', async () => {
  await using delta = await openTestDelta()
  const table = await threeFiles(delta)
  const add = [...(await table.snapshot()).files.values()].find(
    file => file.deletionVector?.storageType === 'u'
  )
  const path = vectorPath('t', add?.deletionVector ?? assert.fail()) ?? assert.fail()
  const good = await delta.ports.store.get(path)
  const check = async (why: RegExp): Promise<void> => {
    const fresh = await DeltaTable.open('t', delta.ports, delta.options)
    await assert.rejects(fresh.read(), (error: Error & { code: string }) => {
      assert.equal(error.code, 'DELTA_DATA_CORRUPT')
      assert.match(error.message, why)
      assert.ok(error.message.includes(path))
      return true
    })
    const { problems } = await fresh.verify()
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', why)
  }
  const broken = Uint8Array.from(good)
  broken[40] = (broken[40] ?? 0) ^ 1
  await delta.ports.store.put(path, broken)
  await check(/CRC-32/)
  await delta.ports.store.put(path, good.subarray(0, good.length - 5))
  await check(/cut/)
  await delta.ports.store.put(path, Uint8Array.from([2, ...good.subarray(1)]))
  await check(/format version 2/)
  await delta.ports.store.delete(path)
  await check(/missing/)
})

test('vectors in a folder of the table and at an absolute path are read', async () => {
  await using delta = await openTestDelta()
  const table = await threeFiles(delta)
  const marked = [...(await table.snapshot()).files.values()].find(
    file => file.deletionVector?.storageType === 'u'
  )
  const vector = marked?.deletionVector ?? assert.fail()
  const bytes = await delta.ports.store.get(vectorPath('t', vector) ?? '')
  const outside = join(delta.root, 'outside vector.bin')
  await writeFile(outside, bytes)
  const name = vectorPath('', vector) ?? ''
  await delta.ports.store.put(`t/ab/${name}`, bytes)
  const vectors = new DeletionVectors(delta.ports, 't')
  const expected = await vectors.load(marked ?? assert.fail())
  assert.equal(expected?.length, 2500)
  const uri = pathToFileURL(outside).href
  for (const other of [
    { storageType: 'u', pathOrInlineDv: `ab${vector.pathOrInlineDv}` },
    { storageType: 'p', pathOrInlineDv: uri }
  ] as const) {
    const add = { path: marked?.path ?? '', deletionVector: { ...vector, ...other } }
    assert.deepEqual(await new DeletionVectors(delta.ports, 't').load(add), expected)
  }
})

test('a vector of one position goes to a file too: others fail at those in the log', async () => {
  await using delta = await openTestDelta()
  const properties = { 'delta.enableDeletionVectors': 'true' }
  const table = await openVectorTable(delta, 't', { ...spec, partitionBy: [], properties })
  await table.append(rows(0, 30_000, 'a'))
  await table.merge([{ id: 7, part: 'b', text: 'new' }], {
    keys: ['id'],
    policies: new Map([['id', 'key']])
  })
  const { files } = await table.snapshot()
  const kinds = [...files.values()].map(file => file.deletionVector?.storageType)
  assert.deepEqual(
    kinds.filter(kind => kind !== undefined),
    ['u']
  )
})
