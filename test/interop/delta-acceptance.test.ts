/**
 * The reader tables of delta-incubator/dat (written by Spark), compared by value at every version that
 * comes with its rows; those that need more than this engine has must be refused by name.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta } from '../helpers/delta.ts'

const directory = join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata', 'dat')
const present = existsSync(directory)
if (!present) {
  if (process.env['CI'] === 'true') throw new Error('The DAT tables are missing')
  process.stderr.write('SKIPPED: the DAT tables are not on this machine\n')
}

/** Refused at every version, with the feature that is named. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  column_mapping: /columnMapping/,
  iceberg_compat_v1: /columnMapping/
}
describe('DAT reader tables', { skip: present ? false : 'not on this machine' }, () => {
  const names = present ? readdirSync(directory).sort() : []
  for (const name of names) {
    const versions = readdirSync(join(directory, name, 'expected')).sort()
    for (const version of versions) {
      const refusal = REFUSED[name]
      test(`${name}, ${version}: ${refusal === undefined ? 'the same rows' : 'refused by name'}`, async () => {
        await using delta = await openTestDelta()
        mkdirSync(join(delta.root, 'tables'))
        cpSync(join(directory, name, 'delta'), join(delta.root, 'tables', 't'), { recursive: true })
        const at = version === 'latest' ? {} : { version: Number(version.slice(1)) }
        const target = join(delta.root, 'ours.parquet')
        const read = async (): Promise<number> => {
          const table = await DeltaTable.open('t', delta.ports, delta.options)
          return await table.export(target, 'parquet', at)
        }
        if (refusal !== undefined) {
          await assert.rejects(read, { code: 'DELTA_UNSUPPORTED', message: refusal })
          return
        }
        const rows = await read()
        const content = join(directory, name, 'expected', version, 'table_content', '*.parquet')
        assert.deepEqual(await normalised(target), await normalised(content))
        assert.equal((await normalised(target)).length, rows)
      })
    }
  }
})

/** Rows as sorted JSON texts, each column under its name; instants as microseconds. */
async function normalised(files: string): Promise<string[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const source = `read_parquet('${files}', union_by_name = true)`
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`)
    const columns = described
      .getRows()
      .map(([name, type]) => [String(name), String(type)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const selected = columns.map(([name, type]) => {
      const column = `"${name.replaceAll('"', '""')}"`
      if (type.startsWith('TIMESTAMP')) return `epoch_us(${column}) AS ${column}`
      return type === 'BLOB' ? `hex(${column}) AS ${column}` : column
    })
    const types = columns.map(([name, type]) => `${name} ${type.replace(' WITH TIME ZONE', '')}`)
    const reader = await connection.runAndReadAll(
      `SELECT to_json(r)::VARCHAR FROM (SELECT ${selected.join(', ')} FROM ${source}) r`
    )
    const rows = (reader.getColumns()[0] ?? []).map(String).sort()
    return rows.map(row => `${types.join(', ')}: ${row}`)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
