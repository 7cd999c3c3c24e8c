/** What becomes of a delete by condition when a rival commits right before it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { many, race, rules } from './race.ts'

for (const vectors of [true, false]) {
  const how = vectors ? 'with vectors' : 'by copying'

  test(`a delete takes rows along that were appended before its commit, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.append(many(30_000, 10)))
      const result = await ours.delete({ where: 'id % 2 = 1 OR id = 30000' })
      assert.deepEqual([result.conflicts, result.deleted], [1, 15_006])
      assert.deepEqual((await ids()).length, 15_004)
      assert.deepEqual(await ids('id % 2 = 1 OR id = 30000'), [])
    }))

  test(`rows that the winner deleted are not counted, those that it changed are looked at again, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(async () => {
        await theirs.merge([{ id: 1 }, { id: 2 }], { ...rules, deleteWhen: () => true })
        await theirs.merge(
          [
            { id: 3, text: 'keep' },
            { id: 500, text: 'gone' }
          ],
          rules
        )
      })
      const result = await ours.delete({ where: "(id < 10 AND text <> 'keep') OR text = 'gone'" })
      assert.equal(result.conflicts, 1)
      assert.equal(result.deleted, 10 - 3 + 1)
      assert.deepEqual(await ids('id < 10 OR id = 500'), [3])
      assert.equal((await ids()).length, 30_000 - 2 - 8)
    }))

  test(`a delete of everything leaves nothing that was there before its commit, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(async () => {
        await theirs.append(many(30_000, 10))
        await theirs.merge([{ id: 1 }], { ...rules, deleteWhen: () => true })
      })
      const result = await ours.delete()
      assert.deepEqual([result.conflicts, result.deleted], [1, 30_009])
      assert.deepEqual(await ids(), [])
    }))

  test(`two deletes at once delete each row once, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      let rival = 0
      before(async () => {
        rival = (await theirs.delete({ where: 'id < 300' })).deleted
      })
      const result = await ours.delete({ where: 'id BETWEEN 200 AND 399' })
      assert.deepEqual([rival, result.deleted, result.conflicts], [300, 100, 1])
      assert.equal((await ids()).length, 29_600)
      const nothing = await ours.delete({ where: 'id < 400' })
      assert.deepEqual([nothing.deleted, nothing.version], [0, result.version])
    }))

  test(`a delete finds nothing left when the winner deleted the same, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.delete({ where: 'id % 3 = 0' }))
      const result = await ours.delete({ where: 'id % 3 = 0' })
      assert.deepEqual([result.deleted, result.filesMarked, result.filesAdded], [0, 0, 0])
      assert.equal((await ids()).length, 20_000)
    }))

  test(`files that the winner joined are searched again, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(() => theirs.optimize())
      const result = await ours.delete({ where: 'id % 3 = 0' })
      assert.deepEqual([result.conflicts, result.deleted], [1, 10_000])
      assert.equal((await ids()).length, 20_000)
    }))

  test(`rows that a restore brought back are deleted too, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      const { version } = await theirs.snapshot()
      await theirs.delete({ where: 'id < 100' })
      before(() => theirs.restore({ version }))
      const result = await ours.delete({ where: 'id < 200' })
      assert.deepEqual([result.conflicts, result.deleted], [1, 200])
      assert.equal((await ids()).length, 29_800)
    }))

  test(`a delete starts anew when the schema or a property changes, ${how}`, () =>
    race(vectors, async ({ ours, theirs, before, ids }) => {
      before(async () => {
        await theirs.addColumns([{ name: 'more', type: 'string', nullable: true }])
        await theirs.setProperties({ 'delta.enableDeletionVectors': String(!vectors) })
      })
      const result = await ours.delete({ where: 'id % 3 = 0' })
      assert.deepEqual([result.conflicts, result.deleted], [1, 10_000])
      assert.equal(result.filesMarked, vectors ? 0 : 2)
      assert.equal((await ids()).length, 20_000)
    }))
}

test('a delete is refused when the table became append-only meanwhile', () =>
  race(true, async ({ ours, theirs, before, ids }) => {
    before(() => theirs.setProperties({ 'delta.appendOnly': 'true' }))
    await assert.rejects(ours.delete({ where: 'id < 3' }), { code: 'DELTA_UNSUPPORTED' })
    assert.equal((await ids()).length, 30_000)
  }))
