import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { openFileCache } from '../../../../src/adapters/file-cache/index.ts'
import { cacheFileName } from '../../../../src/domains/claimx/index.ts'
import type { FileCache } from '../../../../src/ports/index.ts'
import { FakeClock } from '../../../helpers/fake-clock.ts'

let root: string
let clock: FakeClock
let cache: FileCache

beforeEach(async () => {
  root = join(mkdtempSync(join(tmpdir(), 'file-cache-')), 'cache')
  clock = new FakeClock()
  cache = await open(0)
})
afterEach(() => rmSync(dirname(root), { recursive: true, force: true }))

function open(minFreeBytes: number): Promise<FileCache> {
  return openFileCache({ directory: root, minFreeBytes, safeName: cacheFileName }, { clock })
}

const never = new AbortController().signal

describe('the file cache', () => {
  it('gives a path whose directory exists, and finds the file by the path of a message', async () => {
    const path = await cache.pathFor('7', '42', 'roof.jpg')
    writeFileSync(path, 'abc')
    const told = cache.relativePath('7', '42', 'roof.jpg')
    assert.equal(cache.resolve(told), path)
    assert.equal(await cache.sizeOf(told), 3)
    assert.deepEqual(await cache.list(), [told])
  })

  it('knows nothing of a file that is not there, nor of a directory', async () => {
    assert.equal(await cache.sizeOf('42/nothing.jpg'), undefined)
    mkdirSync(join(root, '42', 'sub'), { recursive: true })
    assert.equal(await cache.sizeOf('42/sub'), undefined)
  })

  it('never leaves its directory, whatever ids and names say', async () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom('..', '../..', '/etc/passwd', 'a/../../b', '.', '', '\\\\x', 'c:\\x')
    )
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, async (project, media, name) => {
        const path = await cache.pathFor(project, media, name)
        assert.ok(path.startsWith(root + sep), path)
        assert.equal(cache.resolve(cache.relativePath(project, media, name)), path)
      }),
      { numRuns: 100 }
    )
  })

  it('keeps files of different media apart, also when their names are equal', () => {
    const paths = ['1', '2', '../1', 'x31'].map(id => cache.relativePath('7', id, 'roof.jpg'))
    assert.equal(new Set(paths.map(path => path.split('/')[0])).size, 4)
  })

  it('refuses paths of messages that are not below it', () => {
    for (const path of ['../x', '/etc/passwd', '', '.', '42/../../x']) {
      assert.throws(() => cache.resolve(path), { code: 'STORAGE_INVALID_PATH' }, path)
    }
  })

  it('drops everything of a media, also what an interrupted download left, and nothing else', async () => {
    const kept = await cache.pathFor('7', '43', 'roof.jpg')
    writeFileSync(kept, 'abc')
    const path = await cache.pathFor('7', '42', 'roof.jpg')
    writeFileSync(path, 'abc')
    writeFileSync(`${path}.part`, 'ab')
    await cache.drop('42')
    await cache.drop('42')
    assert.ok(!existsSync(dirname(path)))
    assert.deepEqual(await cache.list(), [cache.relativePath('7', '43', 'roof.jpg')])
  })

  it('waits while the disk is low, and says so', async () => {
    const low = await open(Number.MAX_SAFE_INTEGER)
    const abort = new AbortController()
    const waiting = low.whenWritable(abort.signal)
    waiting.catch(() => undefined)
    while (low.blockedBy() === '') await new Promise(resolve => setImmediate(resolve))
    assert.match(low.blockedBy(), /bytes free/)
    while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
    abort.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
    await cache.whenWritable(never)
    assert.equal(cache.blockedBy(), '')
  })

  it('reports a disk that cannot be used as an outage, which a worker waits for', async () => {
    rmSync(root, { recursive: true })
    writeFileSync(root, 'a file in its place')
    await assert.rejects(cache.pathFor('7', '1', 'a.jpg'), { code: 'STORAGE_UNAVAILABLE' })
    await assert.rejects(open(0), { code: 'STORAGE_UNAVAILABLE' })
  })
})
