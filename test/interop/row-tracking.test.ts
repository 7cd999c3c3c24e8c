/** Row ids that we keep, as Spark reads them, and those that Spark keeps, as we read them. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parseJson } from '../../src/core/index.ts'
import { DeltaTable, type MergeRules } from '../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'
import { assertTracked } from '../helpers/row-ids.ts'

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
const rows = (from: number, count: number) => Array.from({ length: count }, (_, i) => row(from + i))

interface Kind {
  readonly name: string
  readonly vectors: boolean
  readonly partitioned: boolean
  /** Turned on for a table that has rows. */
  readonly late: boolean
}
const kinds: readonly Kind[] = [
  { name: 'copied', vectors: false, partitioned: false, late: false },
  { name: 'vectors-partitioned', vectors: true, partitioned: true, late: false },
  { name: 'late', vectors: true, partitioned: false, late: true }
]
/** What Spark does after us. */
const change = [
  "UPDATE TABLE SET text = 'spark' WHERE id < 5 OR id = 5000",
  'DELETE FROM TABLE WHERE id = 6',
  'INSERT INTO TABLE VALUES (9000, "x", "spark")',
  'OPTIMIZE TABLE'
]

async function fill(delta: TestDelta, { name, vectors, partitioned, late }: Kind) {
  const on = { 'delta.enableRowTracking': 'true' }
  const properties = { 'delta.enableDeletionVectors': String(vectors), ...(late ? {} : on) }
  const spec = { columns, partitionBy: partitioned ? ['place'] : [], properties }
  const table = await DeltaTable.openOrCreate(name, spec, delta.ports, delta.options)
  await table.append(rows(0, 3000))
  if (late) await table.setProperties(on)
  await table.merge([row(1, 'new'), row(2, 'moved', 'y'), row(5000)], rules)
  await table.merge(rows(100, 50), { ...rules, deleteWhen: () => true })
  await table.merge([row(3, 'over')], { ...rules, overwrite: true })
  await table.optimize({ deletedPart: 0 })
  await table.merge(rows(2900, 200), rules)
  await table.delete({ where: 'id BETWEEN 200 AND 210' })
  await table.update({ where: 'id BETWEEN 300 AND 310', set: { text: { sql: "text || '!'" } } })
  await table.update({ where: 'id = 311', set: { place: 'z' } })
  return table
}

const { python, missing } = await openPython()

describe('row ids, beside Spark', { skip: missing ?? false }, () => {
  let delta: TestDelta
  let answers: Record<string, Record<string, [number, number, number][]>> = {}
  const tables = new Map<string, DeltaTable>()
  const newest = new Map<string, number>()

  before(async () => {
    delta = await openTestDelta()
    const requests: object[] = []
    for (const kind of kinds) {
      const table = await fill(delta, kind)
      const { version } = await table.snapshot()
      tables.set(kind.name, table)
      newest.set(kind.name, version)
      const versions = [3, 5, version]
      requests.push({ name: kind.name, path: table.location, versions, change })
    }
    const file = join(delta.root, 'request.json')
    await writeFile(file, JSON.stringify(requests))
    const script = join(import.meta.dirname, 'read_row_ids.py')
    const output = (await python?.run(script, [file, python.sparkJars])) ?? '{}'
    answers = parseJson(output.trim().split('\n').at(-1) ?? '{}') as never
  })

  after(async () => {
    for (const table of tables.values()) await table.close()
    await delta[Symbol.asyncDispose]()
  })

  for (const { name } of kinds) {
    test(`Spark reads the ids that we read: ${name}`, async () => {
      const table = tables.get(name) ?? assert.fail()
      await assertTracked(table, 'id', 2)
      for (const [version, theirs] of Object.entries(answers[name] ?? {})) {
        const ours = await table.read({ version: Number(version), rowIds: true })
        const byId = (a: readonly number[], b: readonly number[]) => (a[0] ?? 0) - (b[0] ?? 0)
        assert.deepEqual(
          theirs.sort(byId),
          ours
            .map(cells => ['id', '_row_id', '_row_commit_version'].map(key => Number(cells[key])))
            .sort(byId),
          `version ${version}`
        )
      }
    })

    test(`what Spark changes after us keeps its ids, and what we change after Spark: ${name}`, async () => {
      const table = await DeltaTable.open(name, delta.ports, delta.options)
      await table.merge([row(1, 'last'), row(9000, 'last'), row(9001)], rules)
      await table.optimize({ deletedPart: 0 })
      const last = (await table.snapshot()).version
      assert.ok(last > (newest.get(name) ?? 0) + change.length)
      await assertTracked(table, 'id', 2)
      await table.close()
    })
  }
})
