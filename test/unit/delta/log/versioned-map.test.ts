import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VersionedMap } from '../../../../src/delta/log/versioned-map.ts'
import { seededRandom } from '../../../helpers/random.ts'

function assertSame(version: ReadonlyMap<string, number>, expected: Map<string, number>): void {
  assert.equal(version.size, expected.size)
  assert.deepEqual(new Map(version), expected)
  assert.deepEqual(new Set(version.keys()), new Set(expected.keys()))
  assert.deepEqual([...version.values()].sort(), [...expected.values()].sort())
  const seen = new Map<string, number>()
  version.forEach((value, key) => {
    seen.set(key, value)
  })
  assert.deepEqual(seen, expected)
}

describe('A map with versions', () => {
  test('keeps every version as it was, whatever happens later', () => {
    const random = seededRandom(7)
    const map = new VersionedMap<string, number>()
    const model = new Map<string, number>()
    const versions: { version: ReadonlyMap<string, number>; expected: Map<string, number> }[] = []
    for (let step = 0; step < 4000; step++) {
      const key = `k${random.int(0, 300)}`
      if (random.chance(0.4)) {
        map.delete(key)
        model.delete(key)
      } else {
        map.set(key, step)
        model.set(key, step)
      }
      assert.equal(map.size, model.size)
      assert.equal(map.get(key), model.get(key))
      assert.equal(map.has(key), model.has(key))
      if (random.chance(0.2)) versions.push({ version: map.version(), expected: new Map(model) })
    }
    assert.ok(versions.length > 500)
    for (const { version, expected } of versions) assertSame(version, expected)
    const { version, expected } = versions[100] ?? assert.fail()
    for (let n = 0; n <= 300; n++) {
      assert.equal(version.get(`k${n}`), expected.get(`k${n}`))
      assert.equal(version.has(`k${n}`), expected.has(`k${n}`))
    }
  })

  test('gives the same version while nothing changes', () => {
    const map = new VersionedMap<string, number>()
    map.set('a', 1)
    const version = map.version()
    map.delete('not there')
    assert.equal(map.version(), version)
    map.set('a', 1)
    assert.notEqual(map.version(), version)
  })

  test('may be changed while a version is gone through', () => {
    const map = new VersionedMap<string, number>()
    for (let n = 0; n < 10; n++) map.set(`k${n}`, n)
    const seen: number[] = []
    for (const value of map.version().values()) {
      seen.push(value)
      map.delete('k5')
      map.set('later', 1)
      map.version()
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
