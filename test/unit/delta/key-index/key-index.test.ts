/**
 * Merges through the key index do what they do without it: warm, cold, with the cache of another table or
 * process, torn or damaged at any byte, after the table was rewritten behind its back.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ColumnPolicy, Row } from '../../../../src/core/index.ts'
import {
  type ColumnSpec,
  DeltaTable,
  type KeyHashes,
  type MergeRules,
  type ParquetEngine
} from '../../../../src/delta/index.ts'
import { openTestDelta, type TestDelta } from '../../../helpers/delta.ts'

const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'part', type: 'long', nullable: false },
  { name: 'note', type: 'string', nullable: true },
  { name: 'filler', type: 'string', nullable: true }
]
const rules: MergeRules = { keys: ['id', 'part'], policies: new Map() }
/** So many that their keys are kept in a file and looked up there. */
const ROWS = 120_000

/** Text that does not compress, so that the table is large enough to be looked up. */
const filler = (i: number): string =>
  Array.from({ length: 12 }, (_, j) => ((i + 1) * 2_654_435_761 * (j + 7)) % 4_294_967_291)
    .map(n => n.toString(36))
    .join('')

const row = (i: number, note: string): Row => ({
  id: `k${i}`,
  part: i % 7,
  note,
  filler: filler(i)
})

async function filled(delta: TestDelta, vectors = true): Promise<void> {
  const properties = { 'delta.enableDeletionVectors': String(vectors) }
  const table = await DeltaTable.openOrCreate(
    't',
    { columns, properties },
    delta.ports,
    delta.options
  )
  for (let start = 0; start < ROWS; start += ROWS / 2) {
    await table.append(Array.from({ length: ROWS / 2 }, (_, i) => row(start + i, 'old')))
  }
  await table.close()
}

async function openIndexed(delta: TestDelta): Promise<DeltaTable> {
  const indexDirectory = join(delta.root, 'index')
  return await DeltaTable.open('t', delta.ports, { ...delta.options, indexDirectory })
}

/** Merges stored and new keys, and checks what became of them. */
async function mergeAndCheck(table: DeltaTable, seed: number, rows: number): Promise<number> {
  const batch: Row[] = []
  for (let i = 0; i < 20; i++) batch.push(row((seed * 7919 + i * 2971) % ROWS, `new ${seed}`))
  for (let i = 0; i < 5; i++) batch.push(row(ROWS + seed * 100 + i, `new ${seed}`))
  const result = await table.merge(batch, rules)
  assert.equal(result.inserted, 5)
  assert.equal(result.updated, 20)
  const found = await table.read({ where: `note = 'new ${seed}'`, columns: ['id', 'part'] })
  assert.equal(found.length, 25)
  assert.equal(await table.countRows(), rows + 5)
  return rows + 5
}

/** The same rows again: everything is found, so nothing is inserted. */
async function settle(table: DeltaTable): Promise<void> {
  await table.merge([row(1, 'old')], { ...rules, insertOnly: true })
  await table.settled()
}

const runsOf = (delta: TestDelta): string[] =>
  readdirSync(join(delta.root, 'index')).map(name => join(delta.root, 'index', name))

describe('The key index', () => {
  for (const vectors of [true, false]) {
    test(`finds what reading finds, cold and warm, ${vectors ? 'with' : 'without'} vectors`, async () => {
      await using delta = await openTestDelta()
      await filled(delta, vectors)
      const table = await openIndexed(delta)
      let rows = ROWS
      rows = await mergeAndCheck(table, 1, rows)
      await settle(table)
      assert.equal(runsOf(delta).length, 1)
      for (const seed of [2, 3, 4]) {
        rows = await mergeAndCheck(table, seed, rows)
        await table.settled()
      }
      assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
      await table.close()
      const again = await openIndexed(delta)
      await settle(again)
      await mergeAndCheck(again, 5, rows)
      assert.deepEqual((await again.verify(['id', 'part'])).problems, [])
      await again.close()
    })
  }

  test('is made again when its file is cut, changed, foreign or empty', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    const first = await openIndexed(delta)
    await settle(first)
    await first.close()
    const [path = ''] = runsOf(delta)
    const whole = readFileSync(path)
    let rows = ROWS
    const damages: (() => void)[] = [
      () => truncateSync(path, whole.length - 1),
      () => truncateSync(path, 100),
      () => writeFileSync(path, ''),
      () => writeFileSync(path, 'nothing that an index would hold'),
      () => {
        const changed = Buffer.from(whole)
        changed[5000] = (changed[5000] ?? 0) ^ 1
        writeFileSync(path, changed)
      },
      () => {
        const changed = Buffer.from(whole)
        changed[whole.length - 40] = (changed[whole.length - 40] ?? 0) ^ 1
        writeFileSync(path, changed)
      }
    ]
    for (const [index, damage] of damages.entries()) {
      damage()
      const table = await openIndexed(delta)
      rows = await mergeAndCheck(table, 10 + index, rows)
      await settle(table)
      rows = await mergeAndCheck(table, 20 + index, rows)
      await table.close()
    }
    const table = await openIndexed(delta)
    assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
    await table.close()
  })

  test('follows what other writers do', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    const one = await openIndexed(delta)
    const other = await openIndexed(delta)
    await settle(one)
    await settle(other)
    let rows = ROWS
    for (let seed = 30; seed < 36; seed++) {
      rows = await mergeAndCheck(seed % 2 === 0 ? one : other, seed, rows)
    }
    const same = Array.from({ length: 20 }, (_, i) => row(i, 'both'))
    const results = await Promise.all([one.merge(same, rules), other.merge(same, rules)])
    assert.equal(results[0]?.inserted, 0)
    assert.equal(results[1]?.inserted, 0)
    assert.deepEqual((await one.verify(['id', 'part'])).problems, [])
    await one.close()
    await other.close()
  })

  test('serves merges that overwrite, which leave no trace of the stored row', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    const table = await openIndexed(delta)
    await settle(table)
    const result = await table.merge([{ id: 'k9', part: 2, note: 'bare' }], {
      ...rules,
      overwrite: true
    })
    assert.equal(result.updated, 1)
    assert.deepEqual(await table.read({ where: "id = 'k9'" }), [
      { id: 'k9', part: 2, note: 'bare', filler: null }
    ])
    await table.close()
  })

  test('lets every column policy see the stored row', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    const table = await openIndexed(delta)
    await settle(table)
    const policies = new Map<string, ColumnPolicy>([
      ['note', 'audit'],
      ['filler', 'first']
    ])
    const audited: MergeRules = { keys: ['id', 'part'], policies }
    // Differs in what is audited alone, and in what stays as it was first.
    assert.equal((await table.merge([row(5, 'later')], audited)).updated, 0)
    assert.equal((await table.merge([{ ...row(5, 'later'), filler: 'x' }], audited)).updated, 0)
    const mixed: MergeRules = { ...audited, policies: new Map([['note', 'audit']]) }
    const batch = [
      { ...row(5, 'later'), filler: 'x' },
      { id: 'k6', part: 6, filler: 'y' }
    ]
    assert.equal((await table.merge(batch, mixed)).updated, 2)
    const found = await table.read({ where: "filler IN ('x', 'y')", columns: ['id', 'note'] })
    assert.deepEqual(
      found.sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1)),
      [
        { id: 'k5', note: 'later' },
        { id: 'k6', note: 'old' }
      ]
    )
    assert.equal((await table.merge([{ ...row(5, 'newest'), filler: 'z' }], mixed)).updated, 1)
    const [last] = await table.read({ where: "filler = 'z'" })
    assert.deepEqual(last, { ...row(5, 'newest'), filler: 'z' })
    await table.close()
  })

  test('finds keys that cannot be stored as they were given', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    const table = await openIndexed(delta)
    const odd = { ...row(ROWS, 'odd'), id: 'odd\ud800' }
    assert.equal((await table.merge([odd], rules)).inserted, 1)
    await settle(table)
    // Looked up together with a key of a large file, for small ones alone are read.
    const result = await table.merge([{ ...odd, note: 'even' }, row(9, 'even')], rules)
    assert.deepEqual([result.inserted, result.updated], [0, 2])
    assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
    await table.close()
  })

  for (const harm of ['changed', 'cut'] as const) {
    test(`finds every key after its file was ${harm} while it is open`, async () => {
      await using delta = await openTestDelta()
      await filled(delta)
      const table = await openIndexed(delta)
      await settle(table)
      const [path = ''] = runsOf(delta)
      const bytes = readFileSync(path)
      if (harm === 'cut') truncateSync(path, 1000)
      else writeFileSync(path, bytes.fill(255, 0, ROWS * 24))
      let rows = await mergeAndCheck(table, 60, ROWS)
      // Made again meanwhile, and of use again.
      await settle(table)
      assert.ok(readFileSync(path).length >= ROWS * 24)
      rows = await mergeAndCheck(table, 61, rows)
      assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
      await table.close()
    })
  }

  test('reads nothing of what a merge wrote itself, and merges it into its file in the end', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    let reads = 0
    const count = (): boolean => reads++ < 0
    const ports = { ...delta.ports, engine: failingOnce(delta.ports.engine, count) }
    const indexDirectory = join(delta.root, 'index')
    const table = await DeltaTable.open('t', ports, { ...delta.options, indexDirectory })
    await settle(table)
    assert.equal(reads, 1)
    const [path = ''] = runsOf(delta)
    const before = readFileSync(path).length
    const added = 9000
    let rows = ROWS
    for (; rows < ROWS + 12 * added; rows += added) {
      const first = rows
      const batch = Array.from({ length: added }, (_, i) => row(first + i, 'new'))
      const options = { smallFileBytes: 0, targetFileBytes: 1 }
      assert.equal(
        (await table.merge(batch, { ...rules, insertOnly: true }, options)).inserted,
        added
      )
    }
    await table.settled()
    // Of the last ones those are left in memory that came after the file was made.
    const after = readFileSync(path).length
    assert.ok(after > before + 10 * added * 24, `${before} to ${after} bytes`)
    const again = Array.from({ length: rows }, (_, i) => row(i, 'again'))
    for (const start of [0, ROWS - 5000, rows - 9500]) {
      const batch = again.slice(start, start + 9500)
      assert.equal((await table.merge(batch, { ...rules, insertOnly: true })).inserted, 0)
    }
    assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
    await table.close()
    // All that was read is what was there before the index, and nothing of the rest.
    assert.equal(reads, 2)
  })

  test('enters no row twice when taking in new files fails half-way', async () => {
    await using delta = await openTestDelta()
    await filled(delta)
    let faults = 0
    const ports = { ...delta.ports, engine: failingOnce(delta.ports.engine, () => faults++ === 1) }
    const indexDirectory = join(delta.root, 'index')
    const table = await DeltaTable.open('t', ports, { ...delta.options, indexDirectory })
    await settle(table)
    await table.append(Array.from({ length: 30 }, (_, i) => row(ROWS + i, 'old')))
    await table.merge([row(2, 'fails')], rules)
    await table.settled()
    await table.merge([row(3, 'succeeds')], rules)
    await table.settled()
    assert.ok(faults > 2)
    const result = await table.merge([row(ROWS + 3, 'new'), row(9, 'new')], rules)
    assert.deepEqual([result.inserted, result.updated], [0, 2])
    assert.equal(await table.countRows(), ROWS + 30)
    assert.deepEqual((await table.verify(['id', 'part'])).problems, [])
    await table.close()
  })
})

/** The engine, whose reading of keys fails after the first batch when `fails` says so. */
function failingOnce(engine: ParquetEngine, fails: () => boolean): ParquetEngine {
  async function* sortedKeyHashes(
    ...request: Parameters<ParquetEngine['sortedKeyHashes']>
  ): AsyncGenerator<KeyHashes> {
    const failing = fails()
    for await (const batch of engine.sortedKeyHashes(...request)) {
      yield batch
      if (failing) throw new Error('a passing fault')
    }
  }
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'sortedKeyHashes') return sortedKeyHashes
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
