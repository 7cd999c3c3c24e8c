import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { Consumer, LogRecord } from '../../../src/ports/index.ts'
import { HeldPartitions } from '../../../src/runtime/held-partitions.ts'
import { FakeClock } from '../../helpers/fake-clock.ts'

let clock: FakeClock
let calls: string[]
let consumer: Consumer
const zero = new FakeClock().now()

beforeEach(() => {
  clock = new FakeClock()
  calls = []
  const note =
    (what: string) =>
    (partitions: readonly { topic: string; partition: number; offset?: bigint }[]): void => {
      for (const { topic, partition, offset } of partitions) {
        calls.push(`${what} ${topic}/${partition}${offset === undefined ? '' : `@${offset}`}`)
      }
    }
  consumer = {
    pause: note('pause'),
    resume: note('resume'),
    seek: note('seek')
  } as unknown as Consumer
})

function held(): HeldPartitions {
  return new HeldPartitions({ notBefore: record => zero + Number(record.headers['in']) }, clock)
}

function record(partition: number, offset: number, dueIn: number): LogRecord {
  return {
    topic: 't',
    partition,
    offset: BigInt(offset),
    timestamp: 0,
    key: null,
    value: null,
    headers: { in: String(dueIn) }
  }
}

describe('HeldPartitions', () => {
  it('passes what is due and holds each partition at its first record that is not (W9)', () => {
    const records = [record(0, 5, 0), record(0, 6, 900), record(0, 7, 0), record(1, 3, 0)]
    const due = held().cut(records, consumer)
    assert.deepEqual(
      due.map(({ partition, offset }) => `${partition}@${offset}`),
      ['0@5', '1@3']
    )
    assert.deepEqual(calls, ['pause t/0', 'seek t/0@6'])
  })

  it('resumes a partition when its record is due, and says how long a poll may wait', async () => {
    const partitions = held()
    partitions.cut([record(0, 1, 700), record(1, 1, 300)], consumer)
    calls.length = 0
    assert.equal(partitions.resumeDue(consumer, 1_000), 300)
    await clock.advance(300)
    assert.equal(partitions.resumeDue(consumer, 1_000), 400)
    assert.deepEqual(calls, ['resume t/1'])
    await clock.advance(400)
    assert.equal(partitions.resumeDue(consumer, 1_000), 1_000)
    assert.deepEqual(calls, ['resume t/1', 'resume t/0'])
  })

  it('forgets and resumes everything after a rebalance (W7)', () => {
    const partitions = held()
    partitions.cut([record(0, 1, 700)], consumer)
    calls.length = 0
    partitions.clear(consumer)
    assert.deepEqual(calls, ['resume t/0'])
    assert.equal(partitions.resumeDue(consumer, 1_000), 1_000)
  })

  it('touches nothing for a stage without delays', () => {
    const records = [record(0, 1, 9_000)]
    assert.equal(new HeldPartitions({}, clock).cut(records, consumer), records)
    assert.deepEqual(calls, [])
  })
})
