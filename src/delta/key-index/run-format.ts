/**
 * The file of a key run: entries, the directory of their blocks, a footer in JSON, and at the end the
 * footer's length and checksum. Numbers are in the byte order of the machine, which a cache need not leave.
 */
import { fstatSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { HASH_WORDS } from './key-hash.ts'

/** What the entries were made of; a file with another one is of no use. */
export interface RunIdentity {
  readonly table: string
  readonly keys: readonly string[]
}

export interface RunFile {
  readonly path: string
  readonly size: number
}

export interface RunFooter extends RunIdentity {
  readonly format: number
  readonly salt: string
  readonly files: readonly RunFile[]
  readonly entries: number
  /** Of the directory. */
  readonly checksum: number
}

/** What is kept in memory of a run. */
export interface RunContents {
  readonly footer: RunFooter
  /** Most significant word of the first hash of each block. */
  readonly firsts: Uint32Array
  readonly checksums: Uint32Array
}

export const FORMAT = 2
/** The hash, the row, the file. */
export const ENTRY_WORDS = HASH_WORDS + 2
export const ENTRY_BYTES = ENTRY_WORDS * 4
export const BLOCK_ENTRIES = 64
export const BLOCK_BYTES = BLOCK_ENTRIES * ENTRY_BYTES
const MAGIC = Buffer.from('CPKEYRUN')
/** Length and checksum of the footer, and the magic. */
const TAIL_BYTES = 8 + MAGIC.length

/** All that comes after the entries. */
export function tailOf(
  footer: Omit<RunFooter, 'format' | 'checksum'>,
  firsts: Uint32Array,
  checksums: Uint32Array
): Buffer {
  const directory = Buffer.concat([bytesOf(firsts), bytesOf(checksums)])
  const whole: RunFooter = { format: FORMAT, ...footer, checksum: crc32(directory) }
  const text = Buffer.from(JSON.stringify(whole))
  const tail = Buffer.alloc(8)
  tail.writeUInt32LE(text.length)
  tail.writeUInt32LE(crc32(text), 4)
  return Buffer.concat([directory, text, tail, MAGIC])
}

/** Undefined, or an error, when it is not a whole file of this identity. */
export function readContents(descriptor: number, identity: RunIdentity): RunContents | undefined {
  const { size } = fstatSync(descriptor)
  if (size < TAIL_BYTES) return undefined
  const tail = readAt(descriptor, TAIL_BYTES, size - TAIL_BYTES)
  const length = tail.readUInt32LE(0)
  if (!tail.subarray(8).equals(MAGIC) || length > size - TAIL_BYTES) return undefined
  const text = readAt(descriptor, length, size - TAIL_BYTES - length)
  if (crc32(text) !== tail.readUInt32LE(4)) return undefined
  const footer = JSON.parse(text.toString()) as RunFooter
  if (!matches(footer, identity)) return undefined
  const blocks = Math.ceil(footer.entries / BLOCK_ENTRIES)
  const start = footer.entries * ENTRY_BYTES
  if (size !== start + blocks * 8 + length + TAIL_BYTES) return undefined
  const directory = readAt(descriptor, blocks * 8, start)
  if (crc32(directory) !== footer.checksum) return undefined
  const words = new Uint32Array(blocks * 2)
  new Uint8Array(words.buffer).set(directory)
  return { footer, firsts: words.subarray(0, blocks), checksums: words.subarray(blocks) }
}

function readAt(descriptor: number, length: number, position: number): Buffer {
  const bytes = Buffer.alloc(length)
  const read = length === 0 ? 0 : readSync(descriptor, bytes, 0, length, position)
  return bytes.subarray(0, read)
}

function matches(footer: RunFooter, identity: RunIdentity): boolean {
  return (
    footer.format === FORMAT &&
    footer.table === identity.table &&
    JSON.stringify(footer.keys) === JSON.stringify(identity.keys)
  )
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}
