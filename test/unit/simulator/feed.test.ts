import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPipelineError } from '../../../src/core/index.ts'
import type { MessageLog, ProducerRecord } from '../../../src/ports/index.ts'
import { createWorld, feedEvents } from '../../../src/simulator/index.ts'

const world = createWorld({ seed: 2, projects: 20, events: 100 })

/** As much of a log as the feed uses; `failAfter` records of a send are stored, then it rejects. */
function fakeLog(partitions: number, failAt?: { send: number; keep: number }) {
  const stored: ProducerRecord[][] = Array.from({ length: partitions }, () => [])
  let sends = 0
  const log: Partial<MessageLog> = {
    describeTopics: async () =>
      partitions === 0
        ? []
        : [
            {
              name: 'raw',
              retentionMs: undefined,
              partitions: stored.map((list, partition) => ({
                partition,
                earliest: 0n,
                end: BigInt(list.length)
              }))
            }
          ],
    producer: async () => ({
      send: async records => {
        sends++
        const fails = failAt !== undefined && sends === failAt.send
        for (const record of fails ? records.slice(0, failAt.keep) : records) {
          stored[record.partition ?? 0]?.push(record)
        }
        if (fails) throw new Error('broken off')
        return []
      },
      close: async () => {}
    })
  }
  return { log: log as MessageLog, stored }
}

function valuesOf(stored: ProducerRecord[][]): string[] {
  return stored.flat().map(record => Buffer.from(record.value as Uint8Array).toString())
}

const all = Array.from({ length: 100 }, (_, i) => Buffer.from(world.event(i).value).toString())

test('All events are fed, each once', async () => {
  const { log, stored } = fakeLog(3)
  assert.equal(await feedEvents(world, log, { topic: 'raw', batch: 7 }), 100)
  assert.deepEqual(valuesOf(stored).sort(), [...all].sort())
})

test('A feed that broke off in the middle of a send continues without gap or repetition', async () => {
  for (const keep of [0, 1, 5, 9]) {
    const { log, stored } = fakeLog(4, { send: 3, keep })
    await assert.rejects(feedEvents(world, log, { topic: 'raw', batch: 10 }), /broken off/)
    await feedEvents(world, log, { topic: 'raw', batch: 10 })
    assert.deepEqual(valuesOf(stored).sort(), [...all].sort())
  }
})

test('A stopped feed ends without error', async () => {
  const { log, stored } = fakeLog(2)
  const stop = new AbortController()
  const onProgress = (): void => stop.abort()
  const options = { topic: 'raw', batch: 10, signal: stop.signal, ratePerSecond: 1, onProgress }
  assert.equal(await feedEvents(world, log, options), 10)
  assert.equal(valuesOf(stored).length, 10)
})

test('A topic that does not exist is refused', async () => {
  await assert.rejects(
    feedEvents(world, fakeLog(0).log, { topic: 'raw', batch: 10 }),
    error => isPipelineError(error) && error.code === 'BROKER_UNKNOWN_TOPIC'
  )
})
