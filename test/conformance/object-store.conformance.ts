/** The contract of `ports/object-store.ts`; every adapter passes it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ObjectStore } from '../../src/ports/index.ts'

export interface OpenedStore {
  readonly store: ObjectStore
  /** Closes the store and removes what it kept. */
  dispose(): Promise<void>
}

export function objectStoreConformance(name: string, open: () => Promise<OpenedStore>): void {
  const withStore = async (use: (store: ObjectStore) => Promise<void>): Promise<void> => {
    const { store, dispose } = await open()
    try {
      await use(store)
    } finally {
      await dispose()
    }
  }

  describe(`object store: ${name}`, () => {
    test('returns the bytes that were put, whole and by range', () =>
      withStore(async store => {
        assert.equal(await store.put('a/b.bin', bytes('hello')), 'stored')
        assert.equal(text(await store.get('a/b.bin')), 'hello')
        assert.equal(text(await store.get('a/b.bin', { start: 1, end: 3 })), 'el')
      }))

    test('replaces an object by a put without condition', () =>
      withStore(async store => {
        await store.put('x', bytes('one, longer'))
        await store.put('x', bytes('two'))
        assert.equal(text(await store.get('x')), 'two')
      }))

    test('keeps the first object when put if absent meets it', () =>
      withStore(async store => {
        assert.equal(await store.put('x', bytes('one'), { ifAbsent: true }), 'stored')
        assert.equal(await store.put('x', bytes('two'), { ifAbsent: true }), 'exists')
        assert.equal(text(await store.get('x')), 'one')
      }))

    test('lets exactly one of many concurrent puts if absent win, and keeps its bytes', () =>
      withStore(async store => {
        for (let round = 0; round < 20; round++) {
          const writers = Array.from({ length: 16 }, (_, i) => i)
          const results = await Promise.all(
            writers.map(i => store.put(`v${round}`, bytes(`writer ${i}`), { ifAbsent: true }))
          )
          const winners = writers.filter(i => results[i] === 'stored')
          assert.equal(winners.length, 1)
          assert.equal(text(await store.get(`v${round}`)), `writer ${winners[0]}`)
        }
      }))

    test('rejects a get of an absent object with STORAGE_NOT_FOUND', () =>
      withStore(async store => {
        await assert.rejects(store.get('none'), { code: 'STORAGE_NOT_FOUND' })
        await assert.rejects(store.get('none/deeper'), { code: 'STORAGE_NOT_FOUND' })
      }))

    test('tells size and presence by head', () =>
      withStore(async store => {
        assert.equal(await store.head('a/b'), undefined)
        await store.put('a/b', bytes('12345'))
        const info = await store.head('a/b')
        assert.equal(info?.path, 'a/b')
        assert.equal(info?.size, 5)
        assert.equal(await store.head('a'), undefined)
      }))

    test('lists by prefix in byte order, after a given path', () =>
      withStore(async store => {
        const paths = ['a.b/1', 'a/1', 'a/10', 'a/2/x', 'a/é', 'ab', 'b/1', 'a/2-z']
        for (const path of paths) await store.put(path, bytes(path))
        const sorted = [...paths].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
        assert.deepEqual(await listed(store, ''), sorted)
        assert.deepEqual(
          await listed(store, 'a/'),
          sorted.filter(path => path.startsWith('a/'))
        )
        assert.deepEqual(
          await listed(store, 'a'),
          sorted.filter(path => path.startsWith('a'))
        )
        assert.deepEqual(
          await listed(store, 'a/', 'a/10'),
          sorted.filter(
            path =>
              path.startsWith('a/') && Buffer.compare(Buffer.from(path), Buffer.from('a/10')) > 0
          )
        )
        assert.deepEqual(await listed(store, 'nothing/'), [])
      }))

    test('deletes objects and accepts that one is absent', () =>
      withStore(async store => {
        await store.put('a/b', bytes('x'))
        await store.delete('a/b')
        await store.delete('a/b')
        assert.equal(await store.head('a/b'), undefined)
      }))

    test('stores a local file, replacing what is there', () =>
      withStore(async store => {
        const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
        try {
          const file = join(directory, 'f')
          await writeFile(file, 'from a file')
          await store.put('target/f', bytes('before, and longer'))
          assert.equal(await store.putFile('target/f', file), 11)
          assert.equal(text(await store.get('target/f')), 'from a file')
        } finally {
          await rm(directory, { recursive: true })
        }
      }))

    test('refuses paths that could leave the root or that no store can keep', () =>
      withStore(async store => {
        const paths = [
          '',
          '/etc/passwd',
          '../x',
          'a/../../x',
          'a/./b',
          'a//b',
          'a\u0000b',
          'a\nb',
          'a/',
          'a\\b'
        ]
        for (const path of paths) {
          await assert.rejects(store.put(path, bytes('x')), { code: 'STORAGE_INVALID_PATH' }, path)
          await assert.rejects(store.get(path), { code: 'STORAGE_INVALID_PATH' }, path)
        }
        assert.deepEqual(await listed(store, ''), [])
      }))

    test('keeps unusual but legal names apart', () =>
      withStore(async store => {
        const paths = ['d=a b/x', 'd=%20/x', 'd=a%2Fb/x', 'é/ü', 'q?x=1', 'hash#1', '...', 'a..b']
        for (const path of paths) await store.put(path, bytes(path))
        for (const path of paths) assert.equal(text(await store.get(path)), path)
      }))
  })
}

function bytes(value: string): Uint8Array {
  return Buffer.from(value)
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString()
}

async function listed(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  const paths: string[] = []
  const options = startAfter === undefined ? {} : { startAfter }
  for await (const { path } of store.list(prefix, options)) paths.push(path)
  return paths
}
