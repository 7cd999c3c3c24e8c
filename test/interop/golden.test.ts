/**
 * The golden tables of `test/golden/tables`, written by Spark and by delta-rs: at each version that comes
 * with its rows ours reads the same schema and rows, and of each change feed the same changes; what we do not support is refused by its name.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../src/delta/index.ts'
import { changesOf, type Reading, readingOf } from '../helpers/canonical.ts'
import { openTestDelta } from '../helpers/delta.ts'
import { unpack } from '../helpers/tar.ts'

interface Expected {
  readonly refused?: string
  readonly latest: number
  readonly versions: Readonly<Record<string, Reading>>
  readonly changes?: Reading & { readonly from: number }
  readonly txn?: Readonly<Record<string, number>>
  readonly domains?: readonly string[]
}

const directory = join(import.meta.dirname, '..', 'golden', 'tables')

describe('golden tables of our own', () => {
  for (const archive of readdirSync(directory).sort()) {
    const name = archive.slice(0, -'.tar.zst'.length)
    test(name, async () => {
      await using delta = await openTestDelta()
      unpack(join(directory, archive), join(delta.root, 'tables'))
      const file = join(delta.root, 'tables', 'expected.json')
      const expected = JSON.parse(readFileSync(file, 'utf8')) as Expected
      const open = (): Promise<DeltaTable> => DeltaTable.open('delta', delta.ports, delta.options)
      if (expected.refused !== undefined) {
        const refused = async (): Promise<unknown> => await (await open()).read()
        await assert.rejects(refused, { message: new RegExp(expected.refused) })
        return
      }
      const table = await open()
      const newest = await table.snapshot()
      assert.equal(newest.version, expected.latest)
      for (const [version, theirs] of Object.entries(expected.versions)) {
        const ours = await readingOf(table, join(delta.root, 'rows.parquet'), Number(version))
        assert.deepEqual(withoutNullability(ours), withoutNullability(theirs), `version ${version}`)
      }
      if (expected.changes !== undefined) {
        const { from, ...theirs } = expected.changes
        const ours = await changesOf(table, join(delta.root, 'changes.parquet'), from)
        assert.deepEqual(withoutNullability(ours), withoutNullability(theirs), 'changes')
      }
      for (const [app, version] of Object.entries(expected.txn ?? {})) {
        assert.equal(newest.transactions.get(app), version)
      }
      for (const domain of expected.domains ?? []) assert.ok(newest.domains.has(domain))
      await table.close()
    })
  }
})

/** Spark reads every column as one that can be null. */
function withoutNullability({ schema, rows }: Reading): Reading {
  return { schema: schema.map(field => field.replaceAll('!', '')), rows }
}
