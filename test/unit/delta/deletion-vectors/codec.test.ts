import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodeVector,
  encodeVector,
  encodeVectorFile,
  frameOf,
  unframe
} from '../../../../src/delta/deletion-vectors/codec.ts'
import {
  hasPosition,
  isWithin,
  positionsOf,
  unionOf
} from '../../../../src/delta/deletion-vectors/positions.ts'
import {
  decodeUuid,
  decodeZ85,
  encodeUuid,
  encodeZ85
} from '../../../../src/delta/deletion-vectors/z85.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e9))

/** Scattered values, runs and dense blocks over a few containers. */
const sets = fc
  .array(
    fc.oneof(
      fc.record({
        start: fc.integer({ min: 0, max: 4_294_967_295 }),
        length: fc.constant(1),
        step: fc.constant(1)
      }),
      fc.record({
        start: fc.integer({ min: 0, max: 400_000 }),
        length: fc.integer({ min: 1, max: 9000 }),
        step: fc.integer({ min: 1, max: 5 })
      })
    ),
    { maxLength: 12 }
  )
  .map(parts => {
    const set = new Set<number>()
    for (const { start, length, step } of parts) {
      for (let i = 0; i < length; i++) {
        if (start + i * step < 2 ** 32) set.add(start + i * step)
      }
    }
    return set
  })

test(`sets of positions survive encoding, in every kind of container (seed ${seed})`, () => {
  fc.assert(
    fc.property(sets, set => {
      const positions = positionsOf(set)
      const expected = [...set].sort((a, b) => a - b)
      assert.deepEqual([...decodeVector(encodeVector(positions), set.size, 'x')], expected)
    }),
    { seed, numRuns: 60 }
  )
})

test(`unions and look-ups agree with sets (seed ${seed})`, () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const union = unionOf(positionsOf(a), positionsOf(b))
      assert.deepEqual(
        [...union],
        [...a.union(b)].sort((x, y) => x - y)
      )
      assert.ok(isWithin(positionsOf(a), union))
      assert.equal(isWithin(union, positionsOf(a)), b.isSubsetOf(a))
      for (const position of [...b].slice(0, 20)) {
        assert.equal(hasPosition(positionsOf(a), position), a.has(position))
      }
    }),
    { seed, numRuns: 60 }
  )
})

test('a vector takes the container that needs the fewest bytes', () => {
  const size = (values: Iterable<number>): number => encodeVector(positionsOf(values)).length
  const range = (n: number, step: number): number[] => Array.from({ length: n }, (_, i) => i * step)
  const header = 4 + 12 + 8 + 8
  assert.equal(size(range(4096, 16)), header + 8192)
  assert.equal(size(range(5000, 13)), header + 8192)
  assert.equal(size(range(100, 7)), header + 200)
  assert.equal(size(range(60_000, 1)), 4 + 12 + 4 + 1 + 4 + 6)
})

test('the inline example of the protocol, which is in an older form, is refused by its magic number', () => {
  const bytes = decodeZ85('wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L', 40)
  assert.throws(() => decodeVector(bytes ?? assert.fail(), 6, 'x'), {
    code: 'DELTA_DATA_CORRUPT',
    message: /magic/
  })
})

test('ids of vector files are those of the protocol’s example', () => {
  const uuid = 'd2c639aa-8816-431a-aaf6-d3fe2512ff61'
  assert.equal(decodeUuid('^-aqEH.-t@S}K{vb[*k^'), uuid)
  assert.equal(encodeUuid(uuid), '^-aqEH.-t@S}K{vb[*k^')
  assert.equal(decodeUuid('^-aqEH.-t@S}K{vb[*k'), undefined)
  assert.equal(decodeUuid('^-aqEH.-t@S}K{vb[*k"'), undefined)
})

test(`bytes survive Z85 (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
      assert.deepEqual(decodeZ85(encodeZ85(bytes), bytes.length), bytes)
    }),
    { seed }
  )
})

test('any byte of a vector file that is changed, or cut off, is noticed', () => {
  const vectors = [
    [1, 5, 9],
    [70_000, 70_001]
  ].map(values => encodeVector(positionsOf(values)))
  const { bytes, offsets } = encodeVectorFile(vectors)
  const read = (file: Uint8Array, index: number): Uint32Array => {
    const size = vectors[index]?.length ?? 0
    const { start, end } = frameOf(offsets[index] ?? 0, size)
    return decodeVector(
      unframe(file.subarray(start, end), size, 'v.bin'),
      index === 0 ? 3 : 2,
      'v.bin'
    )
  }
  assert.deepEqual([...read(bytes, 1)], [70_000, 70_001])
  for (let at = 1; at < bytes.length; at++) {
    const broken = Uint8Array.from(bytes)
    broken[at] = (broken[at] ?? 0) ^ 0x41
    const index = at < (offsets[1] ?? 0) ? 0 : 1
    assert.throws(() => read(broken, index), { code: 'DELTA_DATA_CORRUPT', message: /v\.bin/ })
  }
  assert.throws(() => read(bytes.subarray(0, -1), 1), { code: 'DELTA_DATA_CORRUPT' })
})

test(`bytes that are no vector are corrupt, or beyond 32 bits, never a wrong answer (seed ${seed})`, () => {
  const good = encodeVector(positionsOf([...Array(5000).keys()].map(i => i * 3).concat(200_000)))
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const broken = cut ? good.slice(0, at) : Uint8Array.from(good)
      if (!cut) broken[at] = byte
      try {
        const positions = decodeVector(broken, 5001, 'x')
        assert.deepEqual(positions, positionsOf(positions), 'what is read is a set in order')
      } catch (error) {
        assert.match(String((error as { code: string }).code), /^DELTA_(DATA_CORRUPT|UNSUPPORTED)$/)
      }
    }),
    { seed, numRuns: 300 }
  )
})

test('positions of 2^32 and above, another magic number and a wrong cardinality are refused', () => {
  const bytes = encodeVector(positionsOf([7]))
  const high = Uint8Array.from(bytes)
  high[12] = 1
  assert.throws(() => decodeVector(high, 1, 'x'), { code: 'DELTA_UNSUPPORTED', message: /2\^32/ })
  const other = Uint8Array.from(bytes)
  other[0] = (other[0] ?? 0) - 1
  assert.throws(() => decodeVector(other, 1, 'x'), { code: 'DELTA_DATA_CORRUPT', message: /magic/ })
  assert.throws(() => decodeVector(bytes, 2, 'x'), { message: /1 rows, the log says 2/ })
})
