/** Damaged logs are read rightly or refused: see README.md. Other seeds every time; those that fail are printed. */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTestDelta } from '../helpers/delta.ts'
import { openMemoryDelta } from '../helpers/memory-delta.ts'
import { unpack } from '../helpers/tar.ts'
import { type FuzzOptions, fuzz } from './delta-log-fuzz/fuzz.ts'
import { type BaseLog, foreignLog, ownLogs } from './delta-log-fuzz/logs.ts'

const golden = join(import.meta.dirname, '..', 'golden', 'tables')
const FOREIGN = [
  'log-checkpoint',
  'log-v2-checkpoint-json',
  'log-checkpoint-multipart',
  'dv-checkpoint'
]

async function played(
  options: Pick<FuzzOptions, 'logs' | 'ports' | 'scratch' | 'count'>
): Promise<void> {
  const given = process.env['CLAIMS_TEST_SEED']
  const first = given === undefined ? randomInt(1, 2 ** 31) : Number(given)
  const said: string[] = []
  const say = (text: string): void => {
    said.push(text)
  }
  const report = await fuzz({ ...options, first, seconds: 60, say })
  assert.deepEqual(report.failed, [], said.join('\n'))
  assert.ok(report.played > 50, `${report.played} played from seed ${first}`)
  // A log that is damaged is not always refused, and not always read.
  assert.ok(report.refused > report.played / 10 && report.refused < report.played / 2)
}

test('a damaged log of ours is read rightly or refused', async () => {
  await using delta = await openMemoryDelta()
  const { ports, options } = delta
  await played({ logs: await ownLogs(), ports, scratch: options.scratch, count: 400 })
})

test('a damaged log of another engine is read rightly or refused', async () => {
  await using delta = await openTestDelta('memory')
  const { ports, options } = delta
  const logs: BaseLog[] = []
  for (const name of FOREIGN) {
    const directory = join(delta.root, name)
    unpack(join(golden, `${name}.tar.zst`), directory)
    const log = await foreignLog(ports, options.scratch, name, join(directory, 'delta'))
    if (log !== undefined) logs.push(log)
  }
  assert.equal(logs.length, FOREIGN.length)
  await played({ logs, ports, scratch: options.scratch, count: 100 })
})
