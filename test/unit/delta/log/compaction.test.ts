import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { type MemoryDelta, openMemoryDelta } from '../../../helpers/memory-delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const LOG = 't/_delta_log'
const pad = (version: number): string => String(version).padStart(20, '0')
const compacted = (from: number, to: number): string =>
  `${LOG}/${pad(from)}.${pad(to)}.compacted.json`

async function open(delta: MemoryDelta, properties: Record<string, string> = {}) {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

const rare = { 'delta.checkpointInterval': '1000' }

async function contentOf(delta: MemoryDelta, version?: number): Promise<unknown> {
  const table = await DeltaTable.open('t', delta.ports, delta.options)
  const snapshot = await table.snapshot(version === undefined ? {} : { version })
  const { files, transactions, domains, metadata, protocol, timestamp } = snapshot
  return {
    version: snapshot.version,
    files: [...files.keys()].sort(),
    transactions: [...transactions].sort(),
    domains: [...domains].sort(),
    metadata,
    protocol,
    timestamp
  }
}

describe('Compacted commits', () => {
  test('stand for the commits, for every version after them', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, rare)
    for (let i = 1; i <= 30; i++) {
      await table.merge(
        [{ id: `${i % 7}` }, { id: 'same' }],
        {
          keys: ['id'],
          overwrite: true
        },
        { transaction: { appId: `app${i % 3}`, version: i } }
      )
      if (i === 9) await table.setProperties({ own: 'x' })
    }
    const versions = Array.from({ length: 32 }, (_, version) => version)
    const expected = []
    for (const version of versions) expected.push(await contentOf(delta, version))
    await table.compactLog(0, 20)
    await table.compactLog(5, 12)
    await table.compactLog(21, 28)
    for (const version of versions) {
      assert.deepEqual(await contentOf(delta, version), expected[version], `version ${version}`)
    }
    // What they stand for is not read, and need not be there.
    for (const version of [3, 7, 22, 27])
      await delta.ports.store.delete(`${LOG}/${pad(version)}.json`)
    assert.deepEqual(await contentOf(delta), expected[31])
    await assert.rejects(contentOf(delta, 20), { code: 'DELTA_VERSION_NOT_FOUND' })
  })

  test('are passed over when they say of one file several things, as some of Databricks do', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, rare)
    for (let i = 1; i <= 9; i++)
      await table.merge([{ id: 'same' }], { keys: ['id'], overwrite: true })
    const expected = await contentOf(delta)
    const commits = await Promise.all(
      [8, 7, 6, 5, 4, 3, 2].map(version => delta.ports.store.get(`${LOG}/${pad(version)}.json`))
    )
    const lines = Buffer.concat(commits).toString().split('\n')
    const kept = lines.filter(line => line !== '' && !line.includes('commitInfo'))
    assert.ok(new Set(kept).size > 8)
    await delta.ports.store.put(compacted(2, 8), Buffer.from(kept.join('\n')))
    assert.deepEqual(await contentOf(delta), expected)
  })

  test('are passed over for the commits when they are damaged', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, rare)
    for (let i = 1; i <= 12; i++) await table.append([{ id: `${i}` }])
    const expected = await contentOf(delta)
    await delta.ports.store.put(compacted(2, 8), Buffer.from('{"add":'))
    assert.deepEqual(await contentOf(delta), expected)
    await delta.ports.store.delete(`${LOG}/${pad(4)}.json`)
    await assert.rejects(contentOf(delta), { code: 'DELTA_LOG_CORRUPT' })
  })

  test('hold what is about the table, and nothing that is about a commit', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, { 'delta.enableChangeDataFeed': 'true', ...rare })
    await table.append([{ id: 'a' }], { transaction: { appId: 'app', version: 1 } })
    await table.append([{ id: 'b' }], { transaction: { appId: 'app', version: 2 } })
    await table.merge([{ id: 'a' }], { keys: ['id'], deleteWhen: () => true })
    await table.compactLog(1, 3)
    const text = Buffer.from(await delta.ports.store.get(compacted(1, 3))).toString()
    const actions = text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line)]))
    const kinds = new Set(actions.flatMap(action => Object.keys(action)))
    assert.deepEqual([...kinds].sort(), ['add', 'remove', 'txn'])
    assert.equal(actions.find(action => action.txn)?.txn.version, 2)
  })

  test('must be of two versions or more that are there', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    await table.append([{ id: 'a' }])
    for (const [from, to] of [
      [1, 1],
      [1, 0],
      [-1, 1],
      [0, 2],
      [0.5, 1]
    ] as const) {
      await assert.rejects(table.compactLog(from, to), { code: 'DELTA_VERSION_NOT_FOUND' })
    }
  })

  test('are made beside the work where checkpoints are rare, and cleaned up with them', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta, {
      'delta.checkpointInterval': '100',
      'delta.logRetentionDuration': 'interval 1 hour'
    })
    for (let i = 1; i <= 300; i++) {
      delta.now += 60_000
      await table.append([{ id: `${i}` }])
      await table.settled()
      if (i === 99) {
        const names = (await delta.logNames()).filter(name => name.includes('compacted'))
        assert.deepEqual(
          names,
          [
            [1, 32],
            [33, 64],
            [65, 96]
          ].map(([a, b]) => compacted(a ?? 0, b ?? 0).slice(LOG.length + 1))
        )
      }
    }
    const firsts = (await delta.logNames())
      .filter(name => name.includes('compacted'))
      .map(name => Number(name.slice(0, 20)))
    assert.ok(firsts.length > 0 && firsts.every(from => from > 200), `${firsts}`)
    assert.equal((await table.read()).length, 300)
    assert.deepEqual(delta.warnings, [])
  })
})
