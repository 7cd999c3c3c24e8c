/** `tables show` and `tables history` on tables of every kind, and what a new user gets wrong. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DeltaTable, type TableSpec } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'
import { runCli } from '../../helpers/run-cli.ts'

const spec: TableSpec = {
  name: 'things',
  description: 'What there is.',
  columns: [
    { name: 'id', type: 'integer', nullable: false, comment: 'as counted' },
    { name: 'place', type: 'string' }
  ],
  partitionBy: ['place'],
  properties: { 'delta.enableDeletionVectors': 'true', owner: 'us' }
}

/** Twelve merges of one row, so that there is a checkpoint at 10; one row then deleted by a vector. */
async function makeTable(delta: TestDelta): Promise<string> {
  await using table = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
  const many = Array.from({ length: 5000 }, (_, i) => ({ id: 100 + i, place: 'p' }))
  const transaction = { appId: 'loader', version: 7 }
  await table.append(many, { transaction })
  for (let id = 0; id < 10; id++) await table.merge([{ id, place: 'p' }], { keys: ['id'] })
  const rules = { keys: ['id', 'place'], deleteWhen: () => true }
  await table.merge([{ id: 101, place: 'p' }], rules)
  await table.settled()
  return join(delta.root, 'tables/t')
}

describe('tables show', () => {
  it('says what the table is, its protocol, size, log and newest commits', async () => {
    await using delta = await openTestDelta()
    const path = await makeTable(delta)
    const { code, out, err } = await runCli('tables', 'show', path)
    assert.equal(code, 0, err)
    for (const part of [
      `at ${path}`,
      'named things',
      'What there is.',
      'version 12, 5,009 rows',
      '1 deleted rows marked in 1 of them',
      'protocol: reader 3, writer 7',
      'readers need: deletionVectors',
      'partitioned by: place',
      'owner=us',
      'transactions: loader=7',
      'log: 13 commits from version 0, checkpoints at 10'
    ]) {
      assert.ok(out.includes(part), `${part}\n${out}`)
    }
    assert.match(out, /^id +integer +not null +as counted$/m)
    // The newest commit is the first of ten.
    const commits = out.slice(out.indexOf('VERSION')).trim().split('\n').slice(1)
    assert.equal(commits.length, 10)
    assert.match(commits[0] ?? '', /^ +12 .* MERGE .*numTargetRowsDeleted=1/)
  })

  it('prints the same as JSON', async () => {
    await using delta = await openTestDelta()
    const { out } = await runCli('tables', 'show', await makeTable(delta), '--json')
    const shown = JSON.parse(out)
    assert.equal(shown.name, 't')
    assert.equal(shown.title, 'things')
    assert.deepEqual(shown.log, { oldestVersion: 0, commits: 13, checkpoints: [10] })
    assert.deepEqual(shown.deletionVectors, { files: 1, rows: 1 })
    assert.deepEqual(shown.protocol.readerFeatures, ['deletionVectors'])
    assert.equal(shown.history[0].version, 12)
  })
})

describe('tables history', () => {
  it('prints as many commits as are asked for, as text and as JSON', async () => {
    await using delta = await openTestDelta()
    const path = await makeTable(delta)
    const text = await runCli('tables', 'history', path, '--limit', '2')
    assert.equal(text.out.trim().split('\n').length, 3)
    const all = JSON.parse((await runCli('tables', 'history', path, '--json')).out)
    assert.deepEqual(
      all.map((entry: { version: number }) => entry.version),
      Array.from({ length: 13 }, (_, i) => 12 - i)
    )
    assert.equal(all.at(-1).operation, 'CREATE TABLE')
    assert.equal((await runCli('tables', 'history', path, '--limit', '0')).code, 2)
  })
})

describe('a table that is named wrongly', () => {
  it('is told by what is there instead', async () => {
    await using delta = await openTestDelta()
    const path = await makeTable(delta)
    const tables = join(delta.root, 'tables')
    const empty = join(delta.root, 'empty')
    const file = join(delta.root, 'file')
    await mkdir(empty)
    await writeFile(file, '')
    for (const [words, message] of [
      [[tables], /no folder _delta_log\. Tables in it: t\./],
      [[empty], /no folder _delta_log\.$/m],
      [[file], /is a file; a Delta table is a directory/],
      [[`${path}x`], /There is no Delta table at .*tx\./],
      [
        ['tt', '--data-dir', delta.root],
        /no Delta table "tt" in .*tables, nor at .*\. Tables there: t\./
      ]
    ] as const) {
      const { code, err } = await runCli('tables', 'read', ...words)
      assert.equal(code, 1)
      assert.match(err, message)
      assert.match(err, /To do: .*\[DELTA_TABLE_NOT_FOUND\]/)
    }
  })
})

describe('options that are given wrongly', () => {
  it('are told before any work, with exit code 2', async () => {
    await using delta = await openTestDelta()
    const path = await makeTable(delta)
    for (const [words, message] of [
      [
        ['--version', '-1'],
        /--version needs a value; one that begins with "-" is written --version=/
      ],
      [['--version=-1'], /--version must be a whole number at least 0, not "-1"/],
      [['--where', ''], /--where is empty/],
      [['--columns', ''], /--columns is empty/],
      [['--out', delta.root], /--out .*: it is a directory/],
      [['--out', join(delta.root, 'no/x')], /there is no directory .*no/]
    ] as const) {
      const { code, err, out } = await runCli('tables', 'read', path, ...words)
      assert.equal(code, 2, err)
      assert.match(err, message)
      assert.equal(out, '')
    }
  })
})
