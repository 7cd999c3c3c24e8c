/**
 * A process that merges into one table until it is killed: `writer.ts ROOT NAME SEED`. It prints each
 * batch of keys after its merge was acknowledged.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDb } from '../../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../../src/adapters/system/index.ts'
import { DeltaTable } from '../../../src/delta/index.ts'
import { columns, KEYS, random, rules } from './table.ts'

const [root = '', name = '', seed = '0'] = process.argv.slice(2)
const next = random(Number(seed))
const engine = await openDuckDb({ threads: 1, connections: 1 })
const ports = {
  store: openLocalFiles({ root }),
  engine,
  clock: systemClock(),
  ids: systemIds()
}
const scratch = await mkdtemp(join(tmpdir(), 'delta-writer-'))
const spec = { columns, properties: { 'delta.checkpointInterval': '5' } }
const table = await DeltaTable.openOrCreate('t', spec, ports, { scratch })
process.on('SIGTERM', () => process.exit(0))
for (let round = 0; ; round++) {
  const start = Math.floor(next() * KEYS)
  const shared = Array.from({ length: 20 }, (_, i) => `k${(start + i) % KEYS}`)
  const ids = [...shared, `own ${name} ${seed} ${round}`]
  await table.merge(
    ids.map(id => ({ id, n: round, writer: name })),
    rules
  )
  process.stdout.write(`${JSON.stringify(ids)}\n`)
}
