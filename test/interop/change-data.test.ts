/** The change feed of tables that we write, read by deltalake and Spark: the same rows as ours. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseJson } from '../../src/core/index.ts'
import { DeltaTable, type MergeRules } from '../../src/delta/index.ts'
import { type Cell, changesOf } from '../helpers/canonical.ts'
import { assertReplays } from '../helpers/changes.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true },
  { name: 'day', type: 'date', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'x', type: 'double', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const row = (
  id: number,
  text = `${(id * 2_654_435_761) % 999_983}`,
  place: string | null = 'a b'
) => ({
  id,
  place,
  text,
  day: id % 3 === 0 ? null : '2024-02-29',
  at: BigInt(id) * 1_000_003n,
  x: id / 7
})
const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i))

async function fill(delta: TestDelta, name: string, vectors: boolean, partitioned: boolean) {
  const properties = {
    'delta.enableChangeDataFeed': 'true',
    'delta.enableDeletionVectors': String(vectors)
  }
  const partitionBy = partitioned ? ['place'] : []
  const spec = { columns, partitionBy, properties }
  const table = await DeltaTable.openOrCreate(name, spec, delta.ports, delta.options)
  await table.append(rows(0, 3000))
  await table.merge([row(1, 'new'), row(2, 'moved', 'p/ü=1'), row(4000)], rules)
  await table.merge(rows(10, 20), { ...rules, deleteWhen: () => true })
  await table.merge(rows(2990, 20), { ...rules, insertOnly: true })
  await table.merge([row(3, 'over', null), row(3, 'twice', null)], { ...rules, overwrite: true })
  await table.optimize({ deletedPart: 0 })
  await table.merge([row(5, 'last')], { ...rules, deleteWhen: ({ id }) => id === 6 })
  await table.update({ where: 'id BETWEEN 40 AND 45', set: { text: 'set', place: 'z' } })
  await table.delete({ where: 'id BETWEEN 50 AND 55' })
  await assertReplays(table)
  return table
}

const { python, missing } = await openPython()

describe('changes that we write, read by others', { skip: missing ?? false }, () => {
  let delta: TestDelta
  let answers: Record<string, Record<string, Cell[] | string>> = {}
  const ours = new Map<string, readonly Cell[]>()
  /** Each version with its time. */
  const times = new Map<string, Set<string>>()
  const names = ['copied', 'copied-partitioned', 'vectors', 'vectors-partitioned']

  before(async () => {
    delta = await openTestDelta()
    const requests: object[] = []
    for (const name of names) {
      const partitioned = name.endsWith('partitioned')
      const table = await fill(delta, name, name.startsWith('vectors'), partitioned)
      const { rows: cells, schema } = await changesOf(table, join(delta.root, `${name}.parquet`), 1)
      ours.set(name, cells)
      const changes = await table.changes({ fromVersion: 1 })
      const timed = changes.map(one => `${one['_commit_version']} at ${one['_commit_timestamp']}`)
      times.set(name, new Set(timed))
      const wanted = schema.map(field => JSON.parse(field.slice(0, field.lastIndexOf(':'))))
      requests.push({ name, path: table.location, from: 1, columns: wanted })
      await table.close()
    }
    const file = join(delta.root, 'request.json')
    await writeFile(file, JSON.stringify(requests))
    const script = join(import.meta.dirname, 'read_changes.py')
    const output = (await python?.run(script, [file, python.sparkJars])) ?? '{}'
    answers = parseJson(output.trim().split('\n').at(-1) ?? '{}') as never
  })

  after(async () => {
    await delta[Symbol.asyncDispose]()
  })

  for (const name of names) {
    test(`Spark reads the same changes: ${name}`, () => {
      const theirs = answers[name]?.['spark']
      assert.ok(Array.isArray(theirs), String(theirs))
      const untimed = theirs.map(cells => (cells as Cell[]).slice(0, -1))
      assert.deepEqual(untimed, ours.get(name))
      const timed = theirs.map(cells => (cells as Cell[]).slice(-2).join(' at '))
      assert.deepEqual(new Set(timed), times.get(name))
    })
    test(`deltalake reads the same changes: ${name}`, () => {
      const theirs = answers[name]?.['deltalake']
      assert.ok(Array.isArray(theirs), String(theirs))
      assert.deepEqual(theirs, ours.get(name))
    })
  }
})
