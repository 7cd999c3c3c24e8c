import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellValue } from '../../../../src/core/index.ts'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { assertTracked } from '../../../helpers/row-ids.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))
const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'day', type: 'date', nullable: true }
] as const
const row = (id: number) => ({
  id,
  place: `p${id % 2}`,
  text: `text ${id} ${(id * 7919) % 1_000_003}`,
  n: id * 10,
  at: 1_700_000_000_000_000n + BigInt(id),
  day: '2023-11-14'
})
const many = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i))

interface Options {
  readonly vectors?: boolean
  readonly partitionBy?: readonly string[]
  readonly properties?: Readonly<Record<string, string>>
}

async function create(delta: TestDelta, options: Options = {}): Promise<DeltaTable> {
  const { vectors = true, partitionBy = [] } = options
  const properties = { 'delta.enableDeletionVectors': String(vectors), ...options.properties }
  const spec = { columns, partitionBy, properties }
  return await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
}

async function sorted(table: DeltaTable, where = 'true'): Promise<Record<string, unknown>[]> {
  return (await table.read({ where })).sort((a, b) => Number(a['id']) - Number(b['id']))
}

describe('Update by condition', () => {
  test('sets values and expressions over the rows as they were, and leaves the others', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 20_000))
    await table.append(many(20_000, 10))
    const result = await table.update({
      where: 'id % 100 = 7',
      set: {
        n: { sql: 'n + id' },
        text: { sql: "upper(text) || ' ' || n" },
        at: 5n,
        day: { sql: 'CAST("at" AS DATE)' },
        place: null
      }
    })
    assert.deepEqual(
      [result.version, result.updated, result.filesAdded, result.filesRemoved, result.filesMarked],
      [3, 201, 1, 1, 1]
    )
    const expected = many(0, 20_010).map(one => {
      if (one.id % 100 !== 7) return one
      const text = `${one.text.toUpperCase()} ${one.n}`
      return { ...one, n: one.n + one.id, text, at: 5n, day: '2023-11-14', place: null }
    })
    assert.deepEqual(await sorted(table), expected)
    assert.deepEqual((await table.verify(['id'])).problems, [])
  })

  test('copies a file with its new rows where the table has no vectors', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { vectors: false })
    for (let i = 0; i < 3; i++) await table.append(many(i * 100, 100))
    const result = await table.update({ where: 'id IN (5, 105)', set: { n: -1 } })
    assert.deepEqual(
      [result.updated, result.filesAdded, result.filesRemoved, result.filesMarked],
      [2, 1, 2, 0]
    )
    assert.deepEqual(
      (await sorted(table, 'n = -1')).map(one => one['id']),
      [5, 105]
    )
    assert.equal((await table.read()).length, 300)
    const all = await table.update({ set: { text: { sql: 'text || text' } } })
    assert.deepEqual([all.updated, all.filesRemoved, all.filesAdded], [300, 2, 1])
    assert.equal((await sorted(table))[0]?.['text'], 'text 0 0text 0 0')
  })

  for (const vectors of [true, false]) {
    const how = vectors ? 'with vectors' : 'by copying'
    test(`moves rows between partitions, ${how}`, async () => {
      await using delta = await openTestDelta()
      const table = await create(delta, { vectors, partitionBy: ['place'] })
      await table.append(many(0, 20_000))
      const fixed = await table.update({ where: 'id < 10', set: { place: 'new' } })
      assert.equal(fixed.updated, 10)
      const computed = await table.update({
        where: "id BETWEEN 5 AND 100 AND place <> 'p1'",
        set: {
          place: { sql: "CASE WHEN id % 3 = 0 THEN 'third' WHEN id < 50 THEN NULL ELSE place END" }
        }
      })
      const placeOf = (id: number): string | null => {
        const first = id < 10 ? 'new' : `p${id % 2}`
        if (id < 5 || id > 100 || first === 'p1') return first
        return id % 3 === 0 ? 'third' : id < 50 ? null : first
      }
      const expected = many(0, 20_000).map(one => ({ ...one, place: placeOf(one.id) }))
      assert.deepEqual(await sorted(table), expected)
      assert.equal(computed.updated, 5 + 46)
      const places = [...(await table.snapshot()).files.values()].map(
        add => add.partitionValues['place']
      )
      assert.deepEqual([...new Set(places)].sort(), ['new', 'p0', 'p1', 'third', null].sort())
      assert.deepEqual((await table.verify(['id'])).problems, [])
    })
  }

  test('computes partitions of typed columns', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { partitionBy: ['day', 'n'] })
    const data = [0, 1, 2].map(id => ({ ...row(id), n: id % 2 }))
    await table.append(data)
    await table.update({
      set: { day: { sql: 'day + id' }, n: { sql: 'CASE WHEN id = 0 THEN NULL ELSE n + 1 END' } }
    })
    assert.deepEqual(
      (await sorted(table)).map(one => [one['day'], one['n']]),
      [
        ['2023-11-14', null],
        ['2023-11-15', 2],
        ['2023-11-16', 1]
      ]
    )
  })

  test('takes only values and expressions that fit their columns', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 10))
    const refused = (code: string, set: Record<string, CellValue | { sql: string }>) =>
      assert.rejects(table.update({ set }), { code }, JSON.stringify(set, String))
    await refused('DELTA_QUERY_INVALID', {})
    await refused('DELTA_SCHEMA_MISMATCH', { nothing: 1 })
    await refused('DELTA_SCHEMA_MISMATCH', { nothing: { sql: '1' } })
    await refused('DELTA_SCHEMA_MISMATCH', { n: 'text' })
    await refused('DELTA_SCHEMA_MISMATCH', { id: null })
    for (const sql of [
      "'5'",
      'n / 2',
      'n * 1.5',
      'text',
      'nothing',
      'max(n)',
      'row_number() OVER ()',
      'unnest([1, 2])',
      '(SELECT 1)',
      '1, 2',
      '$1',
      ''
    ]) {
      await refused('DELTA_QUERY_INVALID', { n: { sql } })
    }
    await refused('DELTA_QUERY_INVALID', { text: { sql: 'n' } })
    await refused('DELTA_QUERY_INVALID', { day: { sql: '"at"' } })
    // What overflows is no value either.
    await refused('DELTA_QUERY_INVALID', { id: { sql: 'n + 2147483640' } })
    await refused('DELTA_SCHEMA_MISMATCH', {
      id: { sql: 'CASE WHEN id = 3 THEN NULL ELSE id END' }
    })
    assert.deepEqual(await sorted(table), many(0, 10))
    await table.update({ set: { n: { sql: 'NULL' }, day: { sql: "DATE '2024-02-29'" } } })
    assert.equal((await table.read({ where: "n IS NULL AND day = '2024-02-29'" })).length, 10)
  })

  test('is refused where rows must stay, and does nothing where none is meant', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(many(0, 10))
    const { version } = await table.snapshot()
    const nothing = await table.update({ where: 'n < 0', set: { n: 0 } })
    assert.deepEqual([nothing.version, nothing.updated, nothing.bytesWritten], [version, 0, 0])
    await table.setProperties({ 'delta.appendOnly': 'true' })
    await assert.rejects(table.update({ set: { n: 0 } }), { code: 'DELTA_UNSUPPORTED' })
  })

  test('says in the log what Spark says', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, { vectors: false })
    await table.append(many(0, 100))
    await table.update({ where: 'id < 5', set: { n: 0 } })
    const [newest] = await table.history()
    assert.equal(newest?.operation, 'UPDATE')
    const { numUpdatedRows, numCopiedRows, numAddedFiles, numRemovedFiles } = newest.metrics
    assert.deepEqual(
      [numUpdatedRows, numCopiedRows, numAddedFiles, numRemovedFiles],
      ['5', '95', '1', '1']
    )
  })

  for (const vectors of [true, false]) {
    const how = vectors ? 'with vectors' : 'by copying'
    test(`any sequence of updates gives what a map gives, ${how} (seed ${seed})`, async () => {
      await using delta = await openTestDelta('memory')
      let name = 0
      const change = fc.record({
        from: fc.integer({ min: 0, max: 60 }),
        length: fc.integer({ min: 0, max: 60 }),
        kind: fc.constantFrom('place', 'moved', 'n', 'text', 'both')
      })
      type Change = typeof change extends fc.Arbitrary<infer T> ? T : never
      const run = async (counts: number[], changes: Change[], byPlace: boolean) => {
        const properties = { 'delta.enableDeletionVectors': String(vectors) }
        const spec = { columns, partitionBy: byPlace ? ['place'] : [], properties }
        const table = await DeltaTable.openOrCreate(`t${name++}`, spec, delta.ports, delta.options)
        let rows: Record<string, unknown>[] = []
        for (const count of counts) {
          const more = many(rows.length, count)
          rows = [...rows, ...more]
          await table.append(more)
        }
        for (const { from, length, kind } of changes) {
          const set = {
            place: { place: 'fixed' },
            moved: { place: { sql: "'q' || (id % 3)" } },
            n: { n: { sql: 'n + 1' } },
            text: { text: null },
            both: { n: { sql: 'id' }, place: { sql: 'CASE WHEN id % 2 = 0 THEN place END' } }
          }[kind]
          const result = await table.update({
            where: `id BETWEEN ${from} AND ${from + length}`,
            set
          })
          let updated = 0
          rows = rows.map(one => {
            const id = Number(one['id'])
            if (id < from || id > from + length) return one
            updated++
            if (kind === 'place') return { ...one, place: 'fixed' }
            if (kind === 'moved') return { ...one, place: `q${id % 3}` }
            if (kind === 'n') return { ...one, n: Number(one['n']) + 1 }
            if (kind === 'text') return { ...one, text: null }
            return { ...one, n: id, place: id % 2 === 0 ? one['place'] : null }
          })
          assert.equal(result.updated, updated)
        }
        assert.deepEqual(await sorted(table), rows)
        assert.deepEqual((await table.verify(['id'])).problems, [])
      }
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
          fc.array(change, { minLength: 1, maxLength: 4 }),
          fc.boolean(),
          run
        ),
        { seed, numRuns: 12 }
      )
    })
  }
})

test('rows keep their ids through updates and deletes, and get the version of their update', async () => {
  for (const vectors of [true, false]) {
    await using delta = await openTestDelta()
    const properties = { 'delta.enableRowTracking': 'true' }
    const table = await create(delta, { vectors, partitionBy: ['place'], properties })
    await table.append(many(0, 3000))
    await table.append(many(3000, 10))
    const { version } = await table.snapshot()
    await table.update({ where: 'id % 100 = 1', set: { n: { sql: 'n + 1' } } })
    await table.update({ where: 'id < 50', set: { place: { sql: "'q' || id % 2" } } })
    await table.delete({ where: 'id % 7 = 1' })
    await table.update({ where: "place = 'q1'", set: { text: 'again' } })
    const rows = await table.read({ where: "place = 'q1'", rowIds: true })
    assert.deepEqual(
      [...new Set(rows.map(one => Object(one)['_row_commit_version']))],
      [version + 4]
    )
    await assertTracked(table, 'id', version)
  }
})

test('updates and deletes find and write columns by their mapped names', async () => {
  await using delta = await openTestDelta()
  const properties = { 'delta.columnMapping.mode': 'name', 'delta.enableDeletionVectors': 'true' }
  const table = await DeltaTable.openOrCreate(
    't',
    { columns, partitionBy: ['place'], properties },
    delta.ports,
    delta.options
  )
  await table.append(many(0, 1000))
  await table.update({ where: 'n < 50', set: { n: { sql: 'n + 1' }, place: { sql: "'q'" } } })
  const { deleted } = await table.delete({ where: "place = 'q' AND n > 30" })
  assert.equal(deleted, 2)
  assert.deepEqual(
    (await sorted(table, "place = 'q'")).map(one => [one['id'], one['n'], one['text']]),
    [0, 1, 2].map(id => [id, id * 10 + 1, row(id).text])
  )
  assert.equal(await table.countRows(), 998)
})
