import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../../src/delta/index.ts'
import { type MemoryDelta, openMemoryDelta } from '../../../helpers/memory-delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const ENABLED = 'delta.enableInCommitTimestamps'
const LOG = 't/_delta_log'
const pad = (version: number): string => String(version).padStart(20, '0')

async function open(delta: MemoryDelta, properties: Record<string, string> = {}) {
  return await DeltaTable.openOrCreate('t', { columns, properties }, delta.ports, delta.options)
}

interface Lines {
  readonly commitInfo?: Record<string, unknown>
  readonly metaData?: { readonly configuration: Record<string, string> }
}

async function linesOf(delta: MemoryDelta, version: number): Promise<Lines[]> {
  const text = Buffer.from(await delta.ports.store.get(`${LOG}/${pad(version)}.json`)).toString()
  return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line)]))
}

/** The in-commit timestamp, which must be in the first line. */
async function timestampOf(delta: MemoryDelta, version: number): Promise<unknown> {
  const [first] = await linesOf(delta, version)
  return first?.commitInfo?.['inCommitTimestamp']
}

describe('In-commit timestamps', () => {
  test('are in each commit from the first on, ascending whatever the clock does', async () => {
    await using delta = await openMemoryDelta()
    const start = delta.now
    const table = await open(delta, { [ENABLED]: 'true' })
    for (const step of [1000, 0, -5000, 10_000]) {
      delta.now += step
      await table.append([{ id: `${step}` }])
    }
    const stamps = [0, 1000, 1001, 1002, 6000].map(ms => start + ms)
    for (const [version, stamp] of stamps.entries()) {
      assert.equal(await timestampOf(delta, version), stamp)
      assert.equal((await table.snapshot(version)).timestamp, stamp)
    }
    const { metadata, protocol } = await table.snapshot()
    assert.deepEqual(Object.keys(metadata.configuration), [ENABLED])
    assert.ok(protocol.writerFeatures?.includes('inCommitTimestamp'))
    assert.deepEqual(
      (await table.history()).map(entry => [entry.timestamp, entry.inCommitTimestamp]),
      stamps.reverse().map(stamp => [stamp, true])
    )
  })

  test('follow those of other writers, after conflicts and from a checkpoint too', async () => {
    await using delta = await openMemoryDelta()
    const a = await open(delta, { [ENABLED]: 'true' })
    const b = await open(delta)
    // The other writer's clock is a day ahead.
    delta.now += 86_400_000
    await b.append([{ id: 'b' }])
    const ahead = delta.now
    delta.now -= 86_400_000
    await Promise.all([a.append([{ id: 'x' }]), b.append([{ id: 'y' }])])
    assert.deepEqual(
      [await timestampOf(delta, 2), await timestampOf(delta, 3)],
      [ahead + 1, ahead + 2]
    )
    await a.checkpoint()
    const anew = await open(delta)
    await anew.append([{ id: 'z' }])
    assert.equal(await timestampOf(delta, 4), ahead + 3)
  })

  test('turned on later say since when, and begin after the file of the commit before', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    delta.now += 5000
    await table.append([{ id: 'a' }])
    delta.now -= 3000
    await table.setProperties({ [ENABLED]: 'true' })
    const stamp = delta.now + 3001
    const actions = await linesOf(delta, 2)
    const configuration = {
      [ENABLED]: 'true',
      'delta.inCommitTimestampEnablementVersion': '2',
      'delta.inCommitTimestampEnablementTimestamp': String(stamp)
    }
    assert.equal(await timestampOf(delta, 2), stamp)
    assert.deepEqual(actions.find(line => line.metaData)?.metaData?.configuration, configuration)
    await table.setProperties({ own: 'x' })
    assert.deepEqual((await table.snapshot()).metadata.configuration, {
      ...configuration,
      own: 'x'
    })
    await table.restore({ version: 2 })
    assert.deepEqual((await table.snapshot()).metadata.configuration, configuration)
    assert.equal(await timestampOf(delta, 4), stamp + 2)
  })
})

describe('Time travel', () => {
  const times = async (table: DeltaTable, at: readonly number[]): Promise<number[]> =>
    await Promise.all(at.map(ms => table.versionAt(ms)))

  test('goes by the times of the commit files, made ascending', async () => {
    await using delta = await openMemoryDelta()
    const start = delta.now
    const table = await open(delta)
    for (const step of [1000, 1000, -1500, 1500]) {
      delta.now += step
      await table.append([{ id: `${step}` }])
    }
    // Files of 0, 1000, 2000, 500 and 2000 ms after the start: the third is taken for one of 2001.
    const at = [0, 999, 1000, 1999, 2000, 2001, 2002].map(ms => start + ms)
    assert.deepEqual(await times(table, at), [0, 0, 1, 1, 2, 3, 4])
    assert.equal((await table.read({ timestamp: start + 1500 })).length, 1)
    assert.equal((await table.snapshot({ timestamp: start + 2000 })).version, 2)
    const refused = {
      code: 'DELTA_VERSION_NOT_FOUND',
      message:
        'memory:/t has no version for 2025-12-31T23:59:59.999000Z: the oldest is version 0 of ' +
        '2026-01-01T00:00:00.000000Z, the newest version 4 of 2026-01-01T00:00:02.002000Z'
    }
    await assert.rejects(table.versionAt(start - 1), refused)
    await assert.rejects(table.versionAt(start + 2003), /no version for 2026-01-01T00:00:02.003/)
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, -1e300, 1e20]) {
      await assert.rejects(table.versionAt(odd), { code: 'DELTA_VERSION_NOT_FOUND' })
    }
  })

  test('goes by in-commit timestamps since the table has them, and by files before', async () => {
    await using delta = await openMemoryDelta()
    const start = delta.now
    const table = await open(delta)
    const append = async (ms: number): Promise<void> => {
      delta.now = start + ms
      await table.append([{ id: `${ms}` }])
    }
    await append(1000)
    await append(2000)
    delta.now = start + 3000
    await table.setProperties({ [ENABLED]: 'true' })
    for (const ms of [4000, 5000, 6000, 7000, 8000]) await append(ms)
    // Copied files have the time of the copy: only the commits themselves know.
    delta.now = start + 60_000
    const { store } = delta.ports
    for (let version = 4; version <= 8; version++) {
      const path = `${LOG}/${pad(version)}.json`
      await store.put(path, await store.get(path))
    }
    const at = [0, 1999, 2000, 2999, 3000, 3999, 4000, 4001, 6500, 7999, 8000].map(ms => start + ms)
    assert.deepEqual(await times(table, at), [0, 1, 2, 2, 3, 3, 4, 4, 6, 7, 8])
    await assert.rejects(
      table.versionAt(start + 8001),
      /newest version 8 of 2026-01-01T00:00:08.000/
    )
  })

  test('reaches back to the oldest version that can be rebuilt', async () => {
    await using delta = await openMemoryDelta()
    const start = delta.now
    const table = await open(delta)
    for (let i = 1; i <= 8; i++) {
      delta.now += 1000
      await table.append([{ id: `${i}` }])
      if (i === 5) await table.checkpoint()
    }
    for (const version of [0, 1, 2]) await delta.ports.store.delete(`${LOG}/${pad(version)}.json`)
    assert.equal(await table.versionAt(start + 5500), 5)
    await assert.rejects(
      table.versionAt(start + 4500),
      /the oldest is version 5 of 2026-01-01T00:00:05/
    )
    assert.equal((await table.read({ timestamp: start + 5000 })).length, 5)
  })
})

describe('The history', () => {
  test('gives what the commits say of themselves, and ends where their files do', async () => {
    await using delta = await openMemoryDelta()
    const table = await open(delta)
    for (let i = 1; i <= 40; i++) await table.append([{ id: `${i}` }])
    const foreign = {
      commitInfo: {
        timestamp: 1234,
        userName: 'ann',
        operation: 'MERGE',
        operationParameters: { predicate: '["x"]', flag: true },
        operationMetrics: { numTargetRowsInserted: '3', n: 4 },
        isolationLevel: 'Serializable',
        isBlindAppend: false,
        engineInfo: 'Apache-Spark/4.0.0',
        txnId: 'abc',
        readVersion: 40
      }
    }
    const add =
      '{"add":{"path":"x","size":1,"partitionValues":{},"modificationTime":1,"dataChange":true}}'
    await delta.ports.store.put(
      `${LOG}/${pad(41)}.json`,
      Buffer.from(`${add}\n${JSON.stringify(foreign)}`)
    )
    await delta.ports.store.put(
      `${LOG}/${pad(42)}.json`,
      Buffer.from('{"commitInfo":{"timestamp":"soon"}}')
    )
    for (let version = 0; version < 3; version++) {
      await delta.ports.store.delete(`${LOG}/${pad(version)}.json`)
    }
    const history = await table.history(1000)
    assert.deepEqual(
      history.map(entry => entry.version),
      Array.from({ length: 40 }, (_, index) => 42 - index)
    )
    assert.deepEqual(history[1], {
      version: 41,
      timestamp: 1234,
      inCommitTimestamp: false,
      operation: 'MERGE',
      parameters: { predicate: '["x"]', flag: true },
      metrics: { numTargetRowsInserted: '3', n: '4' },
      readVersion: 40,
      engine: 'Apache-Spark/4.0.0',
      isBlindAppend: false,
      isolationLevel: 'Serializable',
      txnId: 'abc',
      userName: 'ann'
    })
    assert.deepEqual([history[0]?.timestamp, history[0]?.operation], [undefined, undefined])
    assert.deepEqual([history[2]?.operation, history[2]?.isBlindAppend], ['WRITE', true])
    assert.equal((await table.history(5)).length, 5)
  })
})
