/**
 * Where the keys of a table's rows are: from the hash of a key to file and row, so that a merge finds the
 * stored rows of its batch at a cost that does not grow with the table. It knows files, not versions: data
 * files never change, so what it says of one is true for ever, and which files count the log says. It
 * answers only for the files that it covers; the others are searched by reading them. Keys of equal hashes
 * are taken for equal: of 128 bits, salted with what nobody outside knows (key-hash.ts).
 *
 * Most keys are in one sorted file on the local disk (key-run.ts), those of newer files in memory. When
 * these are many they are merged with the others into a new file, beside the work.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Row } from '../../core/index.ts'
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { withFiles } from '../leased-files.ts'
import type { Snapshot } from '../log-state.ts'
import type { EngineColumn, KeyHashes } from '../parquet-engine.ts'
import { canonicalPath } from '../paths.ts'
import type { TableLog } from '../table-log.ts'
import { HASH_WORDS, hashKeys } from './key-hash.ts'
import { KeyRun } from './key-run.ts'
import { RecentKeys } from './recent-keys.ts'
import type { RunFile, RunIdentity } from './run-format.ts'
import { type SortedHashes, writeRun } from './run-writer.ts'

/** A data file, and its rows in their order. */
export interface FileOfRows {
  readonly add: AddAction
  readonly rows: readonly Row[]
}

/** Where a key of a batch is stored. */
export interface KeyPlace {
  /** Index of the row of the batch. */
  readonly row: number
  readonly add: AddAction
  readonly position: number
}

/** Tables with fewer rows are searched by reading them, unless something else is asked for. */
const SMALLEST_TABLE = 50_000
/** Rows that are kept in memory before they are merged with the others: this part of the table, within bounds. */
const RECENT_PART = 0.1
const RECENT_ROWS = { least: 100_000, most: 500_000 }
/** What a row takes in a file at least, as good as always. */
const LEAST_ROW_BYTES = 8
/** More rows than these are read beside the work, since hashing them here would hold it up. */
const ENTERED_ROWS = 10_000
/** Lookups between two turns of the event loop. */
const SLICE = 500

/** One state of the index. Files that it covers stay covered, whatever the index takes in meanwhile. */
export class KeyView {
  /** What hashes of keys to look up begin with. */
  readonly salt: string
  readonly #run: KeyRun | undefined
  readonly #runPaths: readonly string[]
  readonly #recent: RecentKeys
  readonly #recentPaths: readonly string[]
  readonly #covered: ReadonlySet<string>
  readonly #onDamage: (error: unknown) => void

  constructor(
    salt: string,
    run: KeyRun | undefined,
    runPaths: readonly string[],
    recent: RecentKeys,
    recentPaths: readonly string[],
    covered: ReadonlySet<string>,
    onDamage: (error: unknown) => void
  ) {
    this.salt = salt
    this.#onDamage = onDamage
    this.#run = run
    this.#runPaths = runPaths
    this.#recent = recent
    this.#recentPaths = recentPaths
    this.#covered = covered
    run?.retain()
  }

  covers(add: AddAction): boolean {
    return this.#covered.has(identityOf(add))
  }

  /**
   * Rows of the covered ones among the files that have the keys, given as hashes. Undefined when the index
   * turned out to be damaged: then the files have to be read.
   */
  async find(adds: readonly AddAction[], hashes: Uint32Array): Promise<KeyPlace[] | undefined> {
    try {
      return await this.#find(adds, hashes)
    } catch (error) {
      this.#onDamage(error)
      return undefined
    }
  }

  async #find(adds: readonly AddAction[], hashes: Uint32Array): Promise<KeyPlace[]> {
    const byPath = new Map(adds.map(add => [identityOf(add), add]))
    const runFiles = this.#runPaths.map(path => byPath.get(path))
    const recentFiles = this.#recentPaths.map(path => byPath.get(path))
    const found: KeyPlace[] = []
    let row = 0
    const keeper =
      (files: readonly (AddAction | undefined)[]) =>
      (file: number, position: number): void => {
        const add = files[file]
        if (add !== undefined) found.push({ row, add, position })
      }
    const [inRun, inRecent] = [keeper(runFiles), keeper(recentFiles)]
    for (; row * HASH_WORDS < hashes.length; row++) {
      this.#run?.find(hashes, row * HASH_WORDS, inRun)
      this.#recent.find(hashes, row * HASH_WORDS, inRecent)
      if (row % SLICE === SLICE - 1) await setImmediate()
    }
    return found
  }

  release(): void {
    this.#run?.release()
  }
}

export class KeyIndex {
  readonly #log: TableLog
  readonly #keys: readonly EngineColumn[]
  readonly #path: string
  readonly #identity: RunIdentity
  readonly #fromRows: number
  #salt: string
  #run: KeyRun | undefined
  /** Files of the run, in its order. */
  #runPaths: readonly string[] = []
  #recent = new RecentKeys()
  #recentPaths: string[] = []
  #covered = new Set<string>()
  #opened = false
  #work: Promise<void> | undefined
  #closed = false

  constructor(
    log: TableLog,
    tableId: string,
    keys: readonly EngineColumn[],
    directory: string,
    fromRows = SMALLEST_TABLE
  ) {
    this.#log = log
    this.#fromRows = fromRows
    this.#keys = keys
    const names = keys.map(key => `${key.physicalName}:${JSON.stringify(key.type)}`)
    this.#identity = { table: tableId, keys: names }
    const name = createHash('sha256').update(JSON.stringify(this.#identity)).digest('hex')
    this.#path = join(directory, `${name.slice(0, 32)}.keys`)
    // 128 bits in 22 characters, so that salt and key fit into one block of the hash function.
    const secret = createHash('sha256').update(log.ports.ids.uuid()).digest('base64url')
    this.#salt = secret.slice(0, 22)
  }

  /** What is known now, to be asked until released: the index goes on beside. */
  view(): KeyView {
    const run = this.#run
    return new KeyView(
      this.#salt,
      run,
      this.#runPaths,
      this.#recent,
      this.#recentPaths,
      this.#covered,
      error => this.#drop(run, error)
    )
  }

  /** A damaged run is not asked again; its files are taken in anew. */
  #drop(run: KeyRun | undefined, error: unknown): void {
    this.#log.ports.onWarning?.(`The key index of ${this.#log.where} is made again`, error)
    if (run === undefined || this.#run !== run) return
    this.#run = undefined
    this.#runPaths = []
    this.#covered = new Set(this.#recentPaths)
    run.close()
  }

  /** Takes in a file whose rows are at hand. Not while work is under way beside, which then reads it. */
  enter({ add, rows }: FileOfRows): void {
    const id = identityOf(add)
    if (this.#work !== undefined || !this.#opened || this.#closed) return
    if (rows.length > ENTERED_ROWS || this.#covered.has(id)) return
    const file = this.#recentPaths.push(id) - 1
    const hashes = hashKeys(this.#keys, this.#salt, rows)
    rows.forEach((row, position) => {
      const complete = this.#keys.every(({ name }) => (row[name] ?? null) !== null)
      if (complete) this.#recent.add(hashes, position * HASH_WORDS, file, position)
    })
    this.#covered.add(id)
  }

  /** Takes in the files of the snapshot that are not covered yet, beside the work. */
  follow(snapshot: Snapshot): void {
    if (this.#work !== undefined || this.#closed) return
    this.#work = this.#follow(snapshot)
      .catch((error: unknown) => {
        this.#log.ports.onWarning?.(
          `The key index of ${this.#log.where} was not brought up to date`,
          error
        )
      })
      .finally(() => {
        this.#work = undefined
      })
  }

  /** Resolves when the work beside is done. */
  async settled(): Promise<void> {
    await this.#work
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#work
    this.#run?.close()
  }

  async #follow(snapshot: Snapshot): Promise<void> {
    const rows = rowsOf(snapshot.files.values())
    if (rows < this.#fromRows) return
    this.#open()
    const missing = [...snapshot.files.values()].filter(add => !this.#covered.has(identityOf(add)))
    const { least, most } = RECENT_ROWS
    const kept = Math.min(most, Math.max(least, rows * RECENT_PART))
    if (this.#recent.size + rowsOf(missing) > kept) await this.#merge(snapshot, missing)
    else if (missing.length > 0) await this.#takeIn(missing)
  }

  #open(): void {
    if (this.#opened) return
    this.#opened = true
    const run = KeyRun.open(this.#path, this.#identity)
    if (run !== undefined) this.#use(run)
  }

  /**
   * All of the files or nothing: what is read of one before a fault would be entered again with the next
   * attempt, and a row that is found twice would be written twice.
   */
  async #takeIn(adds: readonly AddAction[]): Promise<void> {
    const read = await this.#hashes(adds, batches => Array.fromAsync(batches))
    const first = this.#recentPaths.length
    this.#recentPaths.push(...adds.map(identityOf))
    for (const { hashes, places } of read) {
      for (let i = 0; i * 2 < places.length; i++) {
        const file = first + (places[i * 2 + 1] as number)
        this.#recent.add(hashes, i * HASH_WORDS, file, places[i * 2] as number)
      }
      await setImmediate()
    }
    for (const add of adds) this.#covered.add(identityOf(add))
  }

  /**
   * A new run of the one that is there, the keys in memory and those of the files that are missing: what is
   * known is not hashed again. Files that the table has no more are left out.
   */
  async #merge(snapshot: Snapshot, missing: readonly AddAction[]): Promise<void> {
    const files = [...snapshot.files.values()].map(runFile)
    const numbers = new Map(files.map((file, number) => [identityOf(file), number]))
    const numbersOf = (paths: readonly string[]): (number | undefined)[] =>
      paths.map(path => numbers.get(path))
    const run = this.#run
    const [ofRun, ofRecent, ofMissing] = [
      numbersOf(this.#runPaths),
      numbersOf(this.#recentPaths),
      numbersOf(missing.map(identityOf))
    ]
    run?.retain()
    try {
      await this.#hashes(missing, async batches => {
        const known: SortedHashes[] = run === undefined ? [] : [this.#entriesOf(run, ofRun)]
        const temporary = `${this.#path}.${this.#log.ports.ids.uuid()}`
        await writeRun(
          { path: this.#path, temporary, identity: this.#identity, salt: this.#salt, files },
          [...known, renumbered(this.#recent.sorted(), ofRecent), renumbered(batches, ofMissing)]
        )
      })
    } finally {
      run?.release()
    }
    const merged = KeyRun.open(this.#path, this.#identity)
    if (merged === undefined) throw new Error('the file that was just written cannot be read')
    this.#recent = new RecentKeys()
    this.#recentPaths = []
    this.#use(merged)
    run?.close()
  }

  *#entriesOf(run: KeyRun, numbers: readonly (number | undefined)[]): Generator<KeyHashes> {
    try {
      yield* run.sorted(numbers)
    } catch (error) {
      this.#drop(run, error)
      throw error
    }
  }

  /** Another process may have made the run: its salt counts from here on. */
  #use(run: KeyRun): void {
    this.#salt = run.salt
    this.#run = run
    this.#runPaths = run.files.map(identityOf)
    this.#covered = new Set([...this.#runPaths, ...this.#recentPaths])
  }

  /** Deleted rows are hashed too: a file is indexed once, whatever vectors it gets. */
  async #hashes<T>(
    adds: readonly AddAction[],
    use: (batches: AsyncIterable<KeyHashes>) => Promise<T>
  ): Promise<T> {
    return await withFiles(this.#log, adds, files =>
      use(this.#log.ports.engine.sortedKeyHashes(files, this.#keys, this.#salt))
    )
  }
}

/** Entries of the files that have a number, under that number. */
async function* renumbered(
  batches: SortedHashes,
  numbers: readonly (number | undefined)[]
): AsyncGenerator<KeyHashes> {
  for await (const { hashes, places } of batches) {
    const kept = { hashes: new Uint32Array(hashes.length), places: new Uint32Array(places.length) }
    let count = 0
    for (let i = 0; i * 2 < places.length; i++) {
      const number = numbers[places[i * 2 + 1] as number]
      if (number === undefined) continue
      for (let word = 0; word < HASH_WORDS; word++) {
        kept.hashes[count * HASH_WORDS + word] = hashes[i * HASH_WORDS + word] as number
      }
      kept.places[count * 2] = places[i * 2] as number
      kept.places[count * 2 + 1] = number
      count++
    }
    yield {
      hashes: kept.hashes.subarray(0, count * HASH_WORDS),
      places: kept.places.subarray(0, count * 2)
    }
  }
}

function runFile({ path, size }: AddAction): RunFile {
  return { path: canonicalPath(path), size }
}

/** Actions never change, and each is asked for its name with every merge. */
const identities = new WeakMap<RunFile, string>()

function identityOf(file: RunFile): string {
  const known = identities.get(file)
  if (known !== undefined) return known
  const identity = `${file.size}:${canonicalPath(file.path)}`
  identities.set(file, identity)
  return identity
}

/** A file whose statistics do not say has hardly more rows than this. */
function rowsOf(adds: Iterable<AddAction>): number {
  let rows = 0
  for (const add of adds) rows += Number(statsOf(add).numRecords ?? add.size / LEAST_ROW_BYTES)
  return rows
}
