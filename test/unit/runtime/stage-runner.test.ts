import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { BrokerError, DeltaError } from '../../../src/core/index.ts'
import type { MessageLog } from '../../../src/ports/index.ts'
import { StageRunner, type StageSpec } from '../../../src/runtime/index.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { gate, idle, until } from '../../helpers/loop.ts'
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

const unreachable = () => new DeltaError('STORAGE_UNAVAILABLE', 'the lake is away')

describe('StageRunner: order', () => {
  it('writes the tables, then produces, then runs afterProduce, then commits (W2)', async () => {
    const spec = textStage({
      process: async batch => ({
        ...done(batch),
        afterProduce: async () => void trace.push('afterProduce')
      })
    })
    log.append('in', 'a', 'b')
    const worker = runner(spec)
    const run = worker.run()
    await until(() => log.commits.length > 0)
    assert.deepEqual(trace, ['merge items 2', 'send', 'afterProduce', 'commit 2'])
    await worker.stop(0)
    await run
    assert.deepEqual(log.texts('out'), ['a', 'b'])
  })

  it('processes the second batch while the first one is applied, and applies them in order (W1)', async () => {
    const started: string[] = []
    const slow = gate()
    tables.onMerge = (_table, rows) => (rows[0]?.['id'] === 'a' ? slow.promise : undefined)
    const worker = runner(
      textStage({
        process: async batch => {
          started.push(batch.map(({ message }) => message).join())
          return done(batch)
        }
      })
    )
    log.append('in', 'a', 'b', 'c', 'd', 'e')
    const run = worker.run()
    await idle()
    assert.deepEqual(started, ['a,b', 'c,d'], 'two batches in flight, no third')
    assert.deepEqual(trace, [], 'nothing is applied before the first')
    slow.open()
    await until(() => log.commits.length === 3)
    assert.deepEqual(log.commits, ['in@2', 'in@4', 'in@5'])
    await worker.stop(0)
    await run
  })

  it('commits a batch whose process was faster only after the one before it (W1)', async () => {
    const slow = gate()
    const worker = runner(
      textStage({
        process: async batch => {
          if (batch[0]?.message === 'a') await slow.promise
          return done(batch)
        }
      })
    )
    log.append('in', 'a', 'b', 'c', 'd')
    const run = worker.run()
    await idle()
    assert.deepEqual(trace, [])
    slow.open()
    await until(() => log.commits.length === 2)
    assert.deepEqual(log.commits, ['in@2', 'in@4'])
    assert.deepEqual(log.texts('out'), ['a', 'b', 'c', 'd'])
    await worker.stop(0)
    await run
  })
})

describe('StageRunner: poison', () => {
  it('ends a record that cannot be decoded as a dead letter, its neighbours proceed (W3, W4)', async () => {
    const worker = runner(textStage({ batchRecords: 10 }))
    log.append('in', 'a', 'bad one', 'b')
    const run = worker.run()
    await until(() => log.commits.length === 1)
    assert.deepEqual(log.texts('dlq'), ['undecodable bad one'])
    assert.deepEqual(log.texts('out'), ['a', 'b'])
    assert.deepEqual(log.commits, ['in@3'])
    const { done: ok, dead, received } = worker.progress()
    assert.deepEqual({ ok, dead, received }, { ok: 2, dead: 1, received: 3 })
    await worker.stop(0)
    await run
  })

  it('does not lose a batch whose process rejects with an abort that is not its own (W3)', async () => {
    let failures = 0
    const worker = runner(
      textStage({
        process: async batch => {
          if (failures++ === 0) throw new DOMException('someone else gave up', 'AbortError')
          return done(batch)
        }
      })
    )
    log.append('in', 'a', 'b', 'c', 'd')
    const run = worker.run()
    await until(() => log.commits.length === 2)
    assert.deepEqual([...log.texts('out'), ...log.texts('dlq')].sort(), ['a', 'b', 'c', 'd'])
    await worker.stop(0)
    await run
  })
})

describe('StageRunner: dependencies', () => {
  it('waits for a table that fails transiently, without a commit and without an attempt (W6)', async () => {
    let failures = 4
    tables.onMerge = () => {
      if (failures-- > 0) throw unreachable()
    }
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await until(() => worker.progress().state === 'waiting')
    assert.match(worker.progress().lastError, /the lake is away/)
    await clock.advance(60_000)
    await until(() => log.commits.length === 1)
    assert.deepEqual(log.texts('out'), ['a'])
    assert.deepEqual(log.texts('dlq'), [])
    assert.equal(worker.progress().state, 'running')
    await worker.stop(0)
    await run
  })

  it('pauses longer after each failure (W6)', async () => {
    const at: number[] = []
    tables.onMerge = () => {
      at.push(clock.monotonic())
      if (at.length < 6) throw unreachable()
    }
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await clock.advance(60_000)
    await until(() => log.commits.length === 1)
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    assert.deepEqual(
      pauses,
      [...pauses].sort((a, b) => a - b)
    )
    assert.ok((pauses.at(-1) ?? 0) > 4 * (pauses[0] ?? 0), pauses.join())
    await worker.stop(0)
    await run
  })

  it('ends with its place kept when a table fails for good (W6)', async () => {
    tables.onMerge = () => {
      throw new DeltaError('DELTA_LOG_CORRUPT', 'version 3 is missing')
    }
    const worker = runner(textStage())
    log.append('in', 'a', 'b', 'c', 'd')
    await assert.rejects(worker.run(), /version 3 is missing/)
    assert.equal(worker.progress().state, 'failed')
    assert.match(worker.progress().lastError, /version 3/)
    assert.deepEqual(log.commits, [])
    assert.deepEqual(log.texts('out'), [])
  })

  it('sends again when the log is away while producing, then commits (W6)', async () => {
    log.fail('send', new BrokerError('BROKER_UNAVAILABLE', 'busy'), 2)
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await until(() => worker.progress().state === 'waiting')
    assert.deepEqual(log.commits, [])
    await clock.advance(10_000)
    await until(() => log.commits.length === 1)
    assert.deepEqual(log.texts('out'), ['a'])
    await worker.stop(0)
    await run
  })

  it('commits again when the log is away while committing (W6)', async () => {
    log.fail('commit', new BrokerError('BROKER_UNAVAILABLE', 'busy'), 3)
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await clock.advance(10_000)
    await until(() => log.commits.length === 1)
    await worker.stop(0)
    await run
  })

  it('polls again after a failure of the log (W6)', async () => {
    log.fail('poll', new BrokerError('BROKER_UNAVAILABLE', 'busy'), 2)
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await clock.advance(10_000)
    await until(() => log.commits.length === 1)
    await worker.stop(0)
    await run
  })

  it('keeps the first records of a batch when the log fails while it waits for more (W3, W10)', async () => {
    const worker = runner(textStage({ lingerMs: 50, batchRecords: 10 }))
    log.append('in', 'a')
    const run = worker.run()
    await idle()
    log.fail('poll', new BrokerError('BROKER_UNAVAILABLE', 'busy'))
    log.append('in', 'b')
    await clock.advance(50)
    await clock.advance(5_000)
    await until(() => log.commits.at(-1) === 'in@2')
    assert.deepEqual(log.texts('out'), ['a', 'b'])
    await worker.stop(0)
    await run
  })
})

describe('StageRunner: fencing', () => {
  it('gives a batch up when its commit is refused, and repeats it in the new generation (W7)', async () => {
    const slow = gate()
    let first = true
    tables.onMerge = async () => {
      if (first) await slow.promise
      first = false
    }
    const worker = runner(textStage({ batchesInFlight: 1 }))
    log.append('in', 'a', 'b')
    const run = worker.run()
    await idle()
    log.rebalance()
    slow.open()
    await until(() => log.commits.length === 1)
    assert.deepEqual(log.commits, ['in@2'])
    assert.equal(worker.progress().abandoned, 1)
    assert.equal(worker.progress().batches, 1)
    assert.deepEqual(
      tables.rows('items').map(({ id }) => id),
      ['a', 'b']
    )
    await worker.stop(0)
    await run
  })

  it('abandons batches of an older generation as soon as a poll shows the new one (W7)', async () => {
    const aborted: string[] = []
    const worker = runner(
      textStage({
        batchesInFlight: 3,
        process: async (batch, signal) => {
          if (log.generation > 1) return done(batch)
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(batch.map(({ message }) => message).join())
              reject(signal.reason)
            })
          })
          return done(batch)
        }
      })
    )
    log.append('in', 'a', 'b', 'c')
    const run = worker.run()
    await idle()
    assert.deepEqual(aborted, [])
    log.rebalance()
    await until(() => log.commits.length === 2)
    assert.deepEqual(aborted, ['a,b', 'c'])
    assert.deepEqual(log.commits, ['in@2', 'in@3'])
    assert.deepEqual(log.texts('out'), ['a', 'b', 'c'])
    await worker.stop(0)
    await run
  })
})

describe('StageRunner: stop', () => {
  it('lets the batches in flight finish and polls no more (W8)', async () => {
    const slow = gate()
    tables.onMerge = () => slow.promise
    const worker = runner(textStage({ batchesInFlight: 1 }))
    log.append('in', 'a', 'b', 'c')
    const run = worker.run()
    await idle()
    const stopped = worker.stop(5_000)
    await idle()
    assert.equal(worker.progress().state, 'draining')
    const { polls } = log
    slow.open()
    await stopped
    await run
    assert.equal(log.polls, polls)
    assert.deepEqual(log.commits, ['in@2'])
    assert.equal(worker.progress().state, 'stopped')
    assert.equal(clock.pending, 0, 'no timer is left')
  })

  it('abandons what is not finished at the deadline, without a commit (W8)', async () => {
    tables.onMerge = (_table, _rows, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    const worker = runner(textStage())
    log.append('in', 'a', 'b')
    const run = worker.run()
    await idle()
    const stopped = worker.stop(5_000)
    await clock.advance(4_999)
    assert.equal(worker.progress().abandoned, 0)
    await clock.advance(1)
    await stopped
    await run
    assert.deepEqual(log.commits, [])
    assert.equal(worker.progress().abandoned, 1)
  })

  it('abandons work that waits for a dependency (W6, W8)', async () => {
    tables.onMerge = () => {
      throw unreachable()
    }
    const worker = runner(textStage())
    log.append('in', 'a')
    const run = worker.run()
    await until(() => worker.progress().state === 'waiting')
    const stopped = worker.stop(100)
    await clock.advance(100)
    await stopped
    await run
    assert.deepEqual(log.commits, [])
  })

  it('can be stopped while it waits for the log to open (W8)', async () => {
    const closed = Object.assign(new MemoryLog(clock), {
      producer: async () => {
        throw new BrokerError('BROKER_UNAVAILABLE', 'busy')
      }
    })
    const worker = new StageRunner(textStage(), {
      log: closed as unknown as MessageLog,
      tables,
      clock,
      ids: fakeIds(),
      telemetry: recordTelemetry()
    })
    const run = worker.run()
    await clock.advance(1_000)
    await worker.stop(0)
    await run
    assert.equal(worker.progress().state, 'stopped')
  })
})
