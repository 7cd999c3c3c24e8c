import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Action } from '../../../../src/delta/actions.ts'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { readCommitIfThere } from '../../../../src/delta/log-reader.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'text', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const rows = (from: number, count: number, text: string) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, text: `${text} ${(from + i) * 7919}` }))

async function create(
  delta: TestDelta,
  properties: Record<string, string> = { 'delta.enableDeletionVectors': 'true' }
): Promise<DeltaTable> {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

async function commitOf(delta: TestDelta, version: number): Promise<Action[]> {
  return (await readCommitIfThere(delta.ports, 't', version)) ?? assert.fail()
}

const sorted = (list: readonly Record<string, unknown>[]) =>
  [...list].sort((a, b) => Number(a['id']) - Number(b['id']))

describe('Restore', () => {
  test('brings back files and vectors of a version, and every version stays readable', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 20_000, 'a'))
    await table.merge(rows(0, 100, 'b'), rules)
    const marked = (await table.snapshot()).version
    await table.merge(rows(50, 100, 'c'), rules)
    await table.append(rows(30_000, 10, 'd'))
    await table.optimize({ deletedPart: 0 })
    const newest = (await table.snapshot()).version
    const contents = new Map<number, unknown>()
    for (let v = 0; v <= newest; v++) contents.set(v, sorted(await table.read({ version: v })))

    const result = await table.restore({ version: marked })
    assert.equal(result.version, newest + 1)
    assert.deepEqual(sorted(await table.read()), contents.get(marked))
    const actions = await commitOf(delta, result.version)
    const adds = actions.flatMap(({ add }) => add ?? [])
    assert.equal(adds.length, result.filesRestored)
    assert.ok(adds.some(add => add.deletionVector != null))
    assert.ok(adds.every(add => add.dataChange))
    assert.ok(actions.flatMap(({ remove }) => remove ?? []).every(remove => remove.dataChange))
    assert.deepEqual(actions[0]?.commitInfo?.operationParameters, {
      version: marked,
      timestamp: null
    })
    assert.equal(
      actions[0]?.commitInfo?.operationMetrics?.['numRestoredFiles'],
      String(adds.length)
    )

    await table.restore({ version: newest })
    assert.deepEqual(sorted(await table.read()), contents.get(newest))
    const fresh = await DeltaTable.open('t', delta.ports, delta.options)
    for (let v = 0; v <= newest; v++) {
      assert.deepEqual(sorted(await fresh.read({ version: v })), contents.get(v))
    }
    assert.deepEqual((await fresh.verify(['id'])).problems, [])
    await fresh.close()
    await table.close()
  })

  test('commits nothing for the newest version, nor on a dry run', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 10, 'a'))
    await table.append(rows(10, 10, 'b'))
    assert.equal((await table.restore({ version: 2 })).version, 2)
    const planned = await table.restore({ version: 1, dryRun: true })
    assert.deepEqual([planned.version, planned.filesRemoved, planned.files], [2, 1, 1])
    assert.equal((await table.snapshot()).version, 2)
    await assert.rejects(table.restore({ version: 3 }), { code: 'DELTA_VERSION_NOT_FOUND' })
    await table.close()
  })

  test('restores schema and properties, and lowers no demand of the protocol', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { owner: 'me' })
    await table.append(rows(0, 10, 'a'))
    const before = await table.snapshot()
    await table.addColumns([{ name: 'more', type: 'string', nullable: true }])
    await table.setProperties({ 'delta.enableDeletionVectors': 'true', owner: null })
    await table.append([{ id: 100, text: 'x', more: 'y' }])
    const transaction = { appId: 'app', version: 7 }
    await table.append([{ id: 101, text: 'x', more: 'y' }], { transaction })
    await table.restore({ version: before.version })
    const after = await table.snapshot()
    assert.deepEqual(after.fields, before.fields)
    assert.deepEqual(after.metadata.configuration, { owner: 'me' })
    assert.ok(after.protocol.writerFeatures?.includes('deletionVectors'))
    assert.equal(await table.transactionVersion('app'), 7)
    assert.equal((await table.merge(rows(5, 10, 'b'), rules)).inserted, 5)
    await table.close()
  })

  test('goes back before rows were tracked, and forth', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 10, 'a'))
    await table.setProperties({ 'delta.enableRowTracking': 'true' })
    await table.append(rows(10, 10, 'b'))
    await table.merge(rows(5, 10, 'c'), rules)
    const { version } = await table.snapshot()
    const tracked = sorted(await table.read({ rowIds: true }))
    await table.restore({ version: 1 })
    assert.deepEqual(sorted(await table.read()), rows(0, 10, 'a'))
    await table.append(rows(50, 10, 'd'))
    assert.equal(await table.countRows(), 20)
    await table.restore({ version })
    assert.deepEqual(sorted(await table.read({ rowIds: true })), tracked)
    await table.append(rows(60, 10, 'e'))
    assert.equal(await table.countRows(), 30)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
  })

  test('names the files that are gone, and goes on without them when told to', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 20_000, 'a'))
    const [add] = (await table.snapshot()).files.values()
    await table.optimize()
    await table.merge(rows(0, 15_000, 'b'), rules)
    const name = add?.path ?? assert.fail()
    rmSync(join(delta.root, 'tables', 't', name))
    await assert.rejects(table.restore({ version: 1 }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'DELTA_VERSION_NOT_FOUND')
      assert.ok(error.message.includes(name), error.message)
      return true
    })
    const result = await table.restore({ version: 1, ignoreMissingFiles: true })
    assert.deepEqual(result.missing, [name])
    assert.equal((await table.snapshot()).files.size, 1)
    await table.close()
  })

  test('takes back a commit that another writer put in between', async () => {
    await using delta = await openTestDelta()
    const rival = await create(delta)
    await rival.append(rows(0, 10, 'a'))
    await rival.append(rows(10, 10, 'b'))
    let raced = false
    const store = new Proxy(delta.ports.store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: Parameters<typeof target.put>) => {
          if (args[2]?.ifAbsent === true && !raced) {
            raced = true
            await rival.append(rows(20, 10, 'c'))
          }
          return await target.put(...args)
        }
      }
    })
    const table = await DeltaTable.open('t', delta.over(store), delta.options)
    const result = await table.restore({ version: 1 })
    assert.deepEqual([result.version, result.filesRemoved], [4, 2])
    assert.equal(await rival.countRows(), 10)
    await table.close()
    await rival.close()
  })

  test('is refused on a table that only grows', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { 'delta.appendOnly': 'true' })
    await table.append(rows(0, 10, 'a'))
    await table.append(rows(10, 10, 'b'))
    await assert.rejects(table.restore({ version: 1 }), {
      code: 'DELTA_UNSUPPORTED',
      message: /append-only/
    })
    await table.close()
  })
})
