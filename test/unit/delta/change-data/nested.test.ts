/** The change feed of a table with nested columns, which Spark wrote (test/golden). */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { assertReplays } from '../../../helpers/changes.ts'
import { openTestDelta } from '../../../helpers/delta.ts'
import { unpack } from '../../../helpers/tar.ts'

const archive = join(import.meta.dirname, '../../../golden/tables', 'types-nested.tar.zst')

for (const vectors of ['true', 'false']) {
  test(`rows with nested values are told as they were, vectors ${vectors}`, async () => {
    await using delta = await openTestDelta()
    unpack(archive, join(delta.root, 'tables'))
    const table = await DeltaTable.open('delta', delta.ports, delta.options)
    const { version } = await table.snapshot()
    await table.setProperties({
      'delta.enableChangeDataFeed': 'true',
      'delta.enableDeletionVectors': vectors,
      'delta.enableRowTracking': 'true'
    })
    const [first] = await table.read({ limit: 1 })
    const [key = ''] = Object.keys(first ?? {})
    await table.update({
      where: `${key} = ${first?.[key]}`,
      set: { [key]: { sql: `${key} + 1000` } }
    })
    await table.delete({ where: `${key} < 1000` })
    await assertReplays(table, version + 1)
    const rows = await table.read({ rowIds: true })
    assert.equal(new Set(rows.map(row => row['_row_id'])).size, rows.length)
    const target = join(delta.root, 'changes.ndjson')
    const count = await table.exportChanges(target, 'ndjson', { fromVersion: version + 1 })
    assert.equal((await readFile(target, 'utf8')).trim().split('\n').length, count)
  })
}
