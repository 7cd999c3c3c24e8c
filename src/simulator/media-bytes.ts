/**
 * The bytes of media: a small valid file of its format, padded to size where the format allows it.
 * The padding is sliced from one shared random block, so that nothing is generated per request.
 */
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import type { MediaFacts } from './media.ts'
import { hash32, Rng } from './rng.ts'

const BLOCK = 1 << 20
/** Longest padding of one JPEG comment segment. */
const JPEG_SEGMENT = 65_533

export interface Filler {
  readonly random: Buffer
  readonly text: Buffer
}

/** The shared blocks of a world: about 2 MB. */
export function makeFiller(seed: number): Filler {
  const random = Buffer.allocUnsafe(BLOCK)
  const rng = new Rng(seed, 0xf1)
  for (let i = 0; i < BLOCK; i += 4) random.writeUInt32LE(hash32(seed, i, rng.int(65_536)), i)
  const line = 'Inspection note: moisture reading taken, see photo; area dry on second visit.\r\n'
  return { random, text: Buffer.alloc(BLOCK, line) }
}

/** The file in pieces, together `file.size` bytes. */
export function* mediaChunks(seed: number, file: MediaFacts, filler: Filler): Iterable<Buffer> {
  const label = Buffer.from(`claim media ${file.mediaId} ${file.uuid}`)
  const start = hash32(seed, 0xb0, file.number) % BLOCK
  const pad = (length: number): Iterable<Buffer> => slices(filler.random, start, length)
  switch (file.format) {
    case 'jpg':
      return yield* jpeg(file.size, label, start, filler)
    case 'png':
      return yield* png(file.size, label, pad)
    case 'pdf':
      return yield* pdf(file.size, label, pad)
    case 'mp4':
      return yield* isoMedia(file.size, label, pad, 'isom', 'isommp42')
    case 'mov':
      return yield* isoMedia(file.size, label, pad, 'qt  ', 'qt  ')
    case 'exe':
      return yield* surround(
        file.size,
        Buffer.concat([Buffer.from([0x4d, 0x5a, 0x90, 0]), label]),
        pad
      )
    case 'html': {
      const head = `<!DOCTYPE html><html><head><title>Sign in</title></head><body><!-- ${label} `
      return yield* text(file.size, head, '--></body></html>', filler, start)
    }
    default:
      return yield* text(file.size, `${label}\r\n`, '', filler, start)
  }
}

export function mediaDigest(seed: number, file: MediaFacts, filler: Filler): string {
  const hash = createHash('sha256')
  for (const chunk of mediaChunks(seed, file, filler)) hash.update(chunk)
  return hash.digest('hex')
}

/** `length` bytes of a block, from `start` on, around its end as often as needed. */
function* slices(block: Buffer, start: number, length: number): Iterable<Buffer> {
  let at = start
  for (let left = length; left > 0; ) {
    const piece = block.subarray(at, Math.min(block.length, at + left))
    yield piece
    left -= piece.length
    at = 0
  }
}

function* surround(
  size: number,
  head: Buffer,
  pad: (length: number) => Iterable<Buffer>,
  tail: Buffer = Buffer.alloc(0)
): Iterable<Buffer> {
  yield head
  yield* pad(size - head.length - tail.length)
  if (tail.length > 0) yield tail
}

function* text(
  size: number,
  head: string,
  tail: string,
  filler: Filler,
  start: number
): Iterable<Buffer> {
  const pad = (length: number): Iterable<Buffer> => slices(filler.text, start, length)
  yield* surround(size, Buffer.from(head), pad, Buffer.from(tail))
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, body])
}

/** A grey picture of 8 by 8 pixels: one block whose coefficients are all zero. */
const jpegHead = Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  segment(0xe0, Buffer.from([0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]))
])
const oneCode = (tableClass: number): Buffer =>
  segment(0xc4, Buffer.from([tableClass, 1, ...Array<number>(15).fill(0), 0]))
const jpegTail = Buffer.concat([
  segment(0xdb, Buffer.from([0, ...Array<number>(64).fill(16)])),
  segment(0xc0, Buffer.from([8, 0, 8, 0, 8, 1, 1, 0x11, 0])),
  oneCode(0x00),
  oneCode(0x10),
  segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
  Buffer.from([0x3f, 0xff, 0xd9])
])

function* jpeg(size: number, label: Buffer, start: number, filler: Filler): Iterable<Buffer> {
  yield jpegHead
  yield segment(0xfe, label)
  let left = size - jpegHead.length - (label.length + 4) - jpegTail.length
  let at = start
  while (left > 0) {
    // A segment has 4 bytes of head: never leave a rest that is too small for one.
    const whole = left <= JPEG_SEGMENT + 4
    const length = whole ? left - 4 : Math.min(JPEG_SEGMENT, left - 8)
    const head = Buffer.from([0xff, 0xfe, 0, 0])
    head.writeUInt16BE(length + 2, 2)
    yield head
    yield* slices(filler.random, at, length)
    at = (at + length) % BLOCK
    left -= length + 4
  }
  yield jpegTail
}

function chunkOf(type: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), body])
  return Buffer.concat([uint32(body.length), typed, uint32(crc32(typed))])
}

const pngHead = Buffer.concat([
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
  chunkOf('IHDR', Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
])
const pngTail = Buffer.concat([
  chunkOf('IDAT', deflateSync(Buffer.from([0, 128]))),
  chunkOf('IEND', Buffer.alloc(0))
])

/** A grey pixel; the padding is a private ancillary chunk with its right checksum. */
function* png(
  size: number,
  label: Buffer,
  pad: (length: number) => Iterable<Buffer>
): Iterable<Buffer> {
  const body = size - pngHead.length - pngTail.length - 12
  const type = Buffer.from('paDd', 'latin1')
  let sum = crc32(label, crc32(type))
  yield pngHead
  yield uint32(body)
  yield type
  yield label
  for (const piece of pad(body - label.length)) {
    sum = crc32(piece, sum)
    yield piece
  }
  yield uint32(sum)
  yield pngTail
}

/** One empty page and a stream object that nobody refers to. */
function* pdf(
  size: number,
  label: Buffer,
  pad: (length: number) => Iterable<Buffer>
): Iterable<Buffer> {
  const objects = [
    '1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n',
    '2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n',
    '3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>\nendobj\n'
  ]
  const offsets: number[] = []
  let head = `%PDF-1.4\n%${'\xe2\xe3\xcf\xd3'}\n% ${label.toString()}\n`
  for (const object of objects) {
    offsets.push(head.length)
    head += object
  }
  offsets.push(head.length)
  const tailFor = (length: number): string => {
    const at = head.length + streamHead(length).length + length + streamEnd.length
    const rows = offsets.map(offset => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
    return `xref\n0 5\n0000000000 65535 f \n${rows}trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n${String(at).padStart(10, '0')}\n%%EOF\n`
  }
  const streamEnd = '\nendstream\nendobj\n'
  const streamHead = (length: number): string =>
    `4 0 obj\n<</Length ${String(length).padStart(10, '0')}>>\nstream\n`
  const fixed = head.length + streamHead(0).length + streamEnd.length + tailFor(0).length
  const length = Math.max(0, size - fixed)
  yield Buffer.from(head + streamHead(length), 'latin1')
  yield* pad(length)
  yield Buffer.from(streamEnd + tailFor(length), 'latin1')
}

function box(type: string, body: Buffer): Buffer {
  return Buffer.concat([uint32(body.length + 8), Buffer.from(type, 'latin1'), body])
}

/** MP4 and MOV: file type, an empty movie of one second, media data. */
function* isoMedia(
  size: number,
  label: Buffer,
  pad: (length: number) => Iterable<Buffer>,
  major: string,
  brands: string
): Iterable<Buffer> {
  const movie = Buffer.alloc(100)
  movie.writeUInt32BE(1000, 12)
  movie.writeUInt32BE(1000, 16)
  movie.writeUInt32BE(0x00010000, 20)
  movie.writeUInt16BE(0x0100, 24)
  movie.writeUInt32BE(0x00010000, 36)
  movie.writeUInt32BE(0x00010000, 52)
  movie.writeUInt32BE(0x40000000, 68)
  movie.writeUInt32BE(1, 96)
  const head = Buffer.concat([
    box('ftyp', Buffer.concat([Buffer.from(major), uint32(512), Buffer.from(brands)])),
    box('moov', box('mvhd', movie)),
    box('free', label)
  ])
  const data = size - head.length - 8
  yield head
  yield Buffer.concat([uint32(data + 8), Buffer.from('mdat', 'latin1')])
  yield* pad(data)
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value >>> 0)
  return buffer
}
