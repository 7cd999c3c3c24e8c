/** The parts of the key index by themselves: what is entered is found, and comes out sorted. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { KeyRun } from '../../../../src/delta/key-index/key-run.ts'
import { RecentKeys } from '../../../../src/delta/key-index/recent-keys.ts'
import { writeRun } from '../../../../src/delta/key-index/run-writer.ts'
import type { KeyHashes } from '../../../../src/delta/parquet-engine.ts'

const identity = { table: 't', keys: ['id:"string"'] }

interface Entry {
  readonly hash: readonly number[]
  readonly file: number
  readonly row: number
}

/** Hashes that often agree in their last words, as real ones hardly do. */
function entriesOf(count: number, spread: number, file: number): Entry[] {
  let state = count * 31 + file
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  const top = (): number =>
    [0, 0xffff_ffff, 0x8000_0000][random() % 40] ??
    Math.floor(((random() % spread) / spread) * 2 ** 32)
  return Array.from({ length: count }, (_, row) => {
    return { hash: [random(), random() % 3, random() % 2, top()], file, row }
  })
}

const textOf = ({ hash, file, row }: Entry): string => JSON.stringify([hash, file, row])

function recentOf(entries: readonly Entry[]): RecentKeys {
  const recent = new RecentKeys()
  for (const { hash, file, row } of entries) recent.add(Uint32Array.from(hash), 0, file, row)
  return recent
}

function read(batches: Iterable<KeyHashes>): Entry[] {
  return [...batches].flatMap(({ hashes, places }) =>
    Array.from({ length: places.length / 2 }, (_, i) => ({
      hash: [...hashes.subarray(i * 4, i * 4 + 4)],
      file: places[i * 2 + 1] ?? -1,
      row: places[i * 2] ?? -1
    }))
  )
}

function assertSame(found: readonly Entry[], expected: readonly Entry[]): void {
  assert.deepEqual(found.map(textOf).sort(), expected.map(textOf).sort())
}

function assertSorted(entries: readonly Entry[]): void {
  for (let i = 1; i < entries.length; i++) {
    assert.ok((entries[i - 1]?.hash[3] ?? 0) <= (entries[i]?.hash[3] ?? 0))
  }
}

describe('Keys', () => {
  test('in memory are found, and come out in order', () => {
    for (const [count, spread] of [
      [0, 1],
      [1, 1],
      [3000, 5],
      [3000, 1000],
      [40_000, 2 ** 31]
    ] as const) {
      const entries = entriesOf(count, spread, 3)
      const recent = recentOf(entries)
      assert.equal(recent.size, count)
      const sorted = read(recent.sorted())
      assertSorted(sorted)
      assertSame(sorted, entries)
      const byHash = Map.groupBy(entries, entry => `${entry.hash}`)
      for (const entry of entries.slice(0, 200)) {
        const found: Entry[] = []
        recent.find(Uint32Array.from([9, ...entry.hash]), 1, (file, row) => {
          found.push({ hash: entry.hash, file, row })
        })
        assertSame(found, byHash.get(`${entry.hash}`) ?? [])
      }
    }
  })

  test('of several sources are merged into a run, in which each is found, and no other', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'key-run-'))
    try {
      const files = [0, 1, 2].map(file => ({ path: `f${file}`, size: file }))
      for (const [count, spread] of [
        [0, 1],
        [1, 1],
        [64, 2],
        [1000, 3],
        [20_000, 2 ** 31]
      ] as const) {
        const parts = [entriesOf(count, spread, 0), entriesOf(count + 7, spread, 1)]
        const path = join(directory, `${count}`)
        const made = { path, temporary: `${path}.new`, identity, salt: 'a salt', files }
        await writeRun(made, [...parts.map(part => recentOf(part).sorted()), []])
        const run = KeyRun.open(path, identity)
        assert.ok(run !== undefined)
        assert.equal(run.salt, 'a salt')
        assert.deepEqual(run.files, files)
        const all = parts.flat()
        assert.equal(run.entries, all.length)
        const sorted = read(run.sorted([0, 1]))
        assertSorted(sorted)
        assertSame(sorted, all)
        assertSame(
          read(run.sorted([undefined, 8])),
          (parts[1] ?? []).map(e => ({ ...e, file: 8 }))
        )
        const byHash = Map.groupBy(all, entry => `${entry.hash}`)
        const absent = entriesOf(300, spread, 9)
        for (const { hash } of [...all.slice(0, 300), ...all.slice(-300), ...absent]) {
          const found: Entry[] = []
          run.find(Uint32Array.from(hash), 0, (file, row) => found.push({ hash, file, row }))
          assertSame(found, byHash.get(`${hash}`) ?? [])
        }
        assert.equal(KeyRun.open(path, { ...identity, table: 'u' }), undefined)
        run.close()
      }
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
