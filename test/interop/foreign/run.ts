/**
 * `node test/interop/foreign/run.ts --minutes 5 --seed 1`: foreign writers beside ours for as long as
 * wanted, on a table that copies files, one with deletion vectors, one whose old log is cleaned up under
 * the writers. Exits 1 when anything is lost, doubled or read differently.
 */
import { parseArgs } from 'node:util'
import { openTestDelta } from '../../helpers/delta.ts'
import { openPython } from '../../helpers/python.ts'
import { Random } from '../generated/random.ts'
import { openCompany, playAndCheck } from './play.ts'
import type { Round } from './rounds.ts'
import type { Work } from './writers.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false }
  }
})
const seed = Number(values.seed)
const TABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'copied files': { 'delta.checkpointInterval': '7' },
  'deletion vectors': { 'delta.enableDeletionVectors': 'true', 'delta.checkpointInterval': '10' },
  'cleaned log': {
    'delta.enableDeletionVectors': 'true',
    'delta.logRetentionDuration': 'interval 3 seconds',
    'delta.checkpointInterval': '10'
  }
}

/** Rounds until the time is over; one of them adds the column. */
function* rounds(until: number, random: Random, cleaned: boolean): Generator<Round> {
  const spark: Work[] = ['merge', 'merge', 'append', 'delete', 'optimize', 'vacuum']
  const others: Work[] = ['optimize', 'vacuum', 'checkpoint']
  for (let count = 0; count < 3 || performance.now() < until; count++) {
    const also = [
      { writer: random.pick(['ours_1', 'ours_2'] as const), work: random.pick(others) },
      { writer: 'rs' as const, work: cleaned ? 'clean log' : random.pick(others) }
    ]
    yield { spark: count === 2 ? 'add a column' : random.pick(spark), also }
  }
}

const { python, missing } = await openPython()
if (python === undefined) throw new Error(missing)
const delta = await openTestDelta()
const company = await openCompany(delta, python)
let failed = 0
try {
  const share = (Number(values.minutes) * 60_000) / Object.keys(TABLES).length
  for (const [name, properties] of Object.entries(TABLES)) {
    const cleaned = name === 'cleaned log'
    const { problems, report, scene } = await playAndCheck(company, {
      name: name.replace(' ', '-'),
      properties,
      rounds: rounds(performance.now() + share, new Random(seed), cleaned),
      seed
    })
    if (values.verbose) console.log(scene.events.join('\n'))
    console.log(`${name}: ${JSON.stringify(report)}`)
    for (const problem of problems) console.log(`  ${problem}`)
    failed += problems.length
  }
} finally {
  await company.close()
  await delta[Symbol.asyncDispose]()
}
process.exitCode = failed === 0 ? 0 : 1
