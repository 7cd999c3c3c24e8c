/**
 * Expressions of tables mean the same to us and to Spark: each is evaluated by both over the same rows.
 * Rules that one of them made are kept to by the other, and what we deleted and updated others read.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CellValue } from '../../src/core/index.ts'
import { type DataType, DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'
import {
  EXPRESSION_COLUMNS as columns,
  PORTABLE,
  EXPRESSION_ROWS as rows
} from '../helpers/table-expressions.ts'

const { python, missing } = await openPython()
const SPARK_TYPES: Readonly<Record<string, string>> = { long: 'bigint', integer: 'int' }

interface Answers {
  readonly expressions: readonly (readonly CellValue[] | string)[]
  /** Rows, or an error. */
  readonly statements: readonly (readonly (readonly (string | null)[])[] | string)[]
  readonly queries: readonly (readonly (readonly (string | null)[])[] | string)[]
}

/** With rules, and rows that were updated and deleted. */
async function makeRules(delta: TestDelta): Promise<DeltaTable> {
  const spec = {
    columns: [
      { name: 'id', type: 'integer', nullable: false },
      { name: 'at', type: 'timestamp' },
      { name: 'day', type: 'date', generatedAs: 'CAST(at AS DATE)' },
      { name: 'state', type: 'string', default: "'new'" }
    ],
    partitionBy: ['day'],
    constraints: { known: "state IN ('new', 'done')" }
  } as const
  const table = await DeltaTable.openOrCreate('rules', spec, delta.ports, delta.options)
  await table.append([1, 2, 3, 4].map(id => ({ id, at: BigInt(id) * 86_400_000_000n })))
  await table.update({
    where: 'id = 2',
    set: { state: 'done', at: { sql: '"at" + INTERVAL 1 DAY' } }
  })
  await table.delete({ where: 'id = 4' })
  return table
}

/** With deletion vectors in a file. */
async function makeMarked(delta: TestDelta): Promise<DeltaTable> {
  const spec = {
    columns: [
      { name: 'id', type: 'integer', nullable: false },
      { name: 'n', type: 'long' }
    ],
    properties: { 'delta.enableDeletionVectors': 'true' }
  } as const
  const table = await DeltaTable.openOrCreate('marked', spec, delta.ports, delta.options)
  await table.append(Array.from({ length: 30_000 }, (_, id) => ({ id, n: id })))
  assert.equal((await table.delete({ where: 'id % 7 = 1' })).filesMarked, 1)
  const updated = await table.update({ where: 'id % 5 = 2', set: { n: { sql: '-n' } } })
  assert.equal(updated.filesMarked, 1)
  return table
}

describe('conditions and rules, by us and by others', { skip: missing ?? false }, () => {
  let delta: TestDelta
  let answers: Answers
  let tables: Record<'rules' | 'marked', DeltaTable>
  const at = (name: string): string => join(delta.root, 'tables', name)

  before(async () => {
    delta = await openTestDelta()
    tables = { rules: await makeRules(delta), marked: await makeMarked(delta) }
    const content = {
      columns: columns.map(({ name, type }) => [name, SPARK_TYPES[String(type)] ?? type]),
      rows: rows.map(row =>
        columns.map(({ name }) => (row[name] == null ? null : String(row[name])))
      ),
      expressions: PORTABLE,
      statements: [
        `SELECT id, CAST(day AS STRING), state FROM delta.\`${at('rules')}\` ORDER BY id`,
        `INSERT INTO delta.\`${at('rules')}\` VALUES (5, TIMESTAMP '2024-02-29 10:00:00', DATE '2024-02-29', 'odd')`,
        `INSERT INTO delta.\`${at('rules')}\` (id, at) VALUES (6, TIMESTAMP '2024-02-29 10:00:00')`,
        `ALTER TABLE delta.\`${at('rules')}\` ADD CONSTRAINT small CHECK (id < 100)`,
        `SELECT count(*), sum(n) FROM delta.\`${at('marked')}\``
      ],
      queries: [[at('marked'), 'SELECT count(*), sum(n) FROM t']]
    }
    const request = join(delta.root, 'request.json')
    await writeFile(request, JSON.stringify(content))
    const script = join(import.meta.dirname, 'expressions.py')
    answers = JSON.parse((await python?.run(script, [request, python.sparkJars])) ?? '{}')
  })

  after(() => delta?.[Symbol.asyncDispose]())

  test('Spark gives the same values for expressions of tables', async () => {
    const { engine } = delta.ports
    for (const [index, [expression, type]] of PORTABLE.entries()) {
      const { sql } = await engine.translate(expression, columns, type)
      const [ours = []] = await engine.evaluate({ columns, rows, expressions: [{ sql, type }] })
      const theirs = answers.expressions[index]
      assert.ok(Array.isArray(theirs), `${expression}: ${theirs}`)
      assert.deepEqual(
        ours.map(value => normal(value, type)),
        theirs.map(value => normal(value, type)),
        expression
      )
    }
  })

  test('Spark keeps to rules that we made, and we to those that Spark made', async () => {
    const [first, refused, inserted, added] = answers.statements
    assert.deepEqual(first, [
      ['1', '1970-01-02', 'new'],
      ['2', '1970-01-04', 'done'],
      ['3', '1970-01-04', 'new']
    ])
    assert.match(String(refused), /CHECK constraint known/i)
    assert.deepEqual([inserted, added], [[], []])
    const table = tables.rules
    const late = await table.read({ where: 'id = 6' })
    assert.deepEqual(late, [{ id: 6, at: 1_709_200_800_000_000n, day: '2024-02-29', state: 'new' }])
    await assert.rejects(table.append([{ id: 100 }]), { code: 'DELTA_CONSTRAINT_VIOLATED' })
    await table.append([{ id: 99 }])
    assert.equal(await table.countRows(), 5)
  })

  test('others read what our deletes and updates left', async () => {
    const found = await tables.marked.read()
    const sum = found.reduce((total, { n }) => total + Number(n), 0)
    const wanted = [[String(found.length), String(sum)]]
    assert.deepEqual([answers.statements[4], answers.queries[0]], [wanted, wanted])
  })
})

/** Numbers have many texts. */
function normal(value: CellValue, type: DataType): string | number | null {
  if (value === null) return null
  return type === 'double' ? Number(value) + 0 : String(value)
}
