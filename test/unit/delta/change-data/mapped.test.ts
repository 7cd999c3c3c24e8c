/** The change feed and row ids of tables whose columns have other names in files. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { assertReplays } from '../../../helpers/changes.ts'
import { openTestDelta } from '../../../helpers/delta.ts'
import { assertTracked } from '../../../helpers/row-ids.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'text', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const rows = (from: number, count: number, text?: string) =>
  Array.from({ length: count }, (_, i) => {
    const id = from + i
    return { id, place: 'x', text: text ?? `${(id * 2_654_435_761) % 999_983}` }
  })

for (const mode of ['name', 'id']) {
  for (const vectors of ['true', 'false']) {
    test(`changes are told and ids kept with columns mapped by ${mode}, vectors ${vectors}`, async () => {
      await using delta = await openTestDelta()
      const properties = {
        'delta.columnMapping.mode': mode,
        'delta.enableChangeDataFeed': 'true',
        'delta.enableDeletionVectors': vectors,
        'delta.enableRowTracking': 'true'
      }
      const spec = { columns, partitionBy: ['place'], properties }
      const table = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
      await table.append(rows(0, 3000))
      await table.merge([...rows(0, 3, 'new'), { id: 9, place: 'y', text: 'moved' }], rules)
      await table.merge(rows(10, 5), { ...rules, deleteWhen: () => true })
      await assertTracked(table, 'id', 1)
      await table.renameColumn(['text'], 'words')
      await table.merge([{ id: 1, place: 'x', words: 'renamed' }], { ...rules, overwrite: true })
      await table.optimize({ deletedPart: 0 })
      await table.delete({ where: 'id > 2900' })
      await table.update({ where: 'id < 5', set: { words: 'set', place: 'z' } })
      await assertTracked(table, 'id', 4)
      await assertReplays(table, 5)
      await assert.rejects(table.changes({ fromVersion: 1 }), { code: 'DELTA_SCHEMA_MISMATCH' })
      const before = await table.changes({ fromVersion: 1, toVersion: 3 })
      assert.equal(before.length, 3000 + 8 + 5)
      const paths = await Array.fromAsync(delta.ports.store.list('t/_change_data/'))
      assert.ok(paths.every(({ path }) => !path.includes('__HIVE_DEFAULT_PARTITION__')))
    })
  }
}
