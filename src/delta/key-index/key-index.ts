/**
 * Where the keys of a table's rows are: from the hash of a key to file and row, so that a merge finds the
 * stored rows of its batch at a cost that does not grow with the table. It knows files, not versions: data
 * files never change, so what it says of one is true for ever, and which files count the log says. It
 * answers only for the files that it covers; the others are searched by reading them. Candidates are rows
 * whose hash fits; whoever asks reads them and compares the keys.
 *
 * Most keys are in one sorted file on the local disk (key-run.ts), those of newer files in memory. When
 * these are many, all are sorted anew, beside the work.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { AddAction } from '../actions.ts'
import { statsOf } from '../data-skipping.ts'
import { withFiles } from '../leased-files.ts'
import type { Snapshot } from '../log-state.ts'
import type { EngineColumn, KeyHashes, RowHashes } from '../parquet-engine.ts'
import { canonicalPath } from '../paths.ts'
import type { TableLog } from '../table-log.ts'
import { KeyRun, type RunFile, type RunIdentity } from './key-run.ts'
import { RecentKeys } from './recent-keys.ts'

export interface Candidate {
  /** Index of the row of the batch. */
  readonly row: number
  readonly add: AddAction
  readonly position: number
}

/** Tables with fewer rows are searched by reading them. */
const SMALLEST_TABLE = 50_000
/** Rows that are kept in memory before all are sorted anew: so many, or this part of the table. */
const RECENT_ROWS = 100_000
const RECENT_PART = 0.1
/** Lookups between two turns of the event loop. */
const SLICE = 500

/** One state of the index. Files that it covers stay covered, whatever the index takes in meanwhile. */
export class KeyView {
  readonly #run: KeyRun | undefined
  readonly #runPaths: readonly string[]
  readonly #recent: RecentKeys
  readonly #recentPaths: readonly string[]
  readonly #covered: ReadonlySet<string>
  readonly #onDamage: (error: unknown) => void

  constructor(
    run: KeyRun | undefined,
    runPaths: readonly string[],
    recent: RecentKeys,
    recentPaths: readonly string[],
    covered: ReadonlySet<string>,
    onDamage: (error: unknown) => void
  ) {
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
   * Rows of the covered ones among the files that may have the keys. Undefined when the index turned out
   * to be damaged: then the files have to be read.
   */
  async candidates(
    adds: readonly AddAction[],
    hashes: RowHashes
  ): Promise<Candidate[] | undefined> {
    try {
      return await this.#find(adds, hashes)
    } catch (error) {
      this.#onDamage(error)
      return undefined
    }
  }

  async #find(adds: readonly AddAction[], hashes: RowHashes): Promise<Candidate[]> {
    const byPath = new Map(adds.map(add => [identityOf(add), add]))
    const found: Candidate[] = []
    const finder =
      (row: number, paths: readonly string[]) =>
      (file: number, position: number): void => {
        const add = byPath.get(paths[file] ?? '')
        if (add !== undefined) found.push({ row, add, position })
      }
    for (let row = 0; row < hashes.hi.length; row++) {
      const [hi, lo] = [hashes.hi[row] as number, hashes.lo[row] as number]
      this.#run?.find(hi, lo, finder(row, this.#runPaths))
      this.#recent.find(hi, lo, finder(row, this.#recentPaths))
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
  #run: KeyRun | undefined
  /** Files of the run, in its order. */
  #runPaths: readonly string[] = []
  #recent = new RecentKeys()
  #recentPaths: string[] = []
  #covered = new Set<string>()
  #opened = false
  #work: Promise<void> | undefined
  #closed = false

  constructor(log: TableLog, tableId: string, keys: readonly EngineColumn[], directory: string) {
    this.#log = log
    this.#keys = keys
    const names = keys.map(key => `${key.physicalName}:${JSON.stringify(key.type)}`)
    this.#identity = { table: tableId, keys: names, hash: log.ports.engine.keyHash }
    const name = createHash('sha256').update(JSON.stringify(this.#identity)).digest('hex')
    this.#path = join(directory, `${name.slice(0, 32)}.keys`)
  }

  /** What is known now, to be asked until released: the index goes on beside. */
  view(): KeyView {
    const run = this.#run
    return new KeyView(run, this.#runPaths, this.#recent, this.#recentPaths, this.#covered, error =>
      this.#drop(run, error)
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
    if (rows < SMALLEST_TABLE) return
    if (!this.#opened) await this.#open()
    const missing = [...snapshot.files.values()].filter(add => !this.#covered.has(identityOf(add)))
    if (missing.length === 0) return
    const pending = this.#recent.size + rowsOf(missing)
    if (pending > Math.max(RECENT_ROWS, rows * RECENT_PART)) await this.#rebuild(snapshot)
    else await this.#takeIn(missing)
  }

  async #open(): Promise<void> {
    const run = await KeyRun.open(this.#path, this.#identity)
    this.#opened = true
    if (run !== undefined) this.#use(run)
  }

  /**
   * All of the files or nothing: what is read of one before a fault would be entered again with the next
   * attempt, and a row that is found twice would be written twice.
   */
  async #takeIn(adds: readonly AddAction[]): Promise<void> {
    const read = await this.#hashes(adds, batches => Array.fromAsync(batches))
    const paths = adds.map(identityOf)
    const first = this.#recentPaths.length
    this.#recentPaths.push(...paths)
    for (const { hi, lo, file, row } of read) {
      for (let i = 0; i < hi.length; i++) {
        const index = first + (file[i] as number)
        this.#recent.add(hi[i] as number, lo[i] as number, index, row[i] as number)
      }
      await setImmediate()
    }
    for (const path of paths) this.#covered.add(path)
  }

  async #rebuild(snapshot: Snapshot): Promise<void> {
    const adds = [...snapshot.files.values()]
    const files = adds.map(add => ({ path: canonicalPath(add.path), size: add.size }))
    const temporary = `${this.#path}.${this.#log.ports.ids.uuid()}`
    const run = await this.#hashes(adds, batches =>
      KeyRun.write(this.#path, temporary, this.#identity, files, batches)
    )
    if (run === undefined) throw new Error('the file that was just written cannot be read')
    const before = this.#run
    this.#recent = new RecentKeys()
    this.#recentPaths = []
    this.#use(run)
    before?.close()
  }

  #use(run: KeyRun): void {
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
      use(this.#log.ports.engine.sortedKeyHashes(files, this.#keys))
    )
  }
}

function identityOf(file: RunFile): string {
  return `${file.size}:${canonicalPath(file.path)}`
}

function rowsOf(adds: Iterable<AddAction>): number {
  let rows = 0
  for (const add of adds) rows += Number(statsOf(add).numRecords ?? 0)
  return rows
}
