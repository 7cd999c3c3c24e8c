import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { untilIdle } from '../../../src/app/index.ts'
import { topics } from '../../../src/topology.ts'
import { machineClock, openTempLog, type TempLog } from '../../helpers/embedded-log.ts'

const topic = topics.claimx.results
const group = 'claimx-result-processor'

let temp: TempLog
/** Moves by what is slept, so that no test waits. */
let now: number
const clock = {
  ...machineClock,
  monotonic: () => now,
  sleep: async (ms: number, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    now += ms
    await new Promise(resolve => setImmediate(resolve))
    await afterSleep()
  }
}
let afterSleep: () => Promise<void>
beforeEach(async () => {
  now = 0
  afterSleep = async () => undefined
  temp = await openTempLog()
})
afterEach(() => temp.close())

const wait = (signal = new AbortController().signal) =>
  untilIdle({ log: temp.log, clock }, { idleMs: 1000, pollMs: 100, signal })

async function commit(offset: bigint): Promise<void> {
  const consumer = await temp.log.consumer({ groupId: group, topics: [topic] })
  const { generation } = await consumer.poll({ maxRecords: 10, timeoutMs: 1000 })
  await consumer.commit(generation, [{ topic, partition: 0, offset }])
  await consumer.close()
}

describe('untilIdle', () => {
  it('resolves with the time since which nothing is left, topics or not', async () => {
    assert.equal(await wait(), 0)
    assert.equal(now, 1000)
  })

  it('counts anew when something arrives, and ends when that is committed', async () => {
    await temp.log.createTopics([{ name: topic, partitions: 1 }])
    const producer = await temp.log.producer()
    afterSleep = async () => {
      if (now === 500) await producer.send([{ topic, value: 'x' }])
      if (now === 3000) await commit(1n)
    }
    assert.equal(await wait(), 3000)
    assert.equal(now, 4000)
  })

  it('rejects when it is stopped', async () => {
    await temp.log.createTopics([{ name: topic, partitions: 1 }])
    await (await temp.log.producer()).send([{ topic, value: 'x' }])
    const stop = new AbortController()
    afterSleep = async () => stop.abort(new Error('enough'))
    await assert.rejects(wait(stop.signal), /enough/)
  })
})
