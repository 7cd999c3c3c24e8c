import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { MessageLog } from '../../../src/ports/index.ts'
import { StageRunner, type StageSpec } from '../../../src/runtime/index.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { idle, until } from '../../helpers/loop.ts'
import { MemoryLog } from '../../helpers/memory-log.ts'
import { MemoryTables } from '../../helpers/memory-tables.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'
import { done, textStage } from '../../helpers/text-stage.ts'

let clock: FakeClock
let trace: string[]
let log: MemoryLog
let tables: MemoryTables

beforeEach(() => {
  clock = new FakeClock()
  trace = []
  log = new MemoryLog(clock, trace)
  tables = new MemoryTables(trace)
})

function runner(spec: StageSpec<string>): StageRunner<string> {
  return new StageRunner(spec, {
    log: log as unknown as MessageLog,
    tables,
    clock,
    ids: fakeIds(),
    telemetry: recordTelemetry()
  })
}

describe('StageRunner: batches', () => {
  it('waits for more records while a batch is not full (W10)', async () => {
    const sizes: number[] = []
    const worker = runner(
      textStage({
        batchRecords: 10,
        lingerMs: 50,
        process: async batch => {
          sizes.push(batch.length)
          return done(batch)
        }
      })
    )
    log.append('in', 'a')
    const run = worker.run()
    await idle()
    log.append('in', 'b', 'c')
    assert.deepEqual(sizes, [])
    await clock.advance(50)
    await until(() => log.commits.length === 1)
    assert.deepEqual(sizes, [3])
    await worker.stop(0)
    await run
  })

  it('does not wait when a batch is full (W10)', async () => {
    const worker = runner(textStage({ batchRecords: 2, lingerMs: 60_000 }))
    log.append('in', 'a', 'b')
    const run = worker.run()
    await until(() => log.commits.length === 1)
    assert.equal(clock.monotonic(), 0)
    await worker.stop(0)
    await run
  })

  it('grows with a backlog to the most that the stage allows (W10)', async () => {
    const sizes: number[] = []
    const worker = runner(
      textStage({
        batchRecords: 500,
        process: async batch => {
          sizes.push(batch.length)
          return done(batch)
        }
      })
    )
    log.append('in', ...Array.from({ length: 1_200 }, (_, n) => `m${n}`))
    const run = worker.run()
    await until(() => log.commits.length === 3)
    assert.deepEqual(sizes, [500, 500, 200])
    await worker.stop(0)
    await run
  })
})

describe('StageRunner: delayed records', () => {
  const delayed = (): StageSpec<string> =>
    textStage({
      inputs: ['in', 'other'],
      batchesInFlight: 1,
      batchRecords: 10,
      notBefore: record => Number(record.headers['due'] ?? 0)
    })
  const at = (text: string, due: number) => ({
    value: new TextEncoder().encode(text),
    headers: { due: String(due) }
  })

  it('are not processed before their time, and hold up only their partition (W9)', async () => {
    const start = clock.now()
    log.append('in', at('a', start + 10_000), at('b', start + 20_000))
    log.append('other', at('x', start))
    const worker = runner(delayed())
    const run = worker.run()
    await until(() => log.texts('out').length === 1)
    assert.deepEqual(log.texts('out'), ['x'])
    await clock.advance(9_999)
    assert.deepEqual(log.texts('out'), ['x'])
    await clock.advance(1)
    await until(() => log.texts('out').length === 2)
    await clock.advance(9_999)
    assert.deepEqual(log.texts('out'), ['x', 'a'])
    await clock.advance(1)
    await until(() => log.texts('out').length === 3)
    assert.deepEqual(log.texts('out'), ['x', 'a', 'b'])
    await worker.stop(0)
    await run
  })

  it('survive a restart and still do not run early (W9)', async () => {
    const start = clock.now()
    log.append('in', at('a', start), at('b', start + 10_000))
    const first = runner(delayed())
    const run = first.run()
    await until(() => log.commits.includes('in@1'))
    await first.stop(0)
    await run
    log.paused.clear()
    await clock.advance(5_000)
    const second = runner(delayed())
    const rerun = second.run()
    await clock.advance(4_999)
    assert.deepEqual(log.texts('out'), ['a'])
    await clock.advance(1)
    await until(() => log.commits.includes('in@2'))
    assert.deepEqual(log.texts('out'), ['a', 'b'])
    await second.stop(0)
    await rerun
  })

  it('come due after a rebalance although the log kept their partition paused (W7, W9)', async () => {
    log.append('in', at('a', clock.now() + 10_000))
    const worker = runner(delayed())
    const run = worker.run()
    await clock.advance(1_000)
    assert.ok(log.paused.has('in'))
    log.rebalance()
    await clock.advance(20_000)
    await until(() => log.texts('out').length === 1)
    await worker.stop(0)
    await run
  })
})
