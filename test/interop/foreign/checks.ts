/** What must hold once the writers are done: nothing lost, nothing doubled, all engines agree. */
import { join } from 'node:path'
import { DeltaTable } from '../../../src/delta/index.ts'
import { readingOf } from '../../helpers/canonical.ts'
import type { TestDelta } from '../../helpers/delta.ts'
import type { Judge } from '../../helpers/judges.ts'
import { SEED_ROWS } from './model.ts'
import type { Scene } from './rounds.ts'

type Reader = (path: string, version: number) => ReturnType<Judge['readSome']>

/** Sentences, one a difference. */
export async function problemsOf(
  scene: Scene,
  delta: TestDelta,
  readers: ReadonlyMap<string, Reader>,
  older: readonly number[]
): Promise<string[]> {
  const problems: string[] = []
  const table = await DeltaTable.open(scene.name, delta.ports, delta.options)
  const { version } = await table.snapshot()
  problems.push(...(await table.verify(['id'])).problems)
  await compareWithModels(scene, table, problems)
  for (const at of [...older, version]) {
    const ours = await readingOf(table, join(delta.root, 'ours.parquet'), at)
    const text = ours.schema.indexOf('"text":string')
    const touched = ours.rows.filter(row => Array.isArray(row) && row[text] !== null)
    const expected = answerText(ours.schema, touched, ours.rows.length)
    const readings = [...readers].map(async ([name, read]) => {
      const theirs = await read(scene.path, at)
      const found = answerText(theirs.schema, theirs.rows, theirs.total)
      if (found !== expected)
        problems.push(`version ${at}: ${name} ${firstDifference(found, expected)}`)
    })
    await Promise.all(readings)
  }
  await table.close()
  return problems
}

async function compareWithModels(
  scene: Scene,
  table: DeltaTable,
  problems: string[]
): Promise<void> {
  const rows = await table.read({ where: 'text IS NOT NULL' })
  const total = await table.countRows()
  let own = 0
  for (const [name, model] of scene.models) {
    own += model.own.size
    const stored = rows.filter(row => row['writer'] === name)
    const found = new Map(stored.map(row => [String(row['id']), Number(row['n'])]))
    problems.push(...missing(`rows of ${name}`, model.own, found))
    const touched = rows.filter(row => row['writer'] === 'seed' && row[name] !== null)
    const counters = new Map(touched.map(row => [String(row['id']), Number(row[name])]))
    problems.push(...missing(`counters of ${name}`, model.shared, counters))
    const txn = (await table.transactionVersion(`app of ${name}`)) ?? 0
    if (txn !== model.txn) problems.push(`the txn of ${name} is ${txn}, not ${model.txn}`)
  }
  if (total !== SEED_ROWS + own) problems.push(`${total} rows, not ${SEED_ROWS + own}`)
}

function missing(
  what: string,
  expected: ReadonlyMap<string, number>,
  found: ReadonlyMap<string, number>
): string[] {
  const keys = [...new Set([...expected.keys(), ...found.keys()])]
  return keys
    .filter(key => expected.get(key) !== found.get(key))
    .map(key => `${what}: ${key} is ${found.get(key)}, not ${expected.get(key)}`)
}

function answerText(schema: readonly string[], rows: readonly unknown[], total: number): string {
  const lines = rows.map(row => JSON.stringify(row)).sort()
  return [schema.map(field => field.replace('!', '')).join(', '), total, ...lines].join('\n')
}

function firstDifference(found: string, expected: string): string {
  const theirs = found.split('\n')
  const ours = expected.split('\n')
  const at = theirs.findIndex((line, index) => line !== ours[index])
  return `has ${theirs[at]} where ours has ${ours[at]}`
}
