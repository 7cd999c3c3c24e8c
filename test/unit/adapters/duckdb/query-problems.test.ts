/** What a person is told of an expression that DuckDB refuses. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DeltaLake, openDelta } from '../../../../src/delta-package/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const cases: readonly (readonly [where: string, message: RegExp])[] = [
  ['idd = 1', /there is no column idd; near it: "id"/],
  ['place = "p1"', /there is no column p1.*text stands in single quotes/],
  ['t.id = 1', /there is no table t: columns are named alone/],
  ['lower(id) = 1', /there is no lower\(BIGINT\): a cast may help/],
  ['lowr(place) = 1', /there is no function lowr; did you mean "lower"/],
  ['id::strng = 1', /there is no type strng/],
  ['id >', /ends too early/],
  ['lower(place', /ends too early/],
  ['id = 1 AND', /ends too early/],
  ['at > 1', /syntax error at or near ">" \(a column named like a word of SQL/],
  ["id > 'x'", /Could not convert string 'x' to INT64/],
  ['sum(id) > 1', /cannot contain aggregates/],
  ['place > 3', /Cannot compare values of type VARCHAR/],
  ['id IN (SELECT 1)', /without subqueries/]
]

describe('a filter that does not fit', () => {
  let delta: TestDelta
  let lake: DeltaLake
  before(async () => {
    delta = await openTestDelta()
    lake = await openDelta({ root: delta.root })
    const columns = { id: 'long', place: 'string', at: 'long' } as const
    await (await lake.openOrCreate('t', { columns })).append([{ id: 1, place: 'p', at: 1 }])
  })
  after(async () => {
    await lake.close()
    await delta[Symbol.asyncDispose]()
  })

  for (const [where, message] of cases) {
    it(`is told what is wrong with: ${where}`, async () => {
      const table = await lake.open('t')
      await assert.rejects(table.read({ where }), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'DELTA_QUERY_INVALID')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /\n|LINE|Error:|FROM clause/)
        return true
      })
    })
  }
})
