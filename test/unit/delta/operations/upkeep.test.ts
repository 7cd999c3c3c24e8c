import assert from 'node:assert/strict'
import { readdirSync, utimesSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Row } from '../../../../src/core/index.ts'
import { DeltaTable, type MergeRules } from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'note', type: 'string', nullable: true }
] as const
const rules: MergeRules = { keys: ['id'], policies: new Map() }
const rows = (from: number, count: number, note: string): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    id: String(from + i).padStart(6, '0'),
    place: `p${(from + i) % 2}`,
    note
  }))

async function create(delta: TestDelta, partitionBy: readonly string[] = []): Promise<DeltaTable> {
  const properties = { 'delta.enableDeletionVectors': 'true' }
  return await DeltaTable.openOrCreate(
    't',
    { columns, partitionBy, properties },
    delta.ports,
    delta.options
  )
}

const dataFiles = (delta: TestDelta): string[] =>
  readdirSync(join(delta.root, 'tables', 't'), { recursive: true })
    .map(String)
    .filter(name => /^(?!_delta_log).*\.(parquet|bin)$/.test(name))
    .sort()

/** As if all files had been written an hour ago. */
function age(delta: TestDelta): void {
  const then = Date.now() / 1000 - 3600
  for (const name of dataFiles(delta)) utimesSync(join(delta.root, 'tables', 't', name), then, then)
}

describe('Optimize', () => {
  test('joins small files and drops deleted rows, and nothing else changes', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    for (let i = 0; i < 3; i++) await table.append(rows(i * 20_000, 20_000, 'old'))
    await table.merge(rows(500, 1200, 'new'), rules)
    const before = await table.read()
    const result = await table.optimize()
    assert.equal(result.filesAdded, 1)
    assert.equal(result.rowsPurged, 1200)
    const { files, version } = await table.snapshot()
    assert.equal(files.size, 1)
    assert.equal([...files.values()][0]?.deletionVector, undefined)
    const byId = (list: readonly Record<string, unknown>[]): unknown[] =>
      [...list].sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1))
    assert.deepEqual(byId(await table.read()), byId(before))
    assert.deepEqual((await table.verify(['id'])).problems, [])
    assert.equal((await table.optimize()).version, version)
    await table.close()
  })

  test('keeps partitions apart and leaves large files alone', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta, ['place'])
    for (let i = 0; i < 3; i++) await table.append(rows(i * 100, 100, 'old'))
    assert.equal((await table.snapshot()).files.size, 6)
    assert.equal((await table.optimize({ targetFileBytes: 100 })).filesRemoved, 0)
    await table.optimize()
    assert.equal((await table.snapshot()).files.size, 2)
    assert.equal(await table.countRows(), 300)
    assert.equal((await table.read({ where: "place = 'p1'" })).length, 150)
    await table.close()
  })

  test('gives up what a merge changed meanwhile', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    const rival = await DeltaTable.open('t', delta.ports, delta.options)
    for (let i = 0; i < 4; i++) await table.append(rows(i * 1000, 1000, 'old'))
    const [, merged] = await Promise.all([
      table.optimize(),
      rival.merge(rows(900, 200, 'new'), rules)
    ])
    assert.equal(merged.inserted, 0)
    assert.equal(merged.updated, 200)
    assert.equal((await table.read({ where: "note = 'new'" })).length, 200)
    assert.equal(await table.countRows(), 4000)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
    await rival.close()
  })
})

describe('Vacuum', () => {
  test('deletes what no version within the retention needs, and says so before', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 20_000, 'old'))
    await table.merge(rows(0, 1400, 'new'), rules)
    const young = dataFiles(delta)
    await table.optimize()
    age(delta)
    const options = { retentionMs: 0, force: true }
    const planned = await table.vacuum({ ...options, dryRun: true })
    assert.deepEqual([...planned.files].sort(), young)
    assert.equal(dataFiles(delta).length, young.length + 1)
    const result = await table.vacuum(options)
    assert.deepEqual(result.files, planned.files)
    assert.equal(dataFiles(delta).length, 1)
    assert.equal(await table.countRows(), 20_000)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
  })

  test('keeps active files and their vectors, young files, and names of tools', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    await table.append(rows(0, 20_000, 'old'))
    await table.merge(rows(0, 1400, 'new'), rules)
    age(delta)
    const directory = join(delta.root, 'tables', 't')
    for (const name of ['_tool', '.hidden', 'orphan.parquet']) {
      await writeFile(join(directory, name), 'x')
      utimesSync(join(directory, name), 1, 1)
    }
    await writeFile(join(directory, 'about-to-be-committed.parquet'), 'x')
    const { files } = await table.vacuum({ retentionMs: 1_800_000, force: true })
    assert.deepEqual(files, ['orphan.parquet'])
    assert.equal((await table.read({ where: "note = 'new'" })).length, 1400)
    assert.ok(readdirSync(directory).includes('about-to-be-committed.parquet'))
    await table.close()
  })

  test('refuses a retention that is unsafe or that the log cannot keep', async () => {
    await using delta = await openTestDelta()
    const table = await create(delta)
    const message = /keeps removed files for 168 hours; with 1 hours/
    await assert.rejects(table.vacuum({ retentionMs: 3_600_000 }), {
      code: 'DELTA_RETENTION',
      message
    })
    const longer = { retentionMs: 3_600_000 * 1000, force: true }
    await assert.rejects(table.vacuum(longer), { code: 'DELTA_RETENTION', message: /remembers/ })
    await table.close()
  })
})
