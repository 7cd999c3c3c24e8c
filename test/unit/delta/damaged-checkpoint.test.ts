/** A checkpoint says again what the commits say, so a damaged one is no loss while these are there. */
import assert from 'node:assert/strict'
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const

async function filled(delta: TestDelta): Promise<string> {
  const table = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  for (let i = 0; i < 6; i++) {
    await table.append([{ id: String(i) }])
    if (i === 2 || i === 4) await table.checkpoint()
  }
  await table.close()
  return join(delta.root, 'tables', 't', '_delta_log')
}

const checkpoints = (log: string): string[] =>
  readdirSync(log)
    .filter(name => name.endsWith('.checkpoint.parquet'))
    .sort()

async function ids(delta: TestDelta, version?: number): Promise<unknown[]> {
  const table = await DeltaTable.open('t', delta.ports, delta.options)
  const rows = await table.read(version === undefined ? {} : { version })
  await table.close()
  return rows.map(row => row['id']).sort()
}

describe('A damaged checkpoint', () => {
  test('is passed over for an older one, or for the commits', async () => {
    await using delta = await openTestDelta()
    const log = await filled(delta)
    const [older = '', newer = ''] = checkpoints(log)
    const all = ['0', '1', '2', '3', '4', '5']
    truncateSync(join(log, newer), 100)
    assert.deepEqual(await ids(delta), all)
    writeFileSync(join(log, older), 'no Parquet')
    assert.deepEqual(await ids(delta), all)
    assert.deepEqual(await ids(delta, 4), all.slice(0, 4))
  })

  test('is an error when nothing else says what it said', async () => {
    await using delta = await openTestDelta()
    const log = await filled(delta)
    const [older = '', newer = ''] = checkpoints(log)
    for (let version = 0; version <= 5; version++) {
      rmSync(join(log, `${String(version).padStart(20, '0')}.json`))
    }
    truncateSync(join(log, newer), 100)
    rmSync(join(log, older))
    await assert.rejects(ids(delta), {
      code: 'DELTA_LOG_CORRUPT',
      message: new RegExp(`${newer} cannot be read`)
    })
  })
})
