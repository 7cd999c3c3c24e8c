/** `tables changes`, run against a table with a change data feed. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'
import { runCli } from '../../helpers/run-cli.ts'

const columns = [
  { name: 'id', type: 'integer', nullable: false },
  { name: 'text', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true }
] as const
const row = (id: number, text: string) => ({ id, text, at: 1_700_000_000_000_000n })

/** Two rows in version 1, one of them changed in version 2. */
async function changed(delta: TestDelta): Promise<void> {
  const properties = { 'delta.enableChangeDataFeed': 'true' }
  const spec = { columns, properties }
  const table = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
  await table.append([row(1, 'a'), row(2, 'b')])
  await table.merge([row(1, 'new')], { keys: ['id'], policies: new Map() })
  await table.close()
}

describe('tables changes', () => {
  it('prints rows as lines of JSON, with times as text', async () => {
    await using delta = await openTestDelta()
    await changed(delta)
    const words = ['tables', 'changes', 't', '--data-dir', delta.root]
    const all = await runCli(...words, '--from', '0')
    assert.equal(all.code, 0, all.err)
    const rows = all.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      rows.map(one => [one._commit_version, one._change_type, one.id, one.text]),
      [
        [1, 'insert', 1, 'a'],
        [1, 'insert', 2, 'b'],
        [2, 'update_preimage', 1, 'a'],
        [2, 'update_postimage', 1, 'new']
      ]
    )
    assert.ok(rows.every(one => one.at === '2023-11-14T22:13:20.000000Z'))
    assert.match(rows[0]._commit_timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    const some = await runCli(
      ...words,
      ...['--from', '0', '--to', '1', '--limit', '1', '--columns', 'text,_change_type']
    )
    assert.equal(some.out, '{"text":"a","_change_type":"insert"}\n')
    const later = await runCli(...words, '--from', '2999-01-01')
    assert.equal(later.code, 0, later.err)
    assert.equal(later.out, '')
    const since = await runCli(...words, '--from', '2001-01-01T00:00:00Z', '--where', 'id = 2')
    assert.equal(since.out.trim().split('\n').length, 1)
  })

  it('prints a table', async () => {
    await using delta = await openTestDelta()
    await changed(delta)
    const words = ['tables', 'changes', 't', '--data-dir', delta.root, '--format', 'table']
    const { code, out } = await runCli(...words, '--from', '2', '--columns', 'id,text,_change_type')
    assert.equal(code, 0)
    assert.match(out, /^id +text +_change_type\n/)
    assert.match(out, /\n1 +new +update_postimage/)
  })

  it('writes files of each format, in the order of the versions', async () => {
    await using delta = await openTestDelta()
    await changed(delta)
    const words = ['tables', 'changes', 't', '--data-dir', delta.root, '--from', '1']
    for (const format of ['csv', 'ndjson', 'parquet']) {
      const out = join(delta.root, `changes.${format}`)
      const { code, err } = await runCli(...words, '--format', format, '--out', out)
      assert.equal(code, 0, err)
      assert.match(err, /^4 rows in /)
      if (format !== 'csv') continue
      const lines = (await readFile(out, 'utf8')).trim().split('\n')
      assert.deepEqual(
        lines.map(line => line.split(',').toSpliced(2, 1).slice(0, 4).join()),
        [
          'id,text,_change_type,_commit_version',
          '1,a,insert,1',
          '2,b,insert,1',
          '1,a,update_preimage,2',
          '1,new,update_postimage,2'
        ]
      )
    }
  })

  it('exits 2 for what it does not understand, 1 for versions without a feed', async () => {
    await using delta = await openTestDelta()
    await changed(delta)
    const words = ['tables', 'changes', 't', '--data-dir', delta.root]
    const wrong: [string[], RegExp][] = [
      [[], /--from N is missing/],
      [['--from', 'yesterday'], /--from must be a version or a time/],
      [['--from', '1', '--format', 'csv'], /--format csv needs --out FILE/],
      [['--from', '1', '--format', 'table', '--out', 'x'], /--out takes --format ndjson/],
      [['--from', '1', '--out', '/none/at/all/x'], /there is no directory/]
    ]
    for (const [more, message] of wrong) {
      const { code, err } = await runCli(...words, ...more)
      assert.equal(code, 2, more.join(' '))
      assert.match(err, message)
    }
    const beyond = await runCli(...words, '--from', '9')
    assert.equal(beyond.code, 1)
    assert.match(beyond.err, /the newest is 2/)
    const plain = await DeltaTable.openOrCreate('u', { columns }, delta.ports, delta.options)
    await plain.close()
    const off = await runCli('tables', 'changes', 'u', '--data-dir', delta.root, '--from', '0')
    assert.equal(off.code, 1)
    assert.match(off.err, /delta\.enableChangeDataFeed/)
  })
})
