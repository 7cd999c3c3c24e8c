import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { murmur2, partitionOfKey } from '../../../src/core/index.ts'

// The vectors of the Java client's own test.
const vectors: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107]
]

for (const [text, hash] of vectors) {
  test(`hashes ${text} as the Java client does`, () => {
    assert.equal(murmur2(Buffer.from(text)), hash)
  })
}

test('every key, of any length, lands on an existing partition, always the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, n) => {
      const partition = partitionOfKey(key, n)
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < n)
      assert.equal(partitionOfKey(Uint8Array.from(key), n), partition)
    })
  )
})
