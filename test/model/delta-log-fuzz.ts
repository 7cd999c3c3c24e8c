/**
 * Damages logs in many ways and says which of them are read wrongly, or fail otherwise than they should:
 *
 *   node test/model/delta-log-fuzz.ts --cases 20000 --seed 1
 *   node test/model/delta-log-fuzz.ts --cases 20000 --tables DIRECTORY   # logs of the tables below, too
 *   node test/model/delta-log-fuzz.ts --cases 1 --seed 4711              # one again
 */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { openTestDelta } from '../helpers/delta.ts'
import { openMemoryDelta } from '../helpers/memory-delta.ts'
import { fuzz } from './delta-log-fuzz/fuzz.ts'
import { type BaseLog, foreignLog, ownLogs } from './delta-log-fuzz/logs.ts'

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '86400' },
    tables: { type: 'string' }
  }
})

const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

function tablesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('_delta_log'))
    .map(path => join(directory, dirname(path)))
    .sort()
}

await using own = await openMemoryDelta()
await using foreign = await openTestDelta('memory')
const range = { first: Number(values.seed), count: Number(values.cases), say }
const seconds = Number(values.seconds)
const reports = []
if (values.tables === undefined) {
  const logs = await ownLogs()
  reports.push(
    await fuzz({ ...range, logs, seconds, ports: own.ports, scratch: own.options.scratch })
  )
} else {
  const { ports } = foreign
  const { scratch } = foreign.options
  const logs: BaseLog[] = []
  for (const directory of tablesBelow(values.tables)) {
    const log = await foreignLog(ports, scratch, directory, directory)
    if (log !== undefined) logs.push(log)
  }
  say(`${logs.length} logs below ${values.tables}`)
  reports.push(await fuzz({ ...range, logs, seconds, ports, scratch }))
}
for (const { played, refused, failed } of reports) {
  say(
    `seeds from ${values.seed}: ${played} mutations, ${refused} refused, ${failed.length} wrong ${failed.slice(0, 20)}`
  )
  if (failed.length > 0) process.exitCode = 1
}
