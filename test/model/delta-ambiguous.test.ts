/**
 * Commits whose answer is lost, 1,000 of them: the put landed or failed, the store or its client repeated
 * it, a rival came first. Each batch is in the table once, in one version, and the writer knows.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openMemoryObjectStore } from '../../src/adapters/memory/index.ts'
import { DeltaError } from '../../src/core/index.ts'
import { DeltaTable } from '../../src/delta/index.ts'
import type { ObjectStore, PutResult } from '../../src/ports/index.ts'
import { openTestDelta } from '../helpers/delta.ts'

const columns = [{ name: 'id', type: 'string', nullable: false }] as const
const CASES = 200

type Put = (path: string, bytes: Uint8Array, ifAbsent: boolean) => Promise<PutResult>
/** What happens to the commit in the place of a plain put. */
type Fault = (put: Put, path: string, bytes: Uint8Array) => Promise<PutResult>

const lost = (): never => {
  throw new DeltaError('STORAGE_UNAVAILABLE', 'the answer is lost')
}
const rival = Buffer.from('{"commitInfo":{"operation":"WRITE","txnId":"the rival"}}\n')

const faults: Readonly<Record<string, Fault>> = {
  'landed, answer lost': async (put, path, bytes) => {
    await put(path, bytes, true)
    return lost()
  },
  'failed, answer lost': async () => lost(),
  'landed, and repeated by the client': async (put, path, bytes) => {
    await put(path, bytes, true)
    return await put(path, bytes, true)
  },
  'a rival landed, answer lost': async (put, path) => {
    await put(path, rival, true)
    return lost()
  },
  'a rival landed, and repeated by the client': async (put, path, bytes) => {
    await put(path, rival, true)
    return await put(path, bytes, true)
  }
}

/** Commits meet the fault while it is armed. */
function faulty(store: ObjectStore, fault: Fault, armed: () => boolean): ObjectStore {
  const put: Put = (path, bytes, ifAbsent) => store.put(path, bytes, { ifAbsent })
  return {
    root: store.root,
    put: async (path, bytes, options) => {
      const commit = /_delta_log\/\d{20}\.json$/.test(path)
      return commit && armed()
        ? await fault(put, path, bytes)
        : await store.put(path, bytes, options)
    },
    putFile: (...args) => store.putFile(...args),
    get: (...args) => store.get(...args),
    head: (...args) => store.head(...args),
    list: (...args) => store.list(...args),
    delete: (...args) => store.delete(...args),
    close: () => store.close()
  }
}

describe('Ambiguous commits', () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(`${name}: each batch once, ${CASES} times`, async () => {
      await using delta = await openTestDelta('memory')
      let left = 0
      const store = faulty(openMemoryObjectStore(), fault, () => left-- > 0)
      // Pauses between attempts take no time.
      const clock = { now: () => 1_700_000_000_000, sleep: async () => {} }
      const ports = { ...delta.over(store), clock }
      const table = await DeltaTable.openOrCreate('t', { columns }, ports, delta.options)
      const versions = new Set<number>()
      for (let i = 0; i < CASES; i++) {
        left = 1
        const transaction = { appId: 'app', version: i, expected: i === 0 ? null : i - 1 }
        const { version } = await table.append([{ id: String(i) }], { transaction })
        versions.add(version)
      }
      assert.equal(versions.size, CASES)
      const rivals = name.includes('rival') ? CASES : 0
      assert.equal((await table.snapshot()).version, CASES + rivals)
      const fresh = await DeltaTable.open('t', ports, delta.options)
      const ids = (await fresh.read()).map(row => Number(row['id'])).sort((a, b) => a - b)
      assert.deepEqual(
        ids,
        Array.from({ length: CASES }, (_, i) => i)
      )
    })
  }
})
