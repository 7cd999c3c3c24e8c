/** A dependency that is down as a whole: workers wait, keep their place, and burn no retries (D6). */
import assert from 'node:assert/strict'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { retryTopics, topics } from '../../src/topology.ts'
import { type ApiProxy, type ProxyMode, startApiProxy } from '../helpers/api-proxy.ts'
import {
  assertAllOk,
  openWhole,
  recordsOf,
  type WholePipeline,
  waitUntil
} from '../helpers/whole-pipeline.ts'

let proxy: ApiProxy
let whole: WholePipeline
beforeEach(async () => {
  proxy = await startApiProxy()
  whole = await openWhole({
    events: 150,
    projects: 20,
    apiUrl: url => {
      proxy.target = new URL(url).origin
      return proxy.url + new URL(url).pathname.replace(/\/$/, '')
    }
  })
})
afterEach(async () => {
  await whole.close()
  await proxy.close()
})

async function spent(): Promise<number> {
  const names = [
    ...retryTopics('claimx.enrichment'),
    ...retryTopics('claimx.downloads'),
    topics.claimx.enrichmentDlq,
    topics.claimx.downloadsDlq
  ]
  const found = await Promise.all(names.map(name => recordsOf(whole.pipeline, name)))
  return found.flat().length
}

for (const [mode, reason] of [
  ['unauthorized', /401/],
  ['down', /ClaimX API fails/]
] as const satisfies readonly (readonly [ProxyMode, RegExp])[]) {
  describe(`an API that is ${mode}`, () => {
    it('makes the enricher wait without a retry, and work goes on when it answers', async () => {
      proxy.mode = mode
      await whole.feed()
      const running = whole.start()
      const enricher = () => running.progress().find(({ worker }) => worker === 'enricher')
      await waitUntil(() => enricher()?.state === 'waiting', 'the enricher waits')
      assert.match(enricher()?.lastError ?? '', reason)
      // Long enough for every bucket of the retry topics and for many trial calls.
      await new Promise(resolve => setTimeout(resolve, 2_500))
      assert.equal(enricher()?.state, 'waiting')
      assert.equal(enricher()?.batches, 0)
      const { refused } = proxy
      assert.ok(refused > 1, 'trial calls went out')
      assert.ok(refused < 80, `${refused} calls went to an API that is down`)
      assert.equal(await spent(), 0)
      proxy.mode = 'open'
      await whole.idle(running)
      await running.stop({ deadlineMs: 5_000 })
      assert.equal(await spent(), 0)
      assertAllOk(await whole.check())
    })
  })
}

describe('a lake that is away', () => {
  it('makes workers wait without a commit, and work goes on when it is back', async () => {
    const running = whole.start()
    const table = join(whole.pipeline.config.tablesPath, 'claimx_events')
    await waitUntil(() => running.progress().every(({ state }) => state === 'running'), 'started')
    await rename(table, `${table}.away`)
    await writeFile(table, '')
    await whole.feed()
    const ingester = () => running.progress().find(({ worker }) => worker === 'ingester')
    await waitUntil(() => ingester()?.state === 'waiting', 'the ingester waits')
    await new Promise(resolve => setTimeout(resolve, 500))
    assert.equal(ingester()?.batches, 0)
    assert.equal((await recordsOf(whole.pipeline, topics.claimx.enrichment)).length, 0)
    await rm(table)
    await rename(`${table}.away`, table)
    await whole.idle(running)
    await running.stop({ deadlineMs: 5_000 })
    assert.equal(await spent(), 0)
    assert.equal((await recordsOf(whole.pipeline, topics.claimx.eventsDlq)).length, 0)
    assertAllOk(await whole.check())
  })
})
