import assert from 'node:assert/strict'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellValue } from '../../../../src/core/index.ts'
import { type DeltaPorts, DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))
const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'x', type: 'double', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const row = (id: number, place: string | null = `p${id % 2}`) => ({
  id,
  place,
  text: `text ${id} ${(id * 7919) % 1_000_003}`,
  x: id / 2
})
const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i))

interface Options {
  readonly vectors?: boolean
  readonly partitionBy?: readonly string[]
  readonly properties?: Readonly<Record<string, string>>
  readonly ports?: DeltaPorts
}

async function create(delta: TestDelta, options: Options = {}): Promise<DeltaTable> {
  const { vectors = true, partitionBy = [] } = options
  const properties = { 'delta.enableDeletionVectors': String(vectors), ...options.properties }
  return await DeltaTable.openOrCreate(
    't',
    { columns, partitionBy, properties },
    options.ports ?? delta.ports,
    delta.options
  )
}

async function ids(table: DeltaTable): Promise<number[]> {
  const rows = await table.read({ columns: ['id'] })
  return rows.map(one => Number(one['id'])).sort((a, b) => a - b)
}

/** So that whoever reads a data file fails. */
async function removeData(delta: TestDelta): Promise<void> {
  const root = join(delta.root, 'tables', 't')
  for (const name of await readdir(root, { recursive: true })) {
    if (name.endsWith('.parquet') && !name.includes('_delta_log')) await rm(join(root, name))
  }
}

describe('Delete by condition', () => {
  test('marks rows by vectors, and copies files that are small or mostly deleted', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 20_000))
    await table.append(many(20_000, 10))
    await table.append(many(30_000, 10_000))
    const result = await table.delete({ where: 'id % 10 = 3 OR id > 33000' })
    assert.deepEqual(
      [result.version, result.deleted, result.filesAdded, result.filesRemoved, result.filesMarked],
      [4, 2000 + 1 + 300 + 6999, 1, 2, 1]
    )
    const left = [...many(0, 20_010), ...many(30_000, 10_000)].map(one => one.id)
    assert.deepEqual(
      await ids(table),
      left.filter(id => id % 10 !== 3 && id <= 33_000)
    )
    const again = await table.delete({ where: 'id % 10 = 4 AND id < 20000' })
    assert.deepEqual([again.deleted, again.filesMarked, again.filesRemoved], [2000, 1, 0])
    assert.equal(await table.countRows(), (await ids(table)).length)
    assert.deepEqual((await table.verify(['id'])).problems, [])
  })

  test('copies files where the table has no vectors, several small ones into one', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { vectors: false })
    for (let i = 0; i < 4; i++) await table.append(many(i * 100, 100))
    const result = await table.delete({ where: 'id % 100 < 50' })
    assert.deepEqual([result.deleted, result.filesAdded, result.filesRemoved], [200, 1, 4])
    assert.equal(result.bytesWritten, [...(await table.snapshot()).files.values()][0]?.size)
    assert.equal((await ids(table)).length, 200)
    const rest = await table.delete({ where: 'id >= 0' })
    assert.deepEqual([rest.deleted, rest.filesAdded, rest.filesRemoved], [200, 0, 1])
  })

  test('without a condition removes all files and reads none', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 20_000))
    await table.append(many(20_000, 10))
    await table.merge([{ id: 7 }], { ...rules, deleteWhen: () => true })
    await removeData(delta)
    const result = await table.delete()
    assert.deepEqual([result.deleted, result.filesRemoved, result.filesAdded], [20_009, 2, 0])
    assert.deepEqual(await table.read(), [])
    assert.equal((await table.delete()).version, result.version)
  })

  test('removes files by their statistics and partitions without reading them', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { partitionBy: ['place'] })
    await table.append(many(0, 1000))
    await table.append(many(1000, 1000))
    await table.append([row(5000, null), row(5001, "it's")])
    await removeData(delta)
    const proven = await table.delete({ where: 'id BETWEEN 1000 AND 1999' })
    assert.deepEqual([proven.deleted, proven.filesRemoved], [1000, 2])
    const like = await table.delete({ where: "place LIKE 'it%' OR place IS NULL" })
    assert.deepEqual([like.deleted, like.filesRemoved], [2, 2])
    assert.equal((await table.delete({ where: "id > 1000 AND place = 'p0'" })).deleted, 0)
    const both = await table.delete({ where: "id < 1000 AND place = 'p1'" })
    assert.deepEqual([both.deleted, both.filesRemoved], [500, 1])
    assert.deepEqual([...(await table.snapshot()).files.values()].length, 1)
  })

  test('never takes a row whose condition is null for one that matches', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { vectors: false })
    const rows = [1, 2, 3, 4].map(id => ({ id, place: id < 3 ? 'a' : null, x: id }))
    await table.append(rows)
    assert.equal((await table.delete({ where: "place <> 'b' AND place <> 'c'" })).deleted, 2)
    assert.equal((await table.delete({ where: "NOT (place = 'a')" })).deleted, 0)
    assert.equal((await table.delete({ where: 'NULL' })).deleted, 0)
    assert.deepEqual(await ids(table), [3, 4])
  })

  test('takes NaN for the greatest number, equal to itself', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { vectors: false })
    const values = [1, Number.NaN, Number.POSITIVE_INFINITY, 2, -0]
    await table.append(values.map((x, id) => ({ id, x })))
    assert.equal((await table.delete({ where: "x > 'Infinity'" })).deleted, 1)
    assert.equal((await table.delete({ where: 'x <= 1 AND x = 0' })).deleted, 1)
    await table.append([{ id: 9, x: Number.NaN }])
    assert.equal((await table.delete({ where: "x = 'NaN'" })).deleted, 1)
    assert.deepEqual(await ids(table), [0, 2, 3])
  })

  test('refuses what is no condition over the columns, and leaves all rows', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    const refused = { code: 'DELTA_QUERY_INVALID' }
    await assert.rejects(table.delete({ where: 'nothing = 1' }), refused)
    await table.append(many(0, 10))
    for (const where of [
      'nothing = 1',
      'id =',
      '',
      'id IN (SELECT 1)',
      'true) USING SAMPLE (1 ROWS',
      'max(id) = 3',
      'id = $1'
    ]) {
      await assert.rejects(table.delete({ where }), refused, where)
    }
    assert.equal((await ids(table)).length, 10)
  })

  test('decides for each row where the condition gives another answer each time', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 20_000))
    const { deleted } = await table.delete({ where: 'random() < 0.5' })
    assert.ok(deleted > 5000 && deleted < 15_000, String(deleted))
  })

  test('is refused where rows must stay', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { properties: { 'delta.appendOnly': 'true' } })
    await table.append(many(0, 10))
    await assert.rejects(table.delete(), { code: 'DELTA_UNSUPPORTED', message: /append-only/ })
  })

  test('says in the log what Spark says', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 20_000))
    await table.delete({ where: "id < 5 AND text <> ''" })
    await table.delete({ where: 'id > 5' })
    const path = `t/_delta_log/${'2'.padStart(20, '0')}.json`
    const [line = ''] = Buffer.from(await delta.ports.store.get(path))
      .toString()
      .split('\n')
    const { commitInfo } = JSON.parse(line)
    assert.equal(commitInfo.operation, 'DELETE')
    assert.deepEqual(JSON.parse(commitInfo.operationParameters.predicate), [
      "id < 5 AND text <> ''"
    ])
    const { numDeletedRows, numDeletionVectorsAdded, numRemovedFiles } = commitInfo.operationMetrics
    assert.deepEqual([numDeletedRows, numDeletionVectorsAdded, numRemovedFiles], ['5', '1', '0'])
    const [newest] = await table.history()
    assert.equal(newest?.metrics['numDeletedRows'], String(20_000 - 6))
    assert.equal(newest?.metrics['numDeletionVectorsRemoved'], '1')
  })

  for (const vectors of [true, false]) {
    const how = vectors ? 'with vectors' : 'by copying'
    test(`any sequence of conditions deletes what a filter would, ${how} (seed ${seed})`, async () => {
      await using delta = await openTestDelta('memory')
      let name = 0
      const place = fc.constantFrom<CellValue>('a', 'b', '', null)
      const data = fc.record({ place, x: fc.constantFrom<CellValue>(-1, 0, 0.5, Number.NaN, null) })
      const condition = fc.constantFrom(
        "place = 'a'",
        "place IN ('a', 'b') AND x > 0",
        'x >= 0.5',
        'x < 0.5 OR place IS NULL',
        'NOT (x = 0)',
        'id % 3 = 1',
        'id < 20',
        'id BETWEEN 10 AND 40'
      )
      const partitioned = fc.boolean()
      const run = async (
        batches: (typeof data extends fc.Arbitrary<infer T> ? T : never)[][],
        conditions: string[],
        byPlace: boolean
      ): Promise<void> => {
        const properties = { 'delta.enableDeletionVectors': String(vectors) }
        const spec = { columns, partitionBy: byPlace ? ['place'] : [], properties }
        const table = await DeltaTable.openOrCreate(`t${name++}`, spec, delta.ports, delta.options)
        let id = 0
        for (const batch of batches) await table.append(batch.map(one => ({ id: id++, ...one })))
        for (const where of conditions) {
          const before = await ids(table)
          const kept = await table.read({ columns: ['id'], where: `(${where}) IS NOT TRUE` })
          const { deleted } = await table.delete({ where })
          assert.deepEqual(
            await ids(table),
            kept.map(one => Number(one['id'])).sort((a, b) => a - b)
          )
          assert.equal(deleted, before.length - kept.length)
        }
        assert.deepEqual((await table.verify(['id'])).problems, [])
      }
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(data, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
          fc.array(condition, { minLength: 1, maxLength: 4 }),
          partitioned,
          run
        ),
        { seed, numRuns: 25 }
      )
    })
  }
})
