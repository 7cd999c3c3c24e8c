/** Expressions of tables in SQL of DuckDB. What is refused, and what a few of them give. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openDuckDb } from '../../../../src/adapters/duckdb/index.ts'
import type { CellValue } from '../../../../src/core/index.ts'
import type { DataType, ParquetEngine } from '../../../../src/delta/index.ts'
import {
  EXPRESSION_COLUMNS as columns,
  PORTABLE,
  REFUSED,
  EXPRESSION_ROWS as rows
} from '../../../helpers/table-expressions.ts'

describe('expressions of tables', () => {
  let engine: ParquetEngine
  before(async () => {
    engine = await openDuckDb()
  })
  after(() => engine.close())

  async function values(expression: string, type: DataType): Promise<readonly CellValue[]> {
    const { sql } = await engine.translate(expression, columns, type)
    const [found = []] = await engine.evaluate({ columns, rows, expressions: [{ sql, type }] })
    return found
  }

  test('are computed when all of their parts are known', async () => {
    for (const [expression, type] of PORTABLE) {
      assert.equal((await values(expression, type)).length, rows.length, expression)
    }
    assert.deepEqual(await values('n IN (7, 0, NULL)', 'boolean'), [
      true,
      null,
      null,
      null,
      true,
      null
    ])
    assert.deepEqual((await values('n + i', 'long'))[2], 9_007_201_254_740_993n)
    assert.deepEqual((await values('x > 1e308', 'boolean'))[2], true)
    assert.deepEqual((await values('i % 7', 'integer'))[0], -3)
    assert.deepEqual((await values("s || 'x'", 'string'))[1], null)
    assert.deepEqual((await values('CAST(t AS DATE)', 'date'))[2], '1969-12-31')
  })

  test('tell the columns that they name', async () => {
    const { columns: named } = await engine.translate(
      'N > 1 AND `odd name` = s',
      columns,
      'boolean'
    )
    assert.deepEqual([...named].sort(), ['n', 'odd name', 's'])
  })

  test('are refused when a part of them may mean something else', async () => {
    for (const [expression, type] of REFUSED) {
      const translated = engine.translate(expression, columns, type)
      await assert.rejects(translated, { code: 'DELTA_UNSUPPORTED' }, expression)
    }
  })

  test('fail rather than overflow, or guess about letters', async () => {
    for (const [expression, type] of [
      ['i * 2', 'integer'],
      ['n * n * n', 'long'],
      ['CAST(n AS INT)', 'integer'],
      ['upper(s)', 'string']
    ] as const) {
      await assert.rejects(values(expression, type), (error: Error & { code?: string }) => {
        // Nothing of what the rows hold is told.
        assert.doesNotMatch(error.message, /\d{4}|K.ln/)
        return error.code === 'DELTA_QUERY_INVALID'
      })
    }
  })

  test('may name columns by words that mean something to DuckDB', async () => {
    const schema = ['at', 'date', 'limit', 'order', 'length'].map(name => {
      const type = name === 'at' || name === 'date' ? 'date' : 'long'
      return { name, physicalName: name, type, partition: false }
    })
    const expression =
      "AT > DATE '2020-01-01' AND date = CAST(at AS date) AND limit + `order` > 1 AND length > 0"
    const { columns: named } = await engine.translate(expression, schema, 'boolean')
    assert.deepEqual([...named].sort(), ['at', 'date', 'length', 'limit', 'order'])
  })

  test('name fields of structs', async () => {
    const inner = [{ name: 'c', type: 'long', nullable: true, metadata: {} }]
    const struct = { name: 'a', type: { type: 'struct', fields: inner } } as const
    const schema = [{ ...struct, physicalName: 'a', partition: false }]
    const translated = await engine.translate('`a`.`c` > 1', schema, 'boolean')
    assert.deepEqual(translated.columns, ['a'])
    await assert.rejects(engine.translate('a.d > 1', schema, 'boolean'), {
      code: 'DELTA_UNSUPPORTED'
    })
    await assert.rejects(engine.translate('a > 1', schema, 'boolean'), {
      code: 'DELTA_UNSUPPORTED'
    })
    assert.ok(await engine.translate('a IS NOT NULL', schema, 'boolean'))
  })
})
