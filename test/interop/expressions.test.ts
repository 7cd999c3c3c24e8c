/**
 * Expressions of tables mean the same to us and to Spark: each is evaluated by both over the same rows.
 * And tables with rules that one of them made are kept to by the other.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { CellValue } from '../../src/core/index.ts'
import type { DataType } from '../../src/delta/index.ts'
import { openTestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'
import {
  EXPRESSION_COLUMNS as columns,
  PORTABLE,
  EXPRESSION_ROWS as rows
} from '../helpers/table-expressions.ts'

const { python, missing } = await openPython()
const SPARK_TYPES: Readonly<Record<string, string>> = { long: 'bigint', integer: 'int' }

describe('expressions of tables, evaluated by us and by Spark', { skip: missing ?? false }, () => {
  test('give the same values', async () => {
    await using delta = await openTestDelta()
    const request = join(delta.root, 'request.json')
    const content = {
      columns: columns.map(({ name, type }) => [name, SPARK_TYPES[String(type)] ?? type]),
      rows: rows.map(row =>
        columns.map(({ name }) => (row[name] == null ? null : String(row[name])))
      ),
      expressions: PORTABLE
    }
    await writeFile(request, JSON.stringify(content))
    const script = join(import.meta.dirname, 'expressions.py')
    const answers = JSON.parse((await python?.run(script, [request, python.sparkJars])) ?? '[]')
    const { engine } = delta.ports
    for (const [index, [expression, type]] of PORTABLE.entries()) {
      const { sql } = await engine.translate(expression, columns, type)
      const [ours = []] = await engine.evaluate({ columns, rows, expressions: [{ sql, type }] })
      const theirs = answers[index]
      assert.ok(Array.isArray(theirs), `${expression}: ${theirs}`)
      assert.deepEqual(
        ours.map(value => normal(value, type)),
        theirs.map(value => normal(value, type)),
        expression
      )
    }
  })
})

/** Numbers have many texts. */
function normal(value: CellValue, type: DataType): string | number | null {
  if (value === null) return null
  return type === 'double' ? Number(value) + 0 : String(value)
}
