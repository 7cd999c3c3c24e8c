import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDuckDb } from '../../../src/adapters/duckdb/index.ts'
import { openMemoryObjectStore } from '../../../src/adapters/memory/index.ts'
import { DeltaError } from '../../../src/core/index.ts'
import { DeltaTable } from '../../../src/delta/index.ts'
import { Turns } from '../../../src/delta/turns.ts'
import { openTestDelta, openVectorTable } from '../../helpers/delta.ts'

const PATH = 't/_delta_log/_merge_turn'

/** Time passes only while somebody sleeps. */
function ports() {
  let now = 0
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  let id = 0
  const ids = { uuid: () => `id ${id++}`, random: () => 0.5 }
  const store = openMemoryObjectStore()
  return { store, clock, ids, engine: undefined as never }
}

test('one writer at a time has the turn, and gives it to the next', async () => {
  const shared = ports()
  const order: string[] = []
  await Promise.all(
    ['a', 'b', 'c'].map(async name => {
      const turn = await new Turns(shared, 't').take()
      assert.ok(turn)
      order.push(name)
      await shared.clock.sleep(20)
      order.push(name)
      await turn.end()
    })
  )
  assert.equal(order.length, 6)
  for (let i = 0; i < 6; i += 2) assert.equal(order[i], order[i + 1])
  assert.equal(await shared.store.head(PATH), undefined)
})

test('the turn of a writer that died is taken away after its lease', async () => {
  const shared = ports()
  const slow = await new Turns(shared, 't').take()
  const before = shared.clock.now()
  const turn = await new Turns(shared, 't').take()
  assert.ok(turn)
  const waited = shared.clock.now() - before
  // The dead one was only slow: it does not end the turn of the other.
  await slow?.end()
  assert.ok(await shared.store.head(PATH))
  await turn.end()
  assert.equal(await shared.store.head(PATH), undefined)
  assert.ok(waited >= 1000 && waited < 1500, `${waited} ms`)
})

test('a store that refuses it, or an endless row of others, stops nobody', async () => {
  const shared = ports()
  const down = new DeltaError('STORAGE_UNAVAILABLE', 'down')
  const broken = { get: () => Promise.reject(down) }
  assert.equal(await new Turns({ ...shared, store: broken } as never, 't').take(), undefined)
  let holders = 0
  const busy = { get: async () => Buffer.from(`500 ${holders++}`), delete: async () => undefined }
  assert.equal(await new Turns({ ...shared, store: busy } as never, 't').take(), undefined)
  assert.ok(shared.clock.now() >= 30_000)
})

test('contention begins with a lost commit and ends after turns that were free', async () => {
  const turns = new Turns(ports(), 't')
  assert.equal(turns.contended, false)
  turns.lost()
  assert.equal(turns.contended, true)
  for (let i = 0; i < 16; i++) await (await turns.take())?.end()
  assert.equal(turns.contended, false)
})

test('eight writers with engines of their own, merging the same keys, leave each key once with its newest value', async () => {
  await using delta = await openTestDelta()
  const columns = [
    { name: 'id', type: 'integer', nullable: false },
    { name: 'at', type: 'integer', nullable: true },
    { name: 'text', type: 'string', nullable: true }
  ] as const
  const first = await openVectorTable(delta, 't', { columns })
  const row = (id: number, at: number) => ({ id, at, text: `text ${id} ${(id * 7919) % 10_007}` })
  await first.append(Array.from({ length: 4000 }, (_, id) => row(id, 0)))
  const rules = {
    keys: ['id'],
    policies: new Map(),
    guard: { columns: ['at'], strict: true }
  }
  const newest = new Map<number, number>()
  const total = { written: 0, wasted: 0 }
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      const engine = await openDuckDb({ connections: 1, memoryLimit: '64MB' })
      const table = await DeltaTable.open('t', { ...delta.ports, engine }, delta.options)
      for (let merge = 0; merge < 5; merge++) {
        const batch = Array.from({ length: 300 }, (_, i) => {
          const id = (writer * 131 + merge * 977 + i * 17) % 5000
          return row(id, 1 + ((writer * 7 + merge * 3 + i) % 1000))
        })
        for (const { id, at } of batch) newest.set(id, Math.max(at, newest.get(id) ?? 0))
        const result = await table.merge(batch, rules)
        total.written += result.bytesWritten
        total.wasted += result.bytesWasted
      }
      await table.close()
      await engine.close()
    })
  )
  const rows = await first.read()
  assert.deepEqual((await first.verify(['id'])).problems, [])
  assert.equal(rows.length, new Set([...newest.keys(), ...Array(4000).keys()]).size)
  for (const { id, at } of rows) assert.equal(at, newest.get(Number(id)) ?? 0)
  assert.ok(total.wasted < total.written * 0.4, `${total.wasted} of ${total.written} bytes`)
  assert.equal(await delta.ports.store.head(PATH), undefined)
})
