/**
 * Keys of many rows in one file on the local disk: entries sorted by hash, and in memory where the entries
 * of each prefix of the hash begin, so that finding a key is one small read. It is a cache: written once,
 * never changed, checked as a whole before it is trusted, and again with each read: a key that it missed
 * would be stored a second time. It is made again when anything about it is odd.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { KeyHashes } from '../parquet-engine.ts'

/** What the entries were made of; a file with another one is of no use. */
export interface RunIdentity {
  readonly table: string
  readonly keys: readonly string[]
  /** Name of the hash function. */
  readonly hash: string
}

export interface RunFile {
  readonly path: string
  readonly size: number
}

interface Footer extends RunIdentity {
  readonly format: number
  readonly files: readonly RunFile[]
  readonly entries: number
  readonly checksum: number
}

/** What is kept in memory of a run. */
interface Contents {
  readonly footer: Footer
  /** Entry with which each bucket begins, and at the end their number. */
  readonly starts: Uint32Array
  readonly checksums: Uint32Array
  readonly shift: number
}

const FORMAT = 1
/** hi, lo, file, row: 32 bits each, little endian. */
const ENTRY = 16
const BUCKET_ENTRIES = 64
const BUFFER_ENTRIES = 16_384
const MAGIC = Buffer.from('CPKEYRUN')

export class KeyRun {
  readonly files: readonly RunFile[]
  readonly entries: number
  readonly #descriptor: number
  readonly #starts: Uint32Array
  readonly #checksums: Uint32Array
  readonly #shift: number
  #users = 0
  #closed = false

  private constructor(descriptor: number, { footer, starts, checksums, shift }: Contents) {
    this.files = footer.files
    this.entries = footer.entries
    this.#descriptor = descriptor
    this.#starts = starts
    this.#checksums = checksums
    this.#shift = shift
  }

  /** Writes the run and opens it. `hashes` ascend; `file` in them is an index into `files`. */
  static async write(
    path: string,
    temporary: string,
    identity: RunIdentity,
    files: readonly RunFile[],
    hashes: AsyncIterable<KeyHashes>
  ): Promise<KeyRun | undefined> {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(temporary, 'w')
    let entries = 0
    let checksum = 0
    try {
      const buffer = Buffer.alloc(BUFFER_ENTRIES * ENTRY)
      let used = 0
      const flush = async (): Promise<void> => {
        const part = buffer.subarray(0, used)
        checksum = crc32(part, checksum)
        await handle.write(part)
        used = 0
      }
      for await (const { hi, lo, file, row } of hashes) {
        if (used + hi.length * ENTRY > buffer.length) await flush()
        for (let i = 0; i < hi.length; i++, used += ENTRY) {
          buffer.writeUInt32LE(hi[i] as number, used)
          buffer.writeUInt32LE(lo[i] as number, used + 4)
          buffer.writeUInt32LE(file[i] as number, used + 8)
          buffer.writeUInt32LE(row[i] as number, used + 12)
        }
        entries += hi.length
      }
      await flush()
      const footer: Footer = { format: FORMAT, ...identity, files, entries, checksum }
      const text = Buffer.from(JSON.stringify(footer))
      const tail = Buffer.alloc(4)
      tail.writeUInt32LE(text.length)
      await handle.write(Buffer.concat([text, tail, MAGIC]))
    } catch (error) {
      await handle.close()
      await rm(temporary, { force: true })
      throw error
    }
    await handle.close()
    await rename(temporary, path)
    return await KeyRun.open(path, identity)
  }

  /** Undefined when there is none, or none that can be trusted. */
  static async open(path: string, identity: RunIdentity): Promise<KeyRun | undefined> {
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch {
      return undefined
    }
    const run = await read(path, identity).catch(() => undefined)
    if (run === undefined) {
      closeSync(descriptor)
      return undefined
    }
    return new KeyRun(descriptor, run)
  }

  /** Calls `found` for each row of the hash. Throws when the file is not what was opened. */
  find(hi: number, lo: number, found: (file: number, row: number) => void): void {
    const bucket = this.#shift === 32 ? 0 : hi >>> this.#shift
    const start = this.#starts[bucket] as number
    const length = ((this.#starts[bucket + 1] as number) - start) * ENTRY
    if (length === 0) return
    const bytes = Buffer.allocUnsafe(length)
    readFully(this.#descriptor, bytes, start * ENTRY)
    if (crc32(bytes) !== this.#checksums[bucket]) throw new Error('a key run is damaged')
    for (let at = 0; at < length; at += ENTRY) {
      if (bytes.readUInt32LE(at + 4) !== lo || bytes.readUInt32LE(at) !== hi) continue
      found(bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12))
    }
  }

  /** Keeps the file open, whoever closes it meanwhile, until released. */
  retain(): void {
    this.#users++
  }

  release(): void {
    this.#users--
    if (this.#closed && this.#users === 0) closeSync(this.#descriptor)
  }

  /** Closes once nobody looks anything up. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#users === 0) closeSync(this.#descriptor)
  }
}

function readFully(descriptor: number, bytes: Buffer, position: number): void {
  for (let read = 0; read < bytes.length; ) {
    const count = readSync(descriptor, bytes, read, bytes.length - read, position + read)
    if (count === 0) throw new Error('a key run is cut')
    read += count
  }
}

/** Reads the whole file once: its checksum, where the entries of each bucket begin, and their checksums. */
async function read(path: string, identity: RunIdentity): Promise<Contents | undefined> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const tail = Buffer.alloc(12)
    if (size < tail.length) return undefined
    await handle.read(tail, 0, tail.length, size - tail.length)
    const length = tail.readUInt32LE(0)
    if (!tail.subarray(4).equals(MAGIC) || length > size - tail.length) return undefined
    const text = Buffer.alloc(length)
    await handle.read(text, 0, length, size - tail.length - length)
    const footer = JSON.parse(text.toString()) as Footer
    if (!matches(footer, identity) || size !== footer.entries * ENTRY + length + tail.length) {
      return undefined
    }
    const bits = Math.min(24, Math.max(0, Math.ceil(Math.log2(footer.entries / BUCKET_ENTRIES))))
    const shift = 32 - bits
    const starts = new Uint32Array(2 ** bits + 1)
    const checksums = new Uint32Array(2 ** bits)
    const buffer = Buffer.alloc(BUFFER_ENTRIES * ENTRY)
    let checksum = 0
    for (let entry = 0; entry < footer.entries; ) {
      const wanted = Math.min(BUFFER_ENTRIES, footer.entries - entry) * ENTRY
      const { bytesRead } = await handle.read(buffer, 0, wanted, entry * ENTRY)
      if (bytesRead !== wanted) return undefined
      checksum = crc32(buffer.subarray(0, wanted), checksum)
      for (let at = 0; at < wanted; ) {
        const bucket = bits === 0 ? 0 : buffer.readUInt32LE(at) >>> shift
        let end = at + ENTRY
        while (end < wanted && (bits === 0 || buffer.readUInt32LE(end) >>> shift === bucket)) {
          end += ENTRY
        }
        starts[bucket + 1] = (starts[bucket + 1] as number) + (end - at) / ENTRY
        checksums[bucket] = crc32(buffer.subarray(at, end), checksums[bucket])
        at = end
      }
      entry += wanted / ENTRY
    }
    if (checksum !== footer.checksum) return undefined
    for (let i = 1; i < starts.length; i++)
      starts[i] = (starts[i] as number) + (starts[i - 1] as number)
    return { footer, starts, checksums, shift }
  } finally {
    await handle.close()
  }
}

function matches(footer: Footer, identity: RunIdentity): boolean {
  return (
    footer.format === FORMAT &&
    footer.table === identity.table &&
    footer.hash === identity.hash &&
    JSON.stringify(footer.keys) === JSON.stringify(identity.keys)
  )
}
