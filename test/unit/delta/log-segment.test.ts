import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openMemoryObjectStore } from '../../../src/adapters/memory/index.ts'
import { findLogSegment } from '../../../src/delta/log-segment.ts'
import type { ObjectInfo } from '../../../src/ports/index.ts'

const LOG = 'table/_delta_log'
const pad = (version: number, digits = 20): string => String(version).padStart(digits, '0')
const commit = (version: number): string => `${LOG}/${pad(version)}.json`
const checkpoint = (version: number): string => `${LOG}/${pad(version)}.checkpoint.parquet`
const part = (version: number, number: number, parts: number): string =>
  `${LOG}/${pad(version)}.checkpoint.${pad(number, 10)}.${pad(parts, 10)}.parquet`
const commits = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => commit(from + i))

/** The segment of a log with these files, in short. */
async function segmentOf(
  files: readonly string[],
  options: { readonly hint?: string; readonly version?: number } = {}
): Promise<{ version: number; checkpoint: readonly string[]; commits: number[] } | undefined> {
  const store = openMemoryObjectStore()
  for (const file of files) await store.put(file, Buffer.from('{}'))
  if (options.hint !== undefined) {
    await store.put(`${LOG}/_last_checkpoint`, Buffer.from(options.hint))
  }
  const segment = await findLogSegment(store, 'table', { version: options.version })
  if (segment === undefined) return undefined
  assert.deepEqual(
    segment.commits.map(({ path }) => path),
    segment.commits.map(({ version }) => commit(version))
  )
  return {
    version: segment.version,
    checkpoint: segment.checkpoint?.paths ?? [],
    commits: segment.commits.map(({ version }) => version)
  }
}

describe('The files of a version', () => {
  test('are none when there is no log, whatever else lies there', async () => {
    assert.equal(await segmentOf([]), undefined)
    assert.equal(
      await segmentOf(['table/part-0.parquet', `${LOG}/.tmp`, `${LOG}/0.json`]),
      undefined
    )
  })

  test('are all commits while there is no checkpoint', async () => {
    const expected = { version: 2, checkpoint: [], commits: [0, 1, 2] }
    assert.deepEqual(await segmentOf(commits(0, 2)), expected)
  })

  test('are the newest checkpoint and the commits after it', async () => {
    const files = [...commits(0, 12), checkpoint(5), checkpoint(10)]
    const expected = { version: 12, checkpoint: [checkpoint(10)], commits: [11, 12] }
    assert.deepEqual(await segmentOf(files), expected)
    assert.deepEqual(await segmentOf(files, { hint: '{"version":10}' }), expected)
  })

  test('are found with a hint that is stale, ahead, damaged or no object', async () => {
    const files = [...commits(0, 12), checkpoint(5), checkpoint(10)]
    const expected = { version: 12, checkpoint: [checkpoint(10)], commits: [11, 12] }
    for (const hint of ['{"version":5}', '{"version":20}', '{"vers', 'null', '{"version":"10"}']) {
      assert.deepEqual(await segmentOf(files, { hint }), expected, hint)
    }
  })

  test('are a checkpoint alone when the commits are gone', async () => {
    const expected = { version: 10, checkpoint: [checkpoint(10)], commits: [] }
    assert.deepEqual(await segmentOf([checkpoint(10)]), expected)
  })

  test('hold a checkpoint of several parts only when all of them are there', async () => {
    const base = commits(0, 11)
    const two = [part(10, 1, 3), part(10, 3, 3)]
    assert.deepEqual(await segmentOf([...base, ...two, part(10, 1, 2)]), {
      version: 11,
      checkpoint: [],
      commits: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    })
    assert.deepEqual(await segmentOf([...base, ...two, part(10, 2, 3)]), {
      version: 11,
      checkpoint: [part(10, 1, 3), part(10, 2, 3), part(10, 3, 3)],
      commits: [11]
    })
  })

  test('of the past end at it and start at a checkpoint that is not newer', async () => {
    const files = [...commits(0, 12), checkpoint(5), checkpoint(10)]
    const hint = '{"version":10}'
    const at = (version: number): ReturnType<typeof segmentOf> =>
      segmentOf(files, { hint, version })
    assert.deepEqual(await at(7), { version: 7, checkpoint: [checkpoint(5)], commits: [6, 7] })
    assert.deepEqual(await at(5), { version: 5, checkpoint: [checkpoint(5)], commits: [] })
    assert.deepEqual(await at(3), { version: 3, checkpoint: [], commits: [0, 1, 2, 3] })
    assert.equal((await at(12))?.version, 12)
  })

  test('are refused when one is missing', async () => {
    const corrupt = { code: 'DELTA_LOG_CORRUPT' }
    await assert.rejects(segmentOf([commit(0), commit(2)]), corrupt)
    await assert.rejects(segmentOf(commits(1, 3)), corrupt)
    await assert.rejects(segmentOf([checkpoint(4), commit(6)]), corrupt)
  })

  test('are refused for a version that is not there', async () => {
    const absent = { code: 'DELTA_VERSION_NOT_FOUND' }
    await assert.rejects(segmentOf(commits(0, 2), { version: 3 }), absent)
    await assert.rejects(segmentOf([], { version: 0 }), absent)
    await assert.rejects(segmentOf([checkpoint(4), commit(5)], { version: 3 }), absent)
  })

  test('may begin with a checkpoint of version 2', async () => {
    const store = openMemoryObjectStore()
    const name = `${'7'.padStart(20, '0')}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json`
    await store.put(`t/_delta_log/${name}`, Buffer.from(''))
    const segment = await findLogSegment(store, 't')
    assert.equal(segment?.version, 7)
    assert.deepEqual(segment?.checkpoint?.paths, [`t/_delta_log/${name}`])
  })

  test('may be more commits than a call can have arguments', async () => {
    const names = async function* (): AsyncGenerator<ObjectInfo> {
      for (let version = 0; version < 150_000; version++) {
        yield { path: `${LOG}/${pad(version)}.json`, size: 1, modifiedAt: 1 }
      }
    }
    const store = Object.assign(openMemoryObjectStore(), { list: names })
    const segment = await findLogSegment(store, 'table')
    assert.equal(segment?.version, 149_999)
    assert.equal(segment?.commits.length, 150_000)
  })
})
