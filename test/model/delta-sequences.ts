/**
 * Plays histories of a table and says for which seeds the engine and the model differ:
 *
 *   node test/model/delta-sequences.ts --sequences 10000 --seed 1
 *   node test/model/delta-sequences.ts --sequences 1 --seed 4711     # one again, told in detail
 */
import { parseArgs } from 'node:util'
import { playSeeds } from './delta-sequences/seeds.ts'

const { values } = parseArgs({
  options: {
    sequences: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '86400' },
    failures: { type: 'string', default: '5' }
  }
})

const report = await playSeeds({
  first: Number(values.seed),
  count: Number(values.sequences),
  seconds: Number(values.seconds),
  failures: Number(values.failures),
  say: text => process.stdout.write(`${text}\n`)
})
process.exitCode = report.failed.length === 0 ? 0 : 1
