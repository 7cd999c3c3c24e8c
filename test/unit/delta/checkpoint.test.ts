import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { stringifyJson } from '../../../src/core/index.ts'
import { type ColumnSpec, DeltaTable } from '../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'

const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'n', type: 'long', nullable: true }
]
const LOG = 't/_delta_log'
const pad = (number: number, digits = 20): string => String(number).padStart(digits, '0')

/** Puts a checkpoint of several parts, as Spark writes them for large tables, in the place of one file. */
async function splitCheckpoint(delta: TestDelta, version: number, parts: number): Promise<void> {
  const { store, engine } = delta.ports
  const whole = `${LOG}/${pad(version)}.checkpoint.parquet`
  const copy = join(delta.root, 'whole.parquet')
  await writeFile(copy, await store.get(whole))
  const actions = await engine.readCheckpoint([copy])
  assert.ok(actions.length > parts)
  for (let part = 1; part <= parts; part++) {
    const local = join(delta.root, `${part}.parquet`)
    const own = actions.filter((_, index) => index % parts === part - 1)
    await engine.writeCheckpoint(
      local,
      own.map(action => stringifyJson(action))
    )
    const name = `${pad(version)}.checkpoint.${pad(part, 10)}.${pad(parts, 10)}.parquet`
    await store.putFile(`${LOG}/${name}`, local)
  }
  await store.delete(whole)
}

async function tableWithCheckpoint(delta: TestDelta): Promise<number> {
  const table = await DeltaTable.openOrCreate('t', { columns }, delta.ports, delta.options)
  for (let n = 0; n < 4; n++) await table.append([{ id: `k${n}`, n }])
  const version = await table.checkpoint()
  await table.append([{ id: 'later', n: null }])
  await table.close()
  for (let gone = 0; gone <= version; gone++) {
    await delta.ports.store.delete(`${LOG}/${pad(gone)}.json`)
  }
  return version
}

describe('A checkpoint', () => {
  test('of several parts is read as one of a single file', async () => {
    await using delta = await openTestDelta('memory')
    const version = await tableWithCheckpoint(delta)
    const read = async (): Promise<unknown> => {
      const table = await DeltaTable.open('t', delta.ports, delta.options)
      const rows = await table.read()
      const { protocol, metadata, version: newest } = await table.snapshot()
      await table.close()
      return {
        newest,
        protocol,
        metadata,
        rows: rows.sort((a, b) => (`${a['id']}` < `${b['id']}` ? -1 : 1))
      }
    }
    const whole = await read()
    await splitCheckpoint(delta, version, 3)
    assert.deepEqual(await read(), whole)
  })

  test('of which a part is missing is no checkpoint', async () => {
    await using delta = await openTestDelta('memory')
    const version = await tableWithCheckpoint(delta)
    await splitCheckpoint(delta, version, 3)
    await delta.ports.store.delete(
      `${LOG}/${pad(version)}.checkpoint.${pad(2, 10)}.${pad(3, 10)}.parquet`
    )
    await assert.rejects(DeltaTable.open('t', delta.ports, delta.options), {
      code: 'DELTA_LOG_CORRUPT'
    })
  })
})
