/** Writes key runs, and puts several sorted sources of entries together for that. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { KeyHashes } from '../parquet-engine.ts'
import { HASH_WORDS } from './key-hash.ts'
import {
  BLOCK_BYTES,
  BLOCK_ENTRIES,
  ENTRY_WORDS,
  type RunFile,
  type RunIdentity,
  tailOf
} from './run-format.ts'

export interface NewRun {
  readonly path: string
  /** Where it is written before it takes the place of another one. */
  readonly temporary: string
  readonly identity: RunIdentity
  readonly salt: string
  /** `places` of the entries refer to these. */
  readonly files: readonly RunFile[]
}

/** What yields entries, ascending by the last word of their hashes. */
export type SortedHashes = AsyncIterable<KeyHashes> | Iterable<KeyHashes>

const BUFFER_BLOCKS = 256
const TOP = HASH_WORDS - 1

/** Writes the entries of all sources as one run. */
export async function writeRun(
  { path, temporary, identity, salt, files }: NewRun,
  sources: readonly SortedHashes[]
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(temporary, 'w')
  try {
    const writer = new EntryWriter(handle)
    await mergeInto(writer, sources)
    await writer.flush()
    const { firsts, checksums, entries } = writer
    const footer = { ...identity, salt, files, entries }
    await handle.writeFile(tailOf(footer, Uint32Array.from(firsts), Uint32Array.from(checksums)))
  } catch (error) {
    await handle.close()
    await rm(temporary, { force: true })
    throw error
  }
  await handle.close()
  await rename(temporary, path)
}

/** Collects entries in blocks, and what the directory says of these. */
class EntryWriter {
  readonly firsts: number[] = []
  readonly checksums: number[] = []
  entries = 0
  readonly #handle: FileHandle
  readonly #words = new Uint32Array(BUFFER_BLOCKS * BLOCK_ENTRIES * ENTRY_WORDS)
  #used = 0

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  get isFull(): boolean {
    return this.#used === this.#words.length
  }

  add({ hashes, places }: KeyHashes, row: number): void {
    const words = this.#words
    let at = this.#used
    if (at % (BLOCK_ENTRIES * ENTRY_WORDS) === 0) {
      this.firsts.push(hashes[row * HASH_WORDS + TOP] as number)
    }
    for (let i = 0; i < HASH_WORDS; i++) words[at++] = hashes[row * HASH_WORDS + i] as number
    words[at++] = places[row * 2] as number
    words[at++] = places[row * 2 + 1] as number
    this.#used = at
    this.entries++
  }

  /** Only when full, or at the end: else a block would be cut. */
  async flush(): Promise<void> {
    const bytes = new Uint8Array(this.#words.buffer, 0, this.#used * 4)
    for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
      this.checksums.push(crc32(bytes.subarray(start, start + BLOCK_BYTES)))
    }
    await this.#handle.writeFile(bytes)
    this.#used = 0
  }
}

/** The next entry of a source. */
interface Head {
  readonly source: AsyncIterator<KeyHashes> | Iterator<KeyHashes>
  batch: KeyHashes
  row: number
  rows: number
  top: number
}

async function mergeInto(writer: EntryWriter, sources: readonly SortedHashes[]): Promise<void> {
  const iterators = sources.map(iteratorOf)
  try {
    const heads: Head[] = []
    for (const source of iterators) {
      const head = await firstOf(source)
      if (head !== undefined) heads.push(head)
    }
    for (;;) {
      const [first, ...others] = heads
      if (first === undefined) return
      const head = others.reduce((least, other) => (other.top < least.top ? other : least), first)
      // From here on no other source has a smaller one, up to where the second smallest begins.
      const limit = heads.reduce(
        (least, other) => (other === head ? least : Math.min(least, other.top)),
        0xffff_ffff
      )
      while (head.row < head.rows && head.top <= limit) {
        writer.add(head.batch, head.row)
        head.row++
        head.top = head.batch.hashes[head.row * HASH_WORDS + TOP] ?? 0
        if (writer.isFull) await writer.flush()
      }
      if (head.row === head.rows && !(await refill(head))) heads.splice(heads.indexOf(head), 1)
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}

function iteratorOf(source: SortedHashes): Head['source'] {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
}

async function firstOf(source: Head['source']): Promise<Head | undefined> {
  const nothing = { hashes: new Uint32Array(0), places: new Uint32Array(0) }
  const head: Head = { source, batch: nothing, row: 0, rows: 0, top: 0 }
  return (await refill(head)) ? head : undefined
}

/** False at the end of the source. */
async function refill(head: Head): Promise<boolean> {
  for (;;) {
    const next = await head.source.next()
    if (next.done === true) return false
    const { hashes, places } = next.value
    if (places.length === 0) continue
    head.batch = next.value
    head.row = 0
    head.rows = places.length / 2
    head.top = hashes[TOP] as number
    return true
  }
}
