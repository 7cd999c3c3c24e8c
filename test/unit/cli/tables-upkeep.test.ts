/** Commands that change tables, run against real ones. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'
import { runCli } from '../../helpers/run-cli.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'place', type: 'string', nullable: true }
] as const
const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, place: `p${i % 2}` }))

/** Two files of ten rows: versions 1 and 2. The data directory is the root of `delta`. */
async function twoFiles(delta: TestDelta, partitionBy: readonly string[] = []) {
  const table = await DeltaTable.openOrCreate(
    't',
    { columns, partitionBy },
    delta.ports,
    delta.options
  )
  await table.append(rows(0, 10))
  await table.append(rows(10, 10))
  return table
}

describe('tables restore', () => {
  it('says what it would do, does it, and says what it did', async () => {
    await using delta = await openTestDelta()
    const table = await twoFiles(delta)
    const words = ['tables', 'restore', 't', '--to-version', '1', '--data-dir', delta.root]
    const planned = await runCli(...words, '--dry-run')
    assert.equal(planned.code, 0, planned.err)
    assert.match(
      planned.out,
      /^t: version 1 would be restored; 0 files would come back, 1 would go;/
    )
    assert.equal(await table.countRows(), 20)
    const done = await runCli(...words, '--json')
    assert.equal(done.code, 0, done.err)
    assert.deepEqual(JSON.parse(done.out).version, 3)
    assert.equal(await table.countRows(), 10)
    await table.close()
  })

  it('takes a time in place of a version, for reading and for restoring', async () => {
    await using delta = await openTestDelta()
    const table = await twoFiles(delta)
    const [, older] = await table.history()
    const at = new Date(older?.timestamp ?? 0).toISOString()
    const place = ['--data-dir', delta.root]
    const read = await runCli(
      'tables',
      'read',
      't',
      '--timestamp',
      at,
      '--format',
      'ndjson',
      ...place
    )
    assert.equal(read.code, 0, read.err)
    assert.equal(read.out.trim().split('\n').length, 10)
    const early = await runCli('tables', 'read', 't', '--timestamp', '1999-01-01', ...place)
    assert.equal(early.code, 1)
    const done = await runCli('tables', 'restore', 't', '--to-timestamp', at, '--json', ...place)
    assert.equal(done.code, 0, done.err)
    assert.equal(await table.countRows(), 10)
    for (const words of [
      ['read', 't', '--timestamp', 'yesterday'],
      ['read', 't', '--timestamp', at, '--version', '1'],
      ['restore', 't', '--to-timestamp', at, '--to-version', '1']
    ]) {
      assert.equal((await runCli('tables', ...words, ...place)).code, 2, words.join(' '))
    }
    await table.close()
  })

  it('exits 2 without a version, 1 for one that is not there', async () => {
    await using delta = await openTestDelta()
    const table = await twoFiles(delta)
    const words = ['tables', 'restore', 't', '--data-dir', delta.root]
    const without = await runCli(...words)
    assert.equal(without.code, 2)
    assert.match(without.err, /--to-version N or --to-timestamp TIME is missing/)
    assert.equal((await runCli(...words, '--to-version', '9')).code, 1)
    await table.close()
  })
})

describe('tables optimize', () => {
  it('Z-orders the partitions that are asked for, once', async () => {
    await using delta = await openTestDelta()
    const table = await twoFiles(delta, ['place'])
    const words = ['tables', 'optimize', 't', '--zorder-by', 'id', '--data-dir', delta.root]
    const done = await runCli(...words, '--where', "place = 'p0'")
    assert.equal(done.code, 0, done.err)
    assert.match(done.out, /^t: version 3, 2 files of .* became 1 of/)
    const again = await runCli(...words, '--where', "place = 'p0'")
    assert.match(again.out, /nothing to do/)
    assert.equal(await table.countRows(), 20)
    await table.close()
  })

  it('exits 1 and names the column when it cannot be done', async () => {
    await using delta = await openTestDelta()
    const table = await twoFiles(delta)
    const words = ['tables', 'optimize', 't', '--data-dir', delta.root]
    const wrong = await runCli(...words, '--zorder-by', 'name')
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /there is no column name/)
    const filtered = await runCli(...words, '--where', 'id = 1')
    assert.equal(filtered.code, 1)
    assert.match(filtered.err, /partition columns/)
    await table.close()
  })
})
