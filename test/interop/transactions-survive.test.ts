/**
 * What our log says beside files, `txn` and domains, is there after the upkeep of other engines: their
 * checkpoints, OPTIMIZE, VACUUM and clean-up of old log files. A lost `txn` would have a batch committed twice.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'
import { openWriter, type Work, type Writer } from './foreign/writers.ts'

const DAYS_40 = 40 * 86_400
/** delta-rs does not write to tables with domains. */
const DOMAIN = 'claims.test'
const { python, missing } = await openPython()

describe('transactions and domains survive other engines', { skip: missing ?? false }, () => {
  let delta: TestDelta
  let spark: Writer
  let rs: Writer
  before(async () => {
    assert.ok(python !== undefined)
    delta = await openTestDelta()
    const root = delta.ports.store.root
    spark = await openWriter('spark', root, python)
    rs = await openWriter('rs', root, python)
  })
  after(async () => {
    await spark?.close()
    await rs?.close()
    await delta?.[Symbol.asyncDispose]()
  })

  for (const [what, properties] of [
    ['classic', {}],
    ['v2', { 'delta.checkpointPolicy': 'v2' }]
  ] as const) {
    test(`Spark: a ${what} checkpoint, OPTIMIZE, VACUUM, old commits cleaned up`, async () => {
      const name = `spark-${what}`
      const path = await written(name, true, properties)
      const ask = (request: { do: Work; sql?: string }): Promise<number> =>
        spark.write({ name, path, ...request })
      await ask({ do: 'optimize' })
      agePast(path)
      const set = "SET TBLPROPERTIES ('delta.checkpointInterval' = '1')"
      await ask({ do: 'sql', sql: `ALTER TABLE {table} ${set}` })
      await ask({ do: 'sql', sql: "INSERT INTO {table} VALUES ('of Spark', 1)" })
      await ask({ do: 'vacuum' })
      assert.ok(!existsSync(commit(path, 0)), 'old commits are gone')
      const names = readdirSync(join(path, '_delta_log')).filter(file =>
        file.includes('.checkpoint.')
      )
      assert.equal(
        names.some(file => /checkpoint\.[0-9a-f]{8}-/.test(file)),
        what === 'v2'
      )
      await survived(name, true)
    })
  }

  test('delta-rs: a checkpoint, optimize, vacuum, old commits cleaned up', async () => {
    const name = 'rs'
    const path = await written(name, false)
    agePast(path)
    await rs.write({ do: 'optimize', name, path })
    await rs.write({ do: 'vacuum', name, path })
    await rs.write({ do: 'clean log', name, path })
    assert.ok(!existsSync(commit(path, 0)), 'old commits are gone')
    await survived(name, false)
  })

  /** Four commits of two applications; resolves to where the table lies. */
  async function written(name: string, tracked: boolean, more: object = {}): Promise<string> {
    const properties = { ...(tracked ? { 'delta.enableRowTracking': 'true' } : {}), ...more }
    const columns = [
      { name: 'id', type: 'string', nullable: false },
      { name: 'n', type: 'long', nullable: true }
    ] as const
    const table = await DeltaTable.openOrCreate(
      name,
      { columns, properties },
      delta.ports,
      delta.options
    )
    for (let version = 1; version <= 3; version++) {
      const transaction = { appId: 'ours', version, expected: version === 1 ? null : version - 1 }
      await table.append([{ id: `row ${version}`, n: version }], { transaction })
    }
    const keyed = { keys: ['id'], policies: new Map([['id', 'key'] as const]) }
    const transaction = { appId: 'another', version: 70, expected: null }
    await table.merge([{ id: 'row 1', n: 10 }], keyed, { transaction })
    if (tracked) await table.setDomain(DOMAIN, '{"position":7}')
    await table.close()
    return table.location
  }

  async function survived(name: string, tracked: boolean): Promise<void> {
    const table = await DeltaTable.open(name, delta.ports, delta.options)
    const snapshot = await table.snapshot()
    assert.deepEqual(Object.fromEntries(snapshot.transactions), { ours: 3, another: 70 })
    const kept = snapshot.domains.get(DOMAIN)?.configuration
    assert.equal(kept, tracked ? '{"position":7}' : undefined)
    assert.equal(snapshot.domains.has('delta.rowTracking'), tracked)
    const again = { appId: 'ours', version: 3, expected: 2 }
    const twice = table.append([{ id: 'row 3', n: 3 }], { transaction: again })
    await assert.rejects(twice, { code: 'DELTA_TRANSACTION_CONFLICT' })
    await table.append([{ id: 'row 4', n: 4 }], {
      transaction: { ...again, version: 4, expected: 3 }
    })
    assert.equal(await table.transactionVersion('ours'), 4)
    assert.deepEqual((await table.verify(['id'])).problems, [])
    await table.close()
  }
})

function commit(path: string, version: number): string {
  return join(path, '_delta_log', `${String(version).padStart(20, '0')}.json`)
}

/** Makes all commits look as if they had been written 40 days ago. */
function agePast(path: string): void {
  const time = Date.now() / 1000 - DAYS_40
  for (const file of readdirSync(join(path, '_delta_log'))) {
    if (/^\d{20}\.json$/.test(file)) utimesSync(join(path, '_delta_log', file), time, time)
  }
  assert.ok(readFileSync(commit(path, 0)).length > 0)
}
