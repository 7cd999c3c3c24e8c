/** Two processes of every worker on one embedded log: they share the work, and one may die. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { untilIdle } from '../../src/app/index.ts'
import { workerNames } from '../../src/topology.ts'
import { assertAllOk, openWhole, type WholePipeline, waitUntil } from '../helpers/whole-pipeline.ts'
import { killGroup, startWorkers, type WorkerProcess } from '../helpers/worker-process.ts'

let whole: WholePipeline
let workers: WorkerProcess[]
beforeEach(async () => {
  whole = await openWhole({ events: 500, projects: 50 })
  workers = [startWorkers(whole), startWorkers(whole)]
})
afterEach(async () => {
  for (const { child } of workers) killGroup(child)
  await Promise.all(workers.map(({ exit }) => exit))
  await whole.close()
})

async function bothStarted(): Promise<void> {
  const all = () =>
    workers.every(worker => worker.lines('worker started').length === workerNames.length)
  await waitUntil(all, 'both processes started their workers', 60_000)
}

async function idle(): Promise<void> {
  const signal = AbortSignal.timeout(120_000)
  await untilIdle(whole.pipeline, { idleMs: 300, signal })
}

describe('two processes of every worker on one log', { timeout: 300_000 }, () => {
  it('end in the same state, both did work, and SIGTERM ends them with 0 (D7)', async () => {
    await bothStarted()
    await whole.feed()
    await idle()
    for (const { child } of workers) child.kill('SIGTERM')
    for (const worker of workers) assert.equal(await worker.exit, 0, worker.errors())
    for (const name of ['ingester', 'enricher', 'downloader', 'uploader']) {
      const shares = workers.map(
        worker => worker.lines('workers stopped').find(line => line['worker'] === name)?.['done']
      )
      assert.ok(
        shares.every(share => Number(share) > 0),
        `both worked as ${name}: ${shares.join(' and ')}`
      )
    }
    assertAllOk(await whole.check())
  })

  it('end in the same state when one is killed in the middle (D7, D8)', async () => {
    await bothStarted()
    await whole.feed()
    const started = (await lag()) ?? 0
    await waitUntil(async () => (await lag()) < started, 'some work is done')
    const [first, second] = workers
    assert.ok(first !== undefined && second !== undefined)
    killGroup(first.child)
    await first.exit
    await idle()
    second.child.kill('SIGTERM')
    assert.equal(await second.exit, 0, second.errors())
    assertAllOk(await whole.check())
  })
})

/** Raw events that wait. */
async function lag(): Promise<number> {
  const parts = await whole.pipeline.log.groupLag('claimx-event-ingester-worker', [
    'claimx.events.raw'
  ])
  return parts.reduce((sum, part) => sum + Number(part.lag), 0)
}
