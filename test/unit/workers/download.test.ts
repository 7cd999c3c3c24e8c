import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { TransferError } from '../../../src/core/index.ts'
import {
  type DownloadTask,
  decodeCachedDownload,
  decodeFailedDownload,
  encodeDownloadTask
} from '../../../src/domains/claimx/index.ts'
import { RetryRouter, type StageSpec } from '../../../src/runtime/index.ts'
import { topics } from '../../../src/topology.ts'
import { downloadWorker } from '../../../src/workers/index.ts'
import { bytes, mediaItem } from '../../helpers/claimx-fixtures.ts'
import { json, kinds, process, produced, recordOf } from '../../helpers/deliveries.ts'
import { FakeClaimx, notFound, serverError } from '../../helpers/fake-claimx.ts'
import { FakeClock, fakeIds, settle } from '../../helpers/fake-clock.ts'
import { FakeCache, FakeFetcher } from '../../helpers/fake-files.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'

const URL_OF = (name: string): string => `https://claimxperience.com/file/${name}?sign=SECRET`
const expired = () => new TransferError('DOWNLOAD_EXPIRED', 'the server answered 403')

let clock: FakeClock
let api: FakeClaimx
let fetcher: FakeFetcher
let cache: FakeCache
let stage: StageSpec<DownloadTask>

beforeEach(() => {
  clock = new FakeClock()
  api = new FakeClaimx(clock)
  fetcher = new FakeFetcher()
  cache = new FakeCache()
  const router = new RetryRouter([300_000, 600_000, 1_200_000, 2_400_000], clock)
  const ports = { api, fetcher, cache, router, clock, ids: fakeIds(), telemetry: recordTelemetry() }
  const options = {
    batchRecords: 10,
    batchBytes: 1e6,
    maxRecordBytes: 1e6,
    lingerMs: 0,
    concurrency: 4
  }
  stage = downloadWorker(options, ports)
})

function task(mediaId: string, parts: Partial<DownloadTask> = {}): string {
  return encodeDownloadTask({
    mediaId,
    projectId: '7',
    downloadUrl: URL_OF('old'),
    blobPath: `7/media/${mediaId}_roof.jpg`,
    fileType: 'jpg',
    fileName: 'roof.jpg',
    sourceEventId: 'evt',
    retryCount: 0,
    expiresAt: null,
    refreshCount: 0,
    metadata: null,
    ...parts
  })
}

const micros = (ms: number): bigint => BigInt(clock.now() + ms) * 1000n

/** Links are asked for together after a turn of the clock. */
async function turn<T>(work: Promise<T>): Promise<T> {
  let settled = false
  const done = () => {
    settled = true
  }
  work.then(done, done)
  for (let n = 0; n < 200 && !settled; n += 1) {
    await clock.advance(0)
    await settle()
  }
  return work
}

function freshLinks(...ids: number[]): void {
  const { expiresAt: _, ...item } = mediaItem()
  api.media.set(
    '7',
    ids.map(id => ({ ...item, mediaID: id, fullDownloadLink: URL_OF(`new-${id}`) }))
  )
}

describe('download', () => {
  it('hands a checked file on, with its facts', async () => {
    const result = await process(stage, [task('1')])
    const [record] = produced(result, topics.claimx.cached)
    assert.equal(record?.key, '1')
    assert.equal(record?.headers?.['event_id'], 'evt')
    const message = decodeCachedDownload(bytes(record?.value))
    assert.equal(message.bytesDownloaded, 3)
    assert.equal(message.sha256, 'ab'.repeat(32))
    assert.equal(message.localCachePath, '1/roof.jpg')
    assert.equal(message.destinationPath, '7/media/1_roof.jpg')
    assert.deepEqual(api.calls, [])
  })

  it('downloads the same media of one batch once', async () => {
    const result = await process(stage, [task('1'), task('1'), task('2')])
    assert.equal(fetcher.urls.length, 2)
    assert.deepEqual(kinds(result.outcomes), ['done', 'done', 'done'])
    assert.equal(produced(result, topics.claimx.cached).length, 2)
  })

  it('renews a link that has less than a minute left before the first byte', async () => {
    freshLinks(1)
    const stale = task('1', { expiresAt: micros(59_000) })
    const result = await turn(process(stage, [stale, task('2', { expiresAt: micros(61_000) })]))
    assert.deepEqual(fetcher.urls.sort(), [URL_OF('new-1'), URL_OF('old')])
    const [record] = produced(result, topics.claimx.cached)
    assert.equal(decodeCachedDownload(bytes(record?.value)).refreshCount, 1)
  })

  it('renews and retries at once when the server says 403', async () => {
    freshLinks(1)
    fetcher.failures.push(expired())
    const result = await turn(process(stage, [task('1')]))
    assert.deepEqual(fetcher.urls, [URL_OF('old'), URL_OF('new-1')])
    assert.deepEqual(api.calls, ['media 7 [1]'])
    assert.deepEqual(kinds(result.outcomes), ['done'])
  })

  it('asks once for the links of a project that expired together, matched by id', async () => {
    freshLinks(2, 1)
    const stale = { expiresAt: micros(0) }
    await turn(process(stage, [task('1', stale), task('2', stale)]))
    assert.deepEqual(api.urgent, api.calls, 'a renewal does not wait behind enrichment')
    assert.deepEqual(api.calls, ['media 7 [1,2]'])
    assert.deepEqual(fetcher.urls.sort(), [URL_OF('new-1'), URL_OF('new-2')])
  })

  it('asks itself when the batch that asked for it too is abandoned', async () => {
    freshLinks(1, 2)
    const stale = { expiresAt: micros(0) }
    const abort = new AbortController()
    const first = process(stage, [task('1', stale)], abort.signal)
    const second = process(stage, [task('2', stale)])
    await settle()
    abort.abort()
    await assert.rejects(first)
    const result = await turn(second)
    assert.deepEqual(kinds(result.outcomes), ['done'])
    assert.deepEqual(fetcher.urls, [URL_OF('new-2')])
  })

  it('gives up after three links, and says in the dead letter that it tried', async () => {
    freshLinks(1)
    fetcher.failures.push(expired(), expired(), expired(), expired())
    const result = await turn(process(stage, [task('1')]))
    assert.equal(api.calls.length, 3)
    const [record] = produced(result, topics.claimx.downloadsDlq)
    assert.equal(record?.headers?.['url_refresh_attempted'], 'True')
    const letter = decodeFailedDownload(bytes(record?.value))
    assert.equal(letter.originalTask.refreshCount, 3)
    assert.equal(letter.urlRefreshAttempted, true)
    assert.ok(!String(record?.value).includes('SECRET'), 'no signature is kept')
  })

  for (const [name, prepare] of [
    ['the API has no new link', () => api.media.set('7', [])],
    ['the API does not know the project', () => api.failures.set('media 7', notFound())]
  ] as const) {
    it(`ends in the dead letters when ${name}`, async () => {
      prepare()
      fetcher.failures.push(expired())
      const result = await turn(process(stage, [task('1')]))
      const [record] = produced(result, topics.claimx.downloadsDlq)
      assert.equal(record?.headers?.['url_refresh_attempted'], 'True')
      assert.equal(fetcher.urls.length, 1)
    })
  }

  it('retries later when the link cannot be renewed for now', async () => {
    api.failures.set('media 7', serverError())
    const result = await turn(process(stage, [task('1', { expiresAt: micros(0) })]))
    assert.deepEqual(kinds(result.outcomes), ['retried'])
    const [record] = produced(result, 'claimx.downloads.retry.5m')
    assert.equal(record?.headers?.['target_topic'], topics.claimx.downloads)
    assert.equal(record?.headers?.['worker_type'], 'download_worker')
    assert.equal(json(record)['retry_count'], 1)
  })

  it('keeps the renewed link and its count when the download then fails for now', async () => {
    freshLinks(1)
    fetcher.failures.push(expired(), new TransferError('DOWNLOAD_FAILED', 'broke off'))
    const result = await turn(process(stage, [task('1')]))
    const [record] = produced(result, 'claimx.downloads.retry.5m')
    assert.equal(json(record)['refresh_count'], 1)
    assert.equal(json(record)['download_url'], URL_OF('new-1'))
  })

  it('drops what a failed download left, and fails only that file', async () => {
    fetcher.failures.push(new TransferError('FILE_TYPE_REFUSED', 'a page, not a photo'))
    const result = await process(stage, [task('1'), task('2')])
    assert.deepEqual(kinds(result.outcomes), ['dead', 'done'])
    assert.deepEqual(cache.dropped, ['1'])
  })

  it('waits for a disk that cannot be written, without an attempt (D6)', async () => {
    const full = () => new TransferError('STORAGE_UNAVAILABLE', 'no space left')
    fetcher.failures.push(full(), full(), full(), full(), full())
    const work = process(stage, [task('1')])
    await settle()
    await settle()
    assert.match(stage.waitingFor?.() ?? '', /no space left/)
    await clock.advance(60_000)
    const result = await work
    assert.deepEqual(kinds(result.outcomes), ['done'])
    assert.equal(stage.waitingFor?.(), '')
  })

  it('takes a foreign abort for a failure of its file, not for its own end', async () => {
    fetcher.failures.push(new DOMException('someone else left', 'AbortError'))
    const result = await process(stage, [task('1')])
    assert.deepEqual(kinds(result.outcomes), ['retried'])
  })

  it('keeps the bytes of a task that cannot be decoded', () => {
    const record = recordOf(topics.claimx.downloads, '[]')
    assert.throws(() => stage.decode(record), { code: 'MESSAGE_INVALID' })
    const letter = stage.undecodable(record, expired())
    assert.equal(letter.topic, topics.claimx.downloadsDlq)
    assert.equal(json(letter)['original_value'], '[]')
  })
})
