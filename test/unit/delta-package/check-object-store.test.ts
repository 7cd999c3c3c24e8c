import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  checkObjectStore,
  localFiles,
  memoryObjectStore,
  type ObjectStore
} from '../../../src/delta-package/index.ts'

/** A store in memory with one method that does something else. */
function broken(change: (sound: ObjectStore) => Partial<ObjectStore>): ObjectStore {
  const sound = memoryObjectStore()
  const whole: ObjectStore = {
    root: 'broken:',
    put: (...all) => sound.put(...all),
    putFile: (...all) => sound.putFile(...all),
    get: (...all) => sound.get(...all),
    head: path => sound.head(path),
    list: (...all) => sound.list(...all),
    delete: path => sound.delete(path),
    close: () => sound.close()
  }
  return { ...whole, ...change(sound) }
}

const defects: Readonly<Record<string, [(sound: ObjectStore) => Partial<ObjectStore>, RegExp]>> = {
  'looks before it puts': [
    sound => ({
      put: async (path, bytes, options) => {
        const there = options?.ifAbsent === true && (await sound.head(path)) !== undefined
        return there ? 'exists' : await sound.put(path, bytes)
      }
    }),
    /stores once, whoever calls/
  ],
  'takes no notice of ifAbsent': [
    sound => ({ put: (path, bytes) => sound.put(path, bytes) }),
    /leaves an object that is there/
  ],
  'gives undefined for an absent object': [
    sound => ({ get: path => sound.get(path).catch(() => undefined as never) }),
    /STORAGE_NOT_FOUND/
  ],
  'gives an error of its own for an absent object': [
    () => ({ get: () => Promise.reject(new Error('404')) }),
    /STORAGE_NOT_FOUND/
  ],
  'gives whole objects for ranges': [sound => ({ get: path => sound.get(path) }), /gives a range/],
  'tells seconds': [
    sound => ({
      head: async path => {
        const info = await sound.head(path)
        return info && { ...info, modifiedAt: info.modifiedAt / 1000 }
      }
    }),
    /milliseconds/
  ],
  'lists in the order of JavaScript': [
    sound => ({
      list: async function* (prefix, options) {
        const infos = await Array.fromAsync(sound.list(prefix, options))
        yield* infos.sort((a, b) => (a.path < b.path ? -1 : 1))
      }
    }),
    /byte order of UTF-8/
  ],
  'lists folders only': [
    sound => ({
      list: (prefix, options) => sound.list(prefix.endsWith('/') ? prefix : `${prefix}/`, options)
    }),
    /ends within a name/
  ],
  'includes startAfter': [
    sound => ({ list: prefix => sound.list(prefix) }),
    /begins after startAfter/
  ],
  'deletes nothing': [() => ({ delete: async () => undefined }), /no more when it is deleted/],
  'rejects to delete what is absent': [
    sound => ({
      delete: async path => {
        await sound.get(path)
        await sound.delete(path)
      }
    }),
    /delete of an absent object/
  ],
  'stores no files': [() => ({ putFile: async () => 0 }), /putFile/],
  'names files that are not there': [
    () => ({ localPath: path => join('/nowhere', path) }),
    /localPath.*ENOENT/
  ]
}

describe('checkObjectStore', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'check-store-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('finds nothing in the stores of the package, and leaves nothing there', async () => {
    const memory = memoryObjectStore()
    assert.deepEqual(await checkObjectStore(memory), [])
    assert.deepEqual(await Array.fromAsync(memory.list('')), [])
    assert.deepEqual(await checkObjectStore(localFiles({ root: dir }), 'lake/probe-'), [])
    assert.deepEqual(
      await readdir(join(dir, 'lake'), { recursive: true, withFileTypes: true }).then(entries =>
        entries.filter(entry => entry.isFile())
      ),
      []
    )
  })

  for (const [name, [change, sentence]] of Object.entries(defects)) {
    it(`finds a store that ${name}`, async () => {
      const problems = await checkObjectStore(broken(change))
      assert.ok(
        problems.some(problem => sentence.test(problem)),
        problems.join('\n')
      )
    })
  }
})
