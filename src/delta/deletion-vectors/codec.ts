/**
 * The bytes of a deletion vector and of the files that hold vectors (PROTOCOL.md "Deletion Vector Format").
 * A vector is a magic number and a RoaringBitmap; a file is a version byte and then, for each vector, its
 * size, its bytes and their CRC-32. Whatever is not as it must be is `DELTA_DATA_CORRUPT`.
 */
import { crc32 } from 'node:zlib'
import { DeltaError } from '../../core/index.ts'
import { BeyondError, parseRoaring, RoaringError, serialiseRoaring } from './roaring.ts'

const MAGIC = 1_681_511_377
const FILE_VERSION = 1
const MAGIC_BYTES = 4
const SIZE_BYTES = 4
const CRC_BYTES = 4

export function encodeVector(positions: Uint32Array): Uint8Array {
  const bitmap = serialiseRoaring(positions)
  const bytes = new Uint8Array(MAGIC_BYTES + bitmap.length)
  new DataView(bytes.buffer).setUint32(0, MAGIC, true)
  bytes.set(bitmap, MAGIC_BYTES)
  return bytes
}

/** `where` names the vector in messages. */
export function decodeVector(bytes: Uint8Array, cardinality: number, where: string): Uint32Array {
  if (bytes.length < MAGIC_BYTES) throw corrupt(where, 'it is cut')
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (magic !== MAGIC) throw corrupt(where, `its magic number is ${magic}, not ${MAGIC}`)
  const positions = parsed(bytes.subarray(MAGIC_BYTES), where)
  if (positions.length === cardinality) return positions
  throw corrupt(where, `it has ${positions.length} rows, the log says ${cardinality}`)
}

/** One file of several vectors, and where each begins. */
export function encodeVectorFile(vectors: readonly Uint8Array[]): {
  readonly bytes: Uint8Array
  readonly offsets: readonly number[]
} {
  const frame = SIZE_BYTES + CRC_BYTES
  const size = vectors.reduce((sum, vector) => sum + vector.length + frame, 1)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  const offsets: number[] = []
  bytes[0] = FILE_VERSION
  let at = 1
  for (const vector of vectors) {
    offsets.push(at)
    view.setUint32(at, vector.length)
    bytes.set(vector, at + SIZE_BYTES)
    view.setUint32(at + SIZE_BYTES + vector.length, crc32(vector))
    at += vector.length + frame
  }
  return { bytes, offsets }
}

/** What must be read of a file for one vector, and the check of it. */
export function frameOf(offset: number, sizeInBytes: number): { start: number; end: number } {
  return { start: offset, end: offset + SIZE_BYTES + sizeInBytes + CRC_BYTES }
}

/** The bytes of the vector in its frame. */
export function unframe(frame: Uint8Array, sizeInBytes: number, where: string): Uint8Array {
  if (frame.length < SIZE_BYTES + sizeInBytes + CRC_BYTES) throw corrupt(where, 'its file is cut')
  const view = new DataView(frame.buffer, frame.byteOffset)
  const size = view.getUint32(0)
  if (size !== sizeInBytes)
    throw corrupt(where, `its file says ${size} bytes, the log ${sizeInBytes}`)
  const bytes = frame.subarray(SIZE_BYTES, SIZE_BYTES + size)
  if (view.getUint32(SIZE_BYTES + size) !== crc32(bytes))
    throw corrupt(where, 'its CRC-32 is wrong')
  return bytes
}

export function assertFileVersion(version: number | undefined, where: string): void {
  if (version === FILE_VERSION) return
  throw corrupt(where, `its file has the format version ${version}, not ${FILE_VERSION}`)
}

export function corrupt(where: string, why: string, cause?: unknown): DeltaError {
  return new DeltaError('DELTA_DATA_CORRUPT', `The deletion vector ${where} is damaged: ${why}`, {
    ...(cause === undefined ? {} : { cause })
  })
}

function parsed(bytes: Uint8Array, where: string): Uint32Array {
  try {
    return parseRoaring(bytes)
  } catch (error) {
    if (error instanceof BeyondError) {
      throw new DeltaError(
        'DELTA_UNSUPPORTED',
        `The deletion vector ${where} cannot be read: ${error.message}, which this engine does not support`,
        { cause: error }
      )
    }
    if (error instanceof RoaringError) throw corrupt(where, error.message, error)
    throw error
  }
}
