/** Delays live in the retry topics of the real log: no restart and no rebalance loses or hurries them. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RunningWorkers } from '../../src/app/index.ts'
import { isoFromMillis } from '../../src/core/index.ts'
import { retryTopics, topics } from '../../src/topology.ts'
import { openWhole, recordsOf, type WholePipeline, waitUntil } from '../helpers/whole-pipeline.ts'

let whole: WholePipeline
beforeEach(async () => {
  whole = await openWhole({ events: 1, projects: 1 })
})
afterEach(() => whole.close())

const start = (): RunningWorkers => whole.start(['retry-scheduler'])
const isRunning = (workers: RunningWorkers) =>
  waitUntil(() => workers.progress().every(({ state }) => state === 'running'), 'it runs')

/** One record a bucket and partition, all due after `delayMs`; returns when that is. */
async function delayed(delayMs: number): Promise<{ dueAt: number; count: number }> {
  const dueAt = Date.now() + delayMs
  const producer = await whole.pipeline.log.producer()
  const records = retryTopics('claimx.enrichment').flatMap(topic =>
    [0, 1, 2, 3].map(partition => ({
      topic,
      partition,
      value: `${topic}/${partition}`,
      headers: {
        scheduled_retry_time: isoFromMillis(dueAt),
        target_topic: topics.claimx.enrichment
      }
    }))
  )
  await producer.send(records)
  await producer.close()
  return { dueAt, count: records.length }
}

async function arrived(dueAt: number, count: number): Promise<void> {
  const pending = () => recordsOf(whole.pipeline, topics.claimx.enrichment)
  await waitUntil(async () => (await pending()).length >= count, 'all come back')
  const records = await pending()
  assert.equal(new Set(records.map(({ value }) => String(value))).size, count)
  const early = records.filter(({ timestamp }) => timestamp < dueAt)
  assert.deepEqual(early, [], 'none came before its time')
  const lateMs = Math.max(...records.map(({ timestamp }) => timestamp)) - dueAt
  assert.ok(lateMs < 5_000, `the last came ${lateMs} ms late`)
}

describe('delayed retries', () => {
  it('survive a restart of the scheduler and never come early (W9)', async () => {
    const { dueAt, count } = await delayed(1_500)
    const first = start()
    await isRunning(first)
    await new Promise(resolve => setTimeout(resolve, 300))
    await first.stop({ deadlineMs: 1_000 })
    assert.equal((await recordsOf(whole.pipeline, topics.claimx.enrichment)).length, 0)
    const second = start()
    await arrived(dueAt, count)
    await second.stop({ deadlineMs: 1_000 })
  })

  it('survive that schedulers join and leave while they wait (W7, W9)', async () => {
    const { dueAt, count } = await delayed(2_000)
    const first = start()
    await isRunning(first)
    await new Promise(resolve => setTimeout(resolve, 300))
    const second = start()
    await isRunning(second)
    await new Promise(resolve => setTimeout(resolve, 300))
    await second.stop({ deadlineMs: 1_000 })
    await arrived(dueAt, count)
    await first.stop({ deadlineMs: 1_000 })
  })
})
