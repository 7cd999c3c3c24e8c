/** What becomes of an update by condition when a rival commits right before it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { many, race, rules } from './race.ts'

for (const vectors of [true, false]) {
  const how = vectors ? 'with vectors' : 'by copying'

  test(`an update takes rows along that were appended before its commit, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.append(many(30_000, 10)))
      const result = await ours.update({ where: 'id % 2 = 1', set: { text: 'odd' } })
      assert.deepEqual([result.conflicts, result.updated], [1, 15_005])
      assert.equal((await ids("text = 'odd'")).length, 15_005)
      assert.equal((await ids()).length, 30_010)
    }))

  test(`an update brings no row back that the winner deleted or changed, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(async () => {
        await theirs.delete({ where: 'id < 5' })
        await theirs.merge([{ id: 6, text: 'theirs' }], rules)
        await theirs.update({ where: 'id = 7', set: { text: 'theirs' } })
      })
      const result = await ours.update({
        where: "id < 10 AND text <> 'theirs'",
        set: { text: { sql: "text || '!'" } }
      })
      assert.deepEqual([result.conflicts, result.updated], [1, 3])
      assert.deepEqual(await ids('id < 10'), [5, 6, 7, 8, 9])
      assert.deepEqual(await ids("text LIKE '%!'"), [5, 8, 9])
    }))

  test(`rows that were written stay right when the winner deletes others of their file, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.delete({ where: 'id BETWEEN 100 AND 300' }))
      const result = await ours.update({ where: 'id < 50', set: { text: 'set' } })
      assert.deepEqual([result.conflicts, result.updated], [1, 50])
      // With vectors only the vector is made again.
      if (vectors) assert.ok(result.bytesWasted < 1000, `${result.bytesWasted} bytes`)
      assert.equal((await ids()).length, 30_000 - 201)
      assert.equal((await ids("text = 'set'")).length, 50)
    }))

  test(`two updates at once add up, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      const add = { text: { sql: "text || '+'" } }
      before(() => theirs.update({ where: 'id < 20', set: add }))
      const result = await ours.update({ where: 'id BETWEEN 10 AND 29', set: add })
      assert.deepEqual([result.conflicts, result.updated], [1, 20])
      assert.equal((await ids("text LIKE '%++'")).length, 10)
      assert.equal((await ids("text LIKE '%+'")).length, 30)
    }))

  test(`an update of all rows after the files were joined, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.optimize())
      const result = await ours.update({ set: { text: null } })
      assert.deepEqual([result.conflicts, result.updated], [1, 30_000])
      assert.equal((await ids('text IS NULL')).length, 30_000)
    }))

  test(`an update is checked against the schema that it is committed on, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.addColumns([{ name: 'more', type: 'string', nullable: true }]))
      const set = { text: { sql: "coalesce(more, 'none')" } }
      await assert.rejects(ours.update({ where: 'id = 1', set }), { code: 'DELTA_QUERY_INVALID' })
      await theirs.addColumns([{ name: 'more', type: 'string', nullable: true }])
      before(() => theirs.addColumns([{ name: 'even', type: 'string', nullable: true }]))
      const result = await ours.update({ where: 'id = 1', set })
      assert.deepEqual([result.conflicts, result.updated], [1, 1])
      assert.deepEqual(await ids("text = 'none'"), [1])
    }))
}
