/**
 * Sets of row positions in the portable form of RoaringBitmap (github.com/RoaringBitmap/RoaringFormatSpec,
 * 32 bits and its extension to 64). Values are grouped by their upper 16 bits; each group is a container
 * of the kind that takes the fewest bytes: sorted values, a bitmap, or runs. Numbers are little endian.
 */
const COOKIE = 12_346
const COOKIE_WITH_RUNS = 12_347
const BITMAP_BYTES = 8192
/** Containers with more values are bitmaps, unless they are runs. */
const ARRAY_VALUES = 4096
/** With fewer containers a bitmap that has runs goes without offsets. */
const OFFSETS_FROM = 4

export class RoaringError extends Error {}

/** The 64-bit form with the bucket of the lower 32 bits. `positions` ascend. */
export function serialiseRoaring(positions: Uint32Array): Uint8Array {
  const containers = containersOf(positions)
  const runs = containers.some(container => container.kind === 'runs')
  const header = headerBytes(containers.length, runs)
  const size = containers.reduce((sum, container) => sum + container.bytes, header)
  const outer = positions.length === 0 ? 8 : 12
  const bytes = new Uint8Array(positions.length === 0 ? outer : outer + size)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, positions.length === 0 ? 0 : 1, true)
  if (positions.length > 0) writeBucket(bytes, view, outer, containers, runs)
  return bytes
}

/** Rejects with `RoaringError` what is cut, malformed, out of order, or beyond 32 bits. */
export function parseRoaring(bytes: Uint8Array): Uint32Array {
  const reader = new Reader(bytes)
  const buckets = reader.uint32()
  if (reader.uint32() !== 0) throw new RoaringError('the number of buckets is out of range')
  if (buckets === 0) return new Uint32Array(0)
  const key = reader.uint32()
  if (buckets > 1 || key !== 0) throw new BeyondError('it has row positions of 2^32 and above')
  return readBucket(reader)
}

/** A set that is well formed and larger than this engine takes. */
export class BeyondError extends RoaringError {}

interface Container {
  readonly kind: 'array' | 'bitmap' | 'runs'
  readonly key: number
  readonly bytes: number
  /** The positions of the container, with their upper bits. */
  readonly values: Uint32Array
  readonly runs: number
}

function containersOf(positions: Uint32Array): Container[] {
  const containers: Container[] = []
  for (let start = 0; start < positions.length; ) {
    const key = (positions[start] as number) >>> 16
    let end = start + 1
    let runs = 1
    for (; end < positions.length; end++) {
      const value = positions[end] as number
      if (value >>> 16 !== key) break
      if (value !== (positions[end - 1] as number) + 1) runs++
    }
    containers.push(containerOf(key, positions.subarray(start, end), runs))
    start = end
  }
  return containers
}

function containerOf(key: number, values: Uint32Array, runs: number): Container {
  const plain = values.length > ARRAY_VALUES ? BITMAP_BYTES : values.length * 2
  const asRuns = 2 + runs * 4
  if (asRuns < plain) return { kind: 'runs', key, bytes: asRuns, values, runs }
  const kind = values.length > ARRAY_VALUES ? 'bitmap' : 'array'
  return { kind, key, bytes: plain, values, runs }
}

function headerBytes(containers: number, runs: boolean): number {
  if (!runs) return 8 + containers * 8
  const flags = Math.ceil(containers / 8)
  return 4 + flags + containers * 4 + (containers < OFFSETS_FROM ? 0 : containers * 4)
}

function writeBucket(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  containers: readonly Container[],
  runs: boolean
): void {
  const count = containers.length
  let at = start
  if (runs) {
    view.setUint32(at, COOKIE_WITH_RUNS | ((count - 1) << 16), true)
    at += 4
    containers.forEach((container, i) => {
      if (container.kind === 'runs')
        bytes[at + (i >> 3)] = (bytes[at + (i >> 3)] ?? 0) | (1 << (i & 7))
    })
    at += Math.ceil(count / 8)
  } else {
    view.setUint32(at, COOKIE, true)
    view.setUint32(at + 4, count, true)
    at += 8
  }
  for (const { key, values } of containers) {
    view.setUint16(at, key, true)
    view.setUint16(at + 2, values.length - 1, true)
    at += 4
  }
  let data = start + headerBytes(count, runs)
  for (const container of containers) {
    if (!runs || count >= OFFSETS_FROM) {
      view.setUint32(at, data - start, true)
      at += 4
    }
    writeContainer(bytes, view, data, container)
    data += container.bytes
  }
}

function writeContainer(bytes: Uint8Array, view: DataView, at: number, container: Container): void {
  const { kind, values } = container
  if (kind === 'bitmap') {
    for (const value of values) {
      const index = at + ((value & 0xffff) >>> 3)
      bytes[index] = (bytes[index] ?? 0) | (1 << (value & 7))
    }
  } else if (kind === 'array') {
    for (let i = 0; i < values.length; i++)
      view.setUint16(at + i * 2, (values[i] ?? 0) & 0xffff, true)
  } else writeRuns(view, at, container)
}

function writeRuns(view: DataView, at: number, { values, runs }: Container): void {
  view.setUint16(at, runs, true)
  let place = at + 2
  for (let start = 0; start < values.length; ) {
    const first = values[start] as number
    let end = start + 1
    while (end < values.length && values[end] === first + end - start) end++
    view.setUint16(place, first & 0xffff, true)
    view.setUint16(place + 2, end - start - 1, true)
    place += 4
    start = end
  }
}

function readBucket(reader: Reader): Uint32Array {
  const cookie = reader.uint32()
  const runs = (cookie & 0xffff) === COOKIE_WITH_RUNS
  if (!runs && cookie !== COOKIE) throw new RoaringError('it is no RoaringBitmap')
  const count = runs ? (cookie >>> 16) + 1 : reader.uint32()
  if (count > 65_536) throw new RoaringError('the number of containers is out of range')
  const flags = runs ? reader.take(Math.ceil(count / 8)) : new Uint8Array(0)
  const keys = new Uint16Array(count)
  const sizes = new Uint32Array(count)
  let total = 0
  for (let i = 0; i < count; i++) {
    keys[i] = reader.uint16()
    sizes[i] = reader.uint16() + 1
    total += sizes[i] ?? 0
    if (i > 0 && (keys[i] ?? 0) <= (keys[i - 1] ?? 0))
      throw new RoaringError('keys are out of order')
  }
  if (!runs || count >= OFFSETS_FROM) reader.take(count * 4)
  const positions = new Uint32Array(total)
  let filled = 0
  for (let i = 0; i < count; i++) {
    const into = positions.subarray(filled, filled + (sizes[i] ?? 0))
    const base = (keys[i] ?? 0) * 65_536
    const isRuns = runs && (((flags[i >> 3] ?? 0) >> (i & 7)) & 1) === 1
    if (isRuns) readRuns(reader, base, into)
    else if (into.length > ARRAY_VALUES) readBitmap(reader, base, into)
    else readArray(reader, base, into)
    filled += into.length
  }
  return positions
}

function readArray(reader: Reader, base: number, into: Uint32Array): void {
  let before = -1
  for (let i = 0; i < into.length; i++) {
    const value = reader.uint16()
    if (value <= before) throw new RoaringError('values are out of order')
    into[i] = base + value
    before = value
  }
}

function readBitmap(reader: Reader, base: number, into: Uint32Array): void {
  const bits = reader.take(BITMAP_BYTES)
  let filled = 0
  for (let index = 0; index < BITMAP_BYTES; index++) {
    for (let byte = bits[index] ?? 0; byte !== 0; byte &= byte - 1) {
      if (filled < into.length) into[filled] = base + index * 8 + (31 - Math.clz32(byte & -byte))
      filled++
    }
  }
  if (filled !== into.length)
    throw new RoaringError('a bitmap has another size than its header says')
}

function readRuns(reader: Reader, base: number, into: Uint32Array): void {
  const runs = reader.uint16()
  let filled = 0
  let before = -1
  for (let i = 0; i < runs; i++) {
    const first = reader.uint16()
    const length = reader.uint16() + 1
    if (first <= before || first + length > 65_536) throw new RoaringError('runs are out of order')
    for (let j = 0; j < length; j++, filled++) {
      if (filled < into.length) into[filled] = base + first + j
    }
    before = first + length - 1
  }
  if (filled !== into.length)
    throw new RoaringError('runs have another size than their header says')
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  take(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.#bytes.subarray(at, at + length)
  }

  #advance(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length) throw new RoaringError('it is cut')
    this.#at += length
    return at
  }
}
