/**
 * A process that changes one table in all ways that write files: `writer.ts ROOT SCRATCH`. Before each change it
 * prints `BEGIN n` and after it `DONE n ROWS`, with the rows that the table must hold then, by synchronous writes:
 * whoever traces the process sees them in their place among its other calls.
 */
import { writeSync } from 'node:fs'
import { openDuckDb } from '../../../src/adapters/duckdb/index.ts'
import { openLocalFiles } from '../../../src/adapters/local-files/index.ts'
import { systemClock, systemIds } from '../../../src/adapters/system/index.ts'
import { type ColumnSpec, DeltaTable, type MergeRules } from '../../../src/delta/index.ts'

const [root = '', scratch = ''] = process.argv.slice(2)
const columns: ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'n', type: 'long', nullable: true }
]
const rules: MergeRules = { keys: ['id'], policies: new Map([['id', 'key']]) }
const engine = await openDuckDb({ threads: 1, connections: 1 })
const store = openLocalFiles({ root })
const ports = { store, engine, clock: systemClock(), ids: systemIds() }
const spec = {
  columns,
  properties: { 'delta.enableDeletionVectors': 'true', 'delta.checkpointInterval': '3' }
}
const rows = new Map<string, number>()
let step = 0

function say(text: string): void {
  writeSync(1, `${text}\n`)
}

async function change(work: () => Promise<unknown>): Promise<void> {
  say(`BEGIN ${++step}`)
  await work()
  say(`DONE ${step} ${JSON.stringify([...rows])}`)
}

/** Notes the rows and returns them as the table takes them. */
function stored(ids: readonly string[], n: number): { id: string; n: number }[] {
  for (const id of ids) rows.set(id, n)
  return ids.map(id => ({ id, n }))
}

const some = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `k${from + i}`)

let table!: DeltaTable
await change(async () => {
  table = await DeltaTable.openOrCreate('nested/t', spec, ports, { scratch })
})
await change(() => table.append(stored(some(0, 3000), 0)))
await change(() => table.append(stored(some(3000, 20), 1)))
for (let round = 2; round < 8; round++) {
  await change(() => table.merge(stored(some(round * 37, 30), round), rules))
}
await change(() => {
  const gone = some(100, 40)
  for (const id of gone) rows.delete(id)
  return table.merge(
    gone.map(id => ({ id })),
    { ...rules, deleteWhen: () => true }
  )
})
await change(() => table.optimize())
await change(() => table.merge(stored(some(2990, 50), 9), rules))
await change(() => table.setProperties({ 'delta.enableDeletionVectors': 'false' }))
await change(() => table.merge(stored(some(10, 5), 10), rules))
await change(() => table.vacuum({ retentionMs: 0, force: true }))
await change(() => table.checkpoint())
await table.close()
await store.close()
await engine.close()
