/**
 * Murmur2 as the Java client of Kafka computes it, so that a key lands on the same partition number
 * here and there. Seed and constants are those of the Java client's default partitioner.
 */
const SEED = 0x9747b28c
const M = 0x5bd1e995

/** Signed 32-bit hash of the bytes. */
export function murmur2(data: Uint8Array): number {
  const length = data.length
  let h = SEED ^ length
  const blocks = length >>> 2
  for (let block = 0; block < blocks; block++) {
    const i = block * 4
    let k = byte(data, i) | (byte(data, i + 1) << 8)
    k |= (byte(data, i + 2) << 16) | (byte(data, i + 3) << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = blocks * 4
  const left = length - rest
  if (left > 2) h ^= byte(data, rest + 2) << 16
  if (left > 1) h ^= byte(data, rest + 1) << 8
  if (left > 0) h = Math.imul(h ^ byte(data, rest), M)
  h = Math.imul(h ^ (h >>> 13), M)
  return (h ^ (h >>> 15)) | 0
}

/** Partition of a key: the sign bit is dropped, then modulo, as in Java. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

function byte(data: Uint8Array, index: number): number {
  return data[index] ?? 0
}
