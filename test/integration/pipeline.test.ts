/** The whole pipeline on the simulator: every event, table and file is checked at the end. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { stageLags } from '../../src/app/index.ts'
import { workerNames } from '../../src/topology.ts'
import { assertAllOk, openWhole, type WholePipeline } from '../helpers/whole-pipeline.ts'

let whole: WholePipeline | undefined
afterEach(async () => {
  await whole?.close()
  whole = undefined
})

describe('the whole pipeline', () => {
  it('turns events into checked tables and files', async () => {
    whole = await openWhole({ events: 300, projects: 30 })
    await whole.feed()
    const running = whole.start()
    await whole.idle(running)
    await running.stop({ deadlineMs: 5_000 })
    await running.finished
    assertAllOk(await whole.check())
    const { requests } = whole.simulator.stats()
    const calls = Object.values(requests).reduce((sum, count) => sum + count, 0)
    const ended = running.progress().find(({ worker }) => worker === 'enricher')
    assert.ok(ended !== undefined && ended.done > 0)
    assert.ok(calls < ended.done, `${calls} calls served ${ended.done} events`)
  })

  it('ends in the same state under heavy faults, malformed and duplicate events', async () => {
    whole = await openWhole({
      events: 400,
      projects: 40,
      malformed: 0.1,
      missing: 0.05,
      refused: 0.05,
      simulator: { faults: 'heavy' }
    })
    await whole.feed()
    const running = whole.start()
    await whole.idle(running, 120_000)
    await running.stop({ deadlineMs: 5_000 })
    assertAllOk(await whole.check())
    const { faults } = whole.simulator.stats()
    assert.ok(Object.keys(faults).length > 5, 'faults did happen')
  })

  it('ends in the same state when two instances of every worker share the work', async () => {
    whole = await openWhole({
      events: 400,
      projects: 40,
      settings: { 'batch.ingest': 40, 'batch.enrich': 40, 'batch.results': 10 }
    })
    const running = whole.start(workerNames, 2)
    await whole.feed()
    await whole.idle(running)
    await running.stop({ deadlineMs: 5_000 })
    assertAllOk(await whole.check())
    for (const worker of ['ingester', 'enricher', 'downloader', 'uploader'] as const) {
      const shares = running
        .progress()
        .filter(progress => progress.worker === worker)
        .map(progress => progress.received)
      assert.equal(shares.length, 2)
      assert.ok(
        shares.every(share => share > 0),
        `both instances of ${worker} worked: ${shares.join(' and ')}`
      )
    }
  })

  it('goes on where it stopped, however often it is stopped in the middle', async () => {
    whole = await openWhole({
      events: 300,
      projects: 30,
      settings: { 'batch.ingest': 30, 'batch.enrich': 30, 'batch.download': 5 }
    })
    await whole.feed()
    const waiting = async (): Promise<number> => {
      const lags = await stageLags((whole as WholePipeline).pipeline.log)
      return lags.reduce((sum, { lag }) => sum + Number(lag), 0)
    }
    for (const deadlineMs of [0, 0, 50, 0, 5_000]) {
      const running = whole.start()
      const before = await waiting()
      while (running.progress().every(({ batches }) => batches === 0) && before > 0) {
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      await running.stop({ deadlineMs })
      await running.finished
      assert.ok(running.progress().every(({ state }) => state === 'stopped'))
    }
    const running = whole.start()
    await whole.idle(running)
    await running.stop({ deadlineMs: 5_000 })
    assertAllOk(await whole.check())
  })
})
