/** Whether a store of somebody's own keeps the contract of `ObjectStore`, by trying each sentence of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectStore, PutResult } from '../ports/index.ts'
import { isDeltaError } from './errors.ts'

/** A sentence of the contract, and what tries it; `below` is a prefix of its own. */
type Check = (store: ObjectStore, below: string) => Promise<boolean>

const WRITERS = 20
/** In the byte order of their UTF-8, which is not that of JavaScript's texts. */
const NAMES = ['a-b', 'a.b', 'a/b', 'a0', 'b', '\uff5e', '\u{1f3e0}'] as const

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

async function namesOf(
  store: ObjectStore,
  prefix: string,
  options?: { startAfter: string }
): Promise<string[]> {
  const infos = await Array.fromAsync(store.list(prefix, options))
  return infos.map(info => info.path)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}

const CHECKS: Readonly<Record<string, Check>> = {
  'get gives the bytes that were put, and those of the last put': async (store, below) => {
    await store.put(`${below}x`, bytesOf('one'))
    await store.put(`${below}x`, bytesOf('two'))
    return textOf(await store.get(`${below}x`)) === 'two'
  },
  'get gives a range, from start to before end': async (store, below) => {
    await store.put(`${below}x`, bytesOf('0123456789'))
    return textOf(await store.get(`${below}x`, { start: 2, end: 5 })) === '234'
  },
  'get of an absent object rejects with a DeltaError of code STORAGE_NOT_FOUND': async (
    store,
    below
  ) => {
    const error = await store.get(`${below}absent`).catch((reason: unknown) => reason)
    return isDeltaError(error, 'STORAGE_NOT_FOUND')
  },
  'head gives size and time in milliseconds since the epoch, undefined when absent': async (
    store,
    below
  ) => {
    await store.put(`${below}x`, bytesOf('12345'))
    const info = await store.head(`${below}x`)
    const absent = await store.head(`${below}absent`)
    // Seconds or microseconds would be before 2001 or after the year 5000.
    const plausible = (info?.modifiedAt ?? 0) > 1e12 && (info?.modifiedAt ?? 0) < 1e14
    return info?.size === 5 && info.path === `${below}x` && plausible && absent === undefined
  },
  'put with ifAbsent stores once, whoever calls at the same time': async (store, below) => {
    const put = (writer: number): Promise<PutResult> =>
      store.put(`${below}x`, bytesOf(`writer ${writer}`), { ifAbsent: true })
    const results = await Promise.all(Array.from({ length: WRITERS }, (_, writer) => put(writer)))
    const winner = results.indexOf('stored')
    const once = results.filter(result => result === 'stored').length === 1
    return once && textOf(await store.get(`${below}x`)) === `writer ${winner}`
  },
  'put with ifAbsent leaves an object that is there': async (store, below) => {
    await store.put(`${below}x`, bytesOf('first'))
    const result = await store.put(`${below}x`, bytesOf('second'), { ifAbsent: true })
    return result === 'exists' && textOf(await store.get(`${below}x`)) === 'first'
  },
  'list gives whole paths in the byte order of UTF-8': async (store, below) => {
    await Promise.all(NAMES.toReversed().map(name => store.put(`${below}${name}`, bytesOf(name))))
    const wanted = NAMES.map(name => `${below}${name}`)
    return sameList(await namesOf(store, below), wanted)
  },
  'list takes a prefix that ends within a name': async (store, below) => {
    await Promise.all(NAMES.map(name => store.put(`${below}${name}`, bytesOf(name))))
    const wanted = ['a-b', 'a.b', 'a/b', 'a0'].map(name => `${below}${name}`)
    return sameList(await namesOf(store, `${below}a`), wanted)
  },
  'list begins after startAfter': async (store, below) => {
    await Promise.all(NAMES.map(name => store.put(`${below}${name}`, bytesOf(name))))
    const wanted = NAMES.slice(3).map(name => `${below}${name}`)
    return sameList(await namesOf(store, below, { startAfter: `${below}a/b` }), wanted)
  },
  'list shows an object as soon as it is put, and no more when it is deleted': async (
    store,
    below
  ) => {
    await store.put(`${below}x`, bytesOf('x'))
    const there = await namesOf(store, below)
    await store.delete(`${below}x`)
    return there.length === 1 && (await namesOf(store, below)).length === 0
  },
  'delete of an absent object is no error': async (store, below) => {
    await store.delete(`${below}absent`)
    return true
  },
  'putFile stores a local file, replaces what is there, and gives its size': async (
    store,
    below
  ) => {
    const directory = await mkdtemp(join(tmpdir(), 'store-check-'))
    try {
      const file = join(directory, 'file')
      await writeFile(file, 'from a file')
      await store.put(`${below}x`, bytesOf('old'))
      const size = await store.putFile(`${below}x`, file)
      return size === 11 && textOf(await store.get(`${below}x`)) === 'from a file'
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
  'localPath, where there is one, names a local file with the bytes of the object': async (
    store,
    below
  ) => {
    if (store.localPath === undefined) return true
    await store.put(`${below}x`, bytesOf('local'))
    return (await readFile(store.localPath(`${below}x`), 'utf8')) === 'local'
  }
}

/**
 * Tries a store of your own, below a prefix that it empties at the end; resolves to the sentences of the
 * contract that do not hold, each with the error if there was one. An empty list does not prove that the
 * store is safe (a race may hide), a sentence in it proves that tables would not be. Objects that are there
 * already below the prefix are deleted.
 */
export async function checkObjectStore(store: ObjectStore, prefix = '_check/'): Promise<string[]> {
  const problems: string[] = []
  for (const [index, [sentence, check]] of Object.entries(CHECKS).entries()) {
    const below = `${prefix}${index}/`
    try {
      await empty(store, below)
      if (!(await check(store, below))) problems.push(sentence)
    } catch (error) {
      problems.push(`${sentence}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      await empty(store, below).catch(() => undefined)
    }
  }
  return problems
}

async function empty(store: ObjectStore, below: string): Promise<void> {
  for (const path of await namesOf(store, below)) await store.delete(path)
}
