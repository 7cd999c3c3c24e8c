/**
 * A process of ours that writes beside other engines: `our-writer.ts ROOT`. Tables stay open from one
 * request to the next, as in a worker; requests as writers.ts describes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openDuckDb } from '../../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../../src/adapters/system/index.ts'
import { DeltaTable, type MergeRules } from '../../../src/delta/index.ts'
import type { WriteRequest } from './writers.ts'

const [root = ''] = process.argv.slice(2)
const own = await mkdtemp(join(tmpdir(), 'foreign-ours-'))
const engine = await openDuckDb({ threads: 1, connections: 1 })
const store = openLocalFiles({ root })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
const options = { scratch: join(own, 'scratch'), indexDirectory: join(own, 'index') }
const tables = new Map<string, DeltaTable>()

process.stdout.write('{"ready":true}\n')
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch((error: Error) => ({ error: error.stack }))
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
for (const table of tables.values()) await table.close()
await engine.close()
await store.close()
await rm(own, { recursive: true, force: true })

async function answer(request: WriteRequest): Promise<object> {
  const { name, rows = [], columns = [], ids = [], txn } = request
  const table = tables.get(name) ?? (await DeltaTable.open(name, ports, options))
  tables.set(name, table)
  // The newest transaction of the application is asked for, as after a restart.
  const expected = txn === undefined ? undefined : await table.transactionVersion(txn.appId)
  const more = txn === undefined ? {} : { transaction: { ...txn, expected: expected ?? null } }
  const rules: MergeRules = {
    keys: ['id'],
    policies: new Map(columns.map(column => [column, column === 'id' ? 'key' : 'coalesce']))
  }
  if (request.do === 'append') return { retries: (await table.append(rows, more)).conflicts }
  if (request.do === 'merge') return { retries: (await table.merge(rows, rules, more)).conflicts }
  if (request.do === 'delete') {
    const gone = ids.map(id => ({ id }))
    return { retries: (await table.merge(gone, { ...rules, deleteWhen: () => true })).conflicts }
  }
  if (request.do === 'optimize') return { retries: (await table.optimize()).lost }
  if (request.do === 'vacuum') return { retries: 0, files: (await table.vacuum()).files }
  if (request.do === 'checkpoint') return { retries: 0, version: await table.checkpoint() }
  throw new Error(`Ours is not asked to ${request.do}`)
}
