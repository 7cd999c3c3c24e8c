/** `npm run interop -- --tables 1000 --seed 1`: as many generated tables as wanted, read by every judge. */
import { parseArgs } from 'node:util'
import { openPython } from '../../helpers/python.ts'
import { compareTables } from './compare.ts'

const { values } = parseArgs({
  options: {
    tables: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' }
  }
})
const first = Number(values.seed)
const seeds = Array.from({ length: Number(values.tables) }, (_, index) => first + index)
const { python, missing } = await openPython()
if (python === undefined) throw new Error(missing)
const started = performance.now()
let told = 0
const comparison = await compareTables(seeds, python, state => {
  for (const difference of state.differences.slice(told)) console.log(difference)
  told = state.differences.length
  if (state.tables % 50 === 0) console.log(`${state.tables} tables, ${told} differences`)
})
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(
  JSON.stringify({
    ...comparison,
    differences: comparison.differences.length,
    seed: first,
    seconds
  })
)
process.exitCode = comparison.differences.length === 0 ? 0 : 1
