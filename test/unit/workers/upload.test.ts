import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { TransferError } from '../../../src/core/index.ts'
import {
  type CachedDownload,
  decodeDownloadTask,
  decodeUploadResult,
  encodeCachedDownload
} from '../../../src/domains/claimx/index.ts'
import { RetryRouter, type StageSpec } from '../../../src/runtime/index.ts'
import { topics } from '../../../src/topology.ts'
import { uploadWorker } from '../../../src/workers/index.ts'
import { bytes } from '../../helpers/claimx-fixtures.ts'
import { kinds, process, produced } from '../../helpers/deliveries.ts'
import { FakeClock, fakeIds, settle } from '../../helpers/fake-clock.ts'
import { FakeCache, FakeStore } from '../../helpers/fake-files.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'

let clock: FakeClock
let cache: FakeCache
let files: FakeStore
let stage: StageSpec<CachedDownload>

beforeEach(() => {
  clock = new FakeClock()
  cache = new FakeCache()
  files = new FakeStore(cache)
  const router = new RetryRouter([300_000, 600_000, 1_200_000, 2_400_000], clock)
  const ports = { files, cache, router, clock, ids: fakeIds(), telemetry: recordTelemetry() }
  const options = {
    batchRecords: 10,
    batchBytes: 1e6,
    maxRecordBytes: 1e6,
    lingerMs: 0,
    concurrency: 4
  }
  stage = uploadWorker(options, ports)
})

const path = (mediaId: string): string => `7/media/${mediaId}_roof.jpg`

function message(mediaId: string, parts: Partial<CachedDownload> = {}): string {
  return encodeCachedDownload({
    mediaId,
    projectId: '7',
    downloadUrl: 'https://claimxperience.com/file/1?sign=SECRET',
    destinationPath: path(mediaId),
    localCachePath: `${mediaId}/roof.jpg`,
    bytesDownloaded: 3,
    contentType: 'image/jpeg',
    fileType: 'jpg',
    fileName: 'roof.jpg',
    sourceEventId: 'evt',
    downloadedAt: 1_767_600_000_000_000n,
    sha256: 'ab'.repeat(32),
    retryCount: 0,
    refreshCount: 0,
    ...parts
  })
}

describe('upload', () => {
  it('stores the file, tells the result without the secret, and then drops the cached file', async () => {
    cache.files.set('1/roof.jpg', 3)
    const result = await process(stage, [message('1')])
    assert.equal(files.objects.get(path('1')), 3)
    const [record] = produced(result, topics.claimx.results)
    const told = decodeUploadResult(bytes(record?.value))
    assert.equal(told.status, 'completed')
    assert.equal(told.bytesUploaded, 3)
    assert.ok(!String(record?.value).includes('SECRET'))
    assert.deepEqual(cache.dropped, [], 'not before the result is durable')
    await result.afterProduce?.()
    assert.deepEqual(cache.dropped, ['1'])
  })

  it('is done when the cached file is gone but the object is there: the batch ran before', async () => {
    files.objects.set(path('1'), 3)
    const result = await process(stage, [message('1')])
    assert.deepEqual(kinds(result.outcomes), ['done'])
    assert.equal(produced(result, topics.claimx.results).length, 1)
  })

  it('stores the object all the same when a repeated message drops the cached file meanwhile', async () => {
    cache.files.set('1/roof.jpg', 3)
    files.onPut = async () => {
      files.objects.set(path('1'), 3)
      await cache.drop('1')
    }
    const result = await process(stage, [message('1')])
    assert.deepEqual(kinds(result.outcomes), ['done'])
  })

  for (const [name, prepare] of [
    ['is nowhere', () => undefined],
    ['is another one by size', () => cache.files.set('1/roof.jpg', 2)]
  ] as const) {
    it(`downloads again when the file ${name}, as one attempt more`, async () => {
      prepare()
      const result = await process(stage, [message('1', { retryCount: 1, refreshCount: 2 })])
      const [record] = produced(result)
      assert.equal(record?.topic, topics.claimx.downloads)
      const task = decodeDownloadTask(bytes(record?.value))
      assert.equal(task.retryCount, 2)
      assert.equal(task.refreshCount, 2)
      assert.equal(task.blobPath, path('1'))
      await result.afterProduce?.()
      assert.deepEqual(cache.dropped, [])
    })
  }

  it('ends in the dead letters when the file stays away', async () => {
    const result = await process(stage, [message('1', { retryCount: 4 })])
    assert.deepEqual(kinds(result.outcomes), ['dead'])
    assert.equal(produced(result, topics.claimx.downloadsDlq).length, 1)
  })

  it('refuses a path that leaves its place, in the lake and in the cache', async () => {
    cache.files.set('1/roof.jpg', 3)
    const result = await process(stage, [
      message('1', { destinationPath: '../../etc/passwd' }),
      message('2', { localCachePath: '../../etc/passwd' })
    ])
    assert.deepEqual(kinds(result.outcomes), ['dead', 'dead'])
    assert.equal(files.objects.size, 0)
  })

  it('waits for a store that is away, without an attempt (D6)', async () => {
    cache.files.set('1/roof.jpg', 3)
    let failures = 5
    files.onPut = () => {
      if (failures-- > 0) throw new TransferError('STORAGE_UNAVAILABLE', 'the lake is away')
    }
    const work = process(stage, [message('1')])
    await settle()
    await settle()
    assert.match(stage.waitingFor?.() ?? '', /object store/)
    await clock.advance(60_000)
    assert.deepEqual(kinds((await work).outcomes), ['done'])
    assert.equal(stage.waitingFor?.(), '')
  })

  it('gives each message its own end', async () => {
    cache.files.set('2/roof.jpg', 3)
    const result = await process(stage, [message('1', { retryCount: 4 }), message('2')])
    assert.deepEqual(kinds(result.outcomes), ['dead', 'done'])
  })
})
