/**
 * The reader tables of delta-incubator/dat (written by Spark), compared by value at every version that
 * comes with its rows.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta } from '../helpers/delta.ts'
import { normalised } from '../helpers/parquet-values.ts'

const directory = join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata', 'dat')
const present = existsSync(directory)
if (!present) {
  if (process.env['CI'] === 'true') throw new Error('The DAT tables are missing')
  process.stderr.write('SKIPPED: the DAT tables are not on this machine\n')
}

describe('DAT reader tables', { skip: present ? false : 'not on this machine' }, () => {
  const names = present ? readdirSync(directory).sort() : []
  for (const name of names) {
    const versions = readdirSync(join(directory, name, 'expected')).sort()
    for (const version of versions) {
      test(`${name}, ${version}: the same rows`, async () => {
        await using delta = await openTestDelta()
        mkdirSync(join(delta.root, 'tables'))
        cpSync(join(directory, name, 'delta'), join(delta.root, 'tables', 't'), { recursive: true })
        const at = version === 'latest' ? {} : { version: Number(version.slice(1)) }
        const target = join(delta.root, 'ours.parquet')
        const table = await DeltaTable.open('t', delta.ports, delta.options)
        const rows = await table.export(target, 'parquet', at)
        const content = join(directory, name, 'expected', version, 'table_content', '*.parquet')
        assert.deepEqual(await normalised(target), await normalised(content))
        assert.equal((await normalised(target)).length, rows)
      })
    }
  }

  test('cdf: the changes of every version', async () => {
    await using delta = await openTestDelta()
    const copy = join(delta.root, 'tables', 't')
    cpSync(join(directory, 'cdf', 'delta'), copy, { recursive: true })
    const table = await DeltaTable.open('t', delta.ports, delta.options)
    const before = await table.read({ version: 1 })
    const after = await table.read({ version: 2 })
    const changes = await table.changes({ fromVersion: 0 })
    const of = (version: number, rows: readonly Record<string, unknown>[], type: string) =>
      rows.map(row => JSON.stringify([version, type, row['letter'], row['int'], row['date']]))
    const gone = before.filter(row => !after.some(kept => isDeepStrictEqual(kept, row)))
    assert.equal(gone.length, 4)
    assert.deepEqual(
      changes
        .flatMap(row => of(Number(row['_commit_version']), [row], String(row['_change_type'])))
        .sort(),
      [...of(1, before, 'insert'), ...of(2, gone, 'delete')].sort()
    )
  })
})
