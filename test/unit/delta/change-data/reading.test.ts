/**
 * Reading changes: ranges, filters and refusals, on a table that Spark wrote (test/golden). What the rows are
 * is compared with Spark in test/interop/golden.test.ts.
 */
import assert from 'node:assert/strict'
import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseJson } from '../../../../src/core/index.ts'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'
import { unpack } from '../../../helpers/tar.ts'

const archive = join(import.meta.dirname, '../../../golden/tables', 'change-data-feed.tar.zst')
const SECOND = 1_000_000_000_000

/** Versions 1 to 5 of the table, committed a second after each other. */
async function openGolden(
  delta: TestDelta,
  alter: (version: number, text: string) => string = (_, text) => text
): Promise<DeltaTable> {
  unpack(archive, join(delta.root, 'tables'))
  for (let version = 0; version <= 5; version++) {
    const path = logPath(version)
    const text = await readFile(join(delta.root, 'tables', path), 'utf8')
    await delta.ports.store.put(path, Buffer.from(alter(version, text)))
    const seconds = (SECOND + version * 1000) / 1000
    await utimes(join(delta.root, 'tables', path), seconds, seconds)
  }
  return await DeltaTable.open('delta', delta.ports, delta.options)
}

function logPath(version: number): string {
  return `delta/_delta_log/${String(version).padStart(20, '0')}.json`
}

const brief = (rows: readonly Record<string, unknown>[]): string[] =>
  rows.map(row => `${row['_commit_version']} ${row['_change_type']} ${row['id']}${row['s']}`)

test('gives the changes of a range in the order of its versions, with their times', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  const rows = await table.changes({ fromVersion: 2, toVersion: 3 })
  assert.deepEqual(rows, [
    ...(['update_preimage', 'update_postimage'] as const).map(type => ({
      id: 1,
      s: type === 'update_preimage' ? 'a' : 'u',
      p: 1,
      _change_type: type,
      _commit_version: 2,
      _commit_timestamp: BigInt(SECOND + 2000) * 1000n
    })),
    {
      id: 3,
      s: 'c',
      p: 2,
      _change_type: 'delete',
      _commit_version: 3,
      _commit_timestamp: BigInt(SECOND + 3000) * 1000n
    }
  ])
  const versions = (await table.changes({ fromVersion: 0 })).map(row => row['_commit_version'])
  assert.deepEqual(versions, [1, 1, 1, 1, 2, 2, 3, 4, 5, 5, 5])
})

test('filters by any column of the feed, projects and limits', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  const where = "_change_type = 'delete' AND _commit_version > 3"
  assert.deepEqual(
    await table.changes({ fromVersion: 0, where, columns: ['_commit_version', 's'] }),
    [{ _commit_version: 4, s: 'b' }]
  )
  const first = await table.changes({ fromVersion: 1, limit: 6, where: 'id = 1 OR id = 2' })
  assert.deepEqual(brief(first), [
    '1 insert 2b',
    '1 insert 1a',
    '2 update_preimage 1a',
    '2 update_postimage 1u',
    '4 delete 2b'
  ])
  assert.equal((await table.changes({ fromVersion: 0, limit: 5 })).length, 5)
  assert.deepEqual(await table.changes({ fromVersion: 0, limit: 0 }), [])
})

test('finds the versions of a span of time, both ends included', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  const between = async (fromTimestamp: number, toTimestamp: number): Promise<unknown[]> => [
    ...new Set(
      (await table.changes({ fromTimestamp, toTimestamp })).map(row => row['_commit_version'])
    )
  ]
  assert.deepEqual(await between(SECOND + 3000, SECOND + 4000), [3, 4])
  assert.deepEqual(await between(SECOND + 2001, SECOND + 3999), [3])
  assert.deepEqual(await between(0, SECOND + 1500), [1])
  assert.deepEqual(await between(SECOND + 3001, SECOND + 3999), [])
  assert.deepEqual(brief(await table.changes({ fromTimestamp: SECOND + 4500 })), [
    '5 update_preimage 4d',
    '5 update_postimage 4m',
    '5 insert 5m'
  ])
})

test('takes the time in the commit before that of its file', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta, (_, text) =>
    text.replace('"commitInfo":{', '"commitInfo":{"inCommitTimestamp":1700000000123,')
  )
  const [row] = await table.changes({ fromVersion: 5 })
  assert.equal(row?.['_commit_timestamp'], 1_700_000_000_123_000n)
})

test('has nothing after the newest version, and no versions beyond', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  assert.deepEqual(await table.changes({ fromVersion: 6 }), [])
  const missing = { code: 'DELTA_VERSION_NOT_FOUND' }
  await assert.rejects(table.changes({ fromVersion: 7 }), missing)
  await assert.rejects(table.changes({ fromVersion: 0, toVersion: 6 }), missing)
  const invalid = { code: 'DELTA_QUERY_INVALID' }
  await assert.rejects(table.changes({}), invalid)
  await assert.rejects(table.changes({ fromVersion: 1, fromTimestamp: 1 }), invalid)
  await assert.rejects(table.changes({ fromVersion: 3, toVersion: 2 }), invalid)
  await assert.rejects(table.changes({ fromVersion: -1 }), invalid)
  await assert.rejects(table.changes({ fromVersion: 1, columns: ['_commit'] }), invalid)
  await assert.rejects(table.changes({ fromVersion: 1, where: 'nothing = 1' }), invalid)
})

test('names the version whose commit or whose files are gone', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  await table.checkpoint()
  await delta.ports.store.delete(logPath(0))
  await delta.ports.store.delete(logPath(1))
  const missing = { code: 'DELTA_VERSION_NOT_FOUND' }
  await assert.rejects(table.changes({ fromVersion: 1 }), missing)
  assert.equal((await table.changes({ fromVersion: 5 })).length, 3)
  for await (const { path } of delta.ports.store.list('delta/_change_data/p=9')) {
    await delta.ports.store.delete(path)
  }
  await assert.rejects(table.changes({ fromVersion: 5 }), {
    ...missing,
    message: /version 5 .*_change_data\/p=9\/.* is gone/
  })
})

test('refuses versions in which the feed was off, at the beginning of the range or within', async () => {
  for (const off of [0, 3]) {
    await using delta = await openTestDelta()
    const metaData = { configuration: {} as Record<string, string> }
    const table = await openGolden(delta, (version, text) => {
      if (version === 0) Object.assign(metaData, metadataOf(text))
      if (version !== off) return text
      const changed = { ...metaData, configuration: {} }
      if (version === 0) return text.replace(/"configuration":\{[^}]*\}/, '"configuration":{}')
      return `${text}\n${JSON.stringify({ metaData: changed })}`
    })
    await assert.rejects(table.changes({ fromVersion: 1 }), {
      code: 'DELTA_CHANGES_NOT_RECORDED',
      message: new RegExp(`in version ${off === 0 ? 1 : 3}:`)
    })
    if (off === 3) assert.equal((await table.changes({ fromVersion: 1, toVersion: 2 })).length, 6)
  }
})

test('reads over added columns, and refuses a range in which a column was dropped', async () => {
  await using delta = await openTestDelta()
  let metaData = ''
  const withSchema = (change: (schema: string) => string): string => {
    const parsed = parseJson(metaData) as { metaData: { schemaString: string } }
    const schemaString = change(parsed.metaData.schemaString)
    return JSON.stringify({ metaData: { ...parsed.metaData, schemaString } })
  }
  const extra = '{"name":"extra","type":"string","nullable":true,"metadata":{}}'
  const table = await openGolden(delta, (version, text) => {
    if (version === 0) metaData = text.split('\n').find(line => line.includes('metaData')) ?? ''
    if (version === 3) return `${text}\n${withSchema(old => old.replace(/\]\}$/, `,${extra}]}`))}`
    if (version === 5) return `${text}\n${withSchema(old => old.replaceAll('"s"', '"t"'))}`
    return text
  })
  const rows = await table.changes({ fromVersion: 1, toVersion: 4 })
  assert.equal(rows.length, 8)
  assert.ok(rows.every(row => row['extra'] === null))
  assert.ok(!('extra' in ((await table.changes({ fromVersion: 1, toVersion: 2 }))[0] ?? {})))
  await assert.rejects(table.changes({ fromVersion: 1 }), {
    code: 'DELTA_SCHEMA_MISMATCH',
    message: /the column s was renamed or dropped/
  })
  assert.equal((await table.changes({ fromVersion: 5 })).length, 3)
})

test('writes the changes to files in the order of their versions', async () => {
  await using delta = await openTestDelta()
  const table = await openGolden(delta)
  const target = join(delta.root, 'changes.ndjson')
  assert.equal(await table.exportChanges(target, 'ndjson', { fromVersion: 0 }), 11)
  const lines = (await readFile(target, 'utf8')).trim().split('\n')
  const rows = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(brief(rows), brief(await table.changes({ fromVersion: 0 })))
  const csv = join(delta.root, 'changes.csv')
  const columns = ['_commit_version', 'id']
  assert.equal(await table.exportChanges(csv, 'csv', { fromVersion: 0, limit: 6, columns }), 6)
  assert.equal(await readFile(csv, 'utf8'), '_commit_version,id\n1,4\n1,2\n1,1\n1,3\n2,1\n2,1\n')
  assert.equal(await table.exportChanges(csv, 'csv', { fromVersion: 6, columns }), 0)
})

function metadataOf(text: string): Record<string, unknown> {
  const line = text.split('\n').find(one => one.includes('"metaData"')) ?? '{}'
  return (JSON.parse(line) as { metaData: Record<string, unknown> }).metaData
}
