/**
 * A world in which writers of a table run at the same time and nothing is left to chance: one store in
 * memory, one clock, and a scheduler that decides by a seed which call of the store or of the Parquet
 * engine happens next and how it fails. Calls fail before or after they took effect, take effect long after
 * they were reported as failed, and answer late; listings miss what is written while they run; writers die
 * in the middle of a call.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import { DeltaError } from '../../src/core/index.ts'
import type { DeltaPorts, ParquetEngine } from '../../src/delta/index.ts'
import type { ObjectInfo, ObjectStore, PutResult } from '../../src/ports/index.ts'
import { type ByteFiles, openMemoryParquet } from './memory-parquet.ts'
import type { Random } from './random.ts'

/** Chances, of each call. */
export interface Faults {
  /** It fails, and has no effect. */
  readonly refused: number
  /** It fails after it took effect. */
  readonly answerLost: number
  /** It fails, and takes effect later. */
  readonly late: number
  /** It takes effect, and other calls do so before its answer is seen. */
  readonly slow: number
  /** Whether listings may miss what is written, and show what is deleted, while they run. */
  readonly partialListings: boolean
}

export const NO_FAULTS: Faults = {
  refused: 0,
  answerLost: 0,
  late: 0,
  slow: 0,
  partialListings: false
}

/** One process with an open table. */
export interface Actor {
  readonly writer: number
  readonly ports: DeltaPorts
  readonly died: Promise<'died'>
  readonly warnings: string[]
  /** It dies after so many more events of the world; undefined: it lives on. */
  dieAfter: number | undefined
}

interface Live extends Actor {
  dead: boolean
  readonly die: () => void
}

interface Waiting {
  readonly actor: Live
  /** Without the answer, when the actor is dead. */
  readonly happen: (answer: boolean) => void
}

interface StoredObject {
  readonly bytes: Uint8Array
  readonly modifiedAt: number
}

const ROOT = 'sim:'
const PAGE = 7
const LONGEST_GAP_MS = 20
const MOST_STEPS = 200_000
const COMMIT = /_delta_log\/(\d{20})\.json$/

export class World {
  /** Operation that the running code belongs to: ids that it draws tell. */
  readonly operation = new AsyncLocalStorage<number>()
  readonly objects = new Map<string, StoredObject>()
  /** When each version was committed. */
  readonly commits = new Map<number, number>()
  /** What must never happen at a store. */
  readonly offences: string[] = []
  steps = 0
  /** Everything happens at once and nothing fails. */
  quiet = false
  #now = Date.UTC(2026, 0, 1)
  #uuids = 0
  #newest = -1
  readonly #random: Random
  readonly #faults: Faults
  readonly #sizeFactor: number
  #waiting: Waiting[] = []
  #sleeping: { readonly at: number; readonly actor: Live; readonly wake: () => void }[] = []
  readonly #scratch = new Map<string, Uint8Array>()
  readonly #parquet: ParquetEngine

  constructor(random: Random, faults: Faults, sizeFactor: number) {
    this.#random = random
    this.#faults = faults
    this.#sizeFactor = sizeFactor
    this.#parquet = openMemoryParquet(this.#files(), sizeFactor)
  }

  get now(): number {
    return this.#now
  }

  /** The newest version that is committed; -1 before the first. */
  get newest(): number {
    return this.#newest
  }

  jump(ms: number): void {
    this.#now += ms
  }

  actor(writer: number): Actor {
    const died = Promise.withResolvers<'died'>()
    const warnings: string[] = []
    const live: Live = {
      writer,
      warnings,
      died: died.promise,
      dead: false,
      dieAfter: undefined,
      die: () => died.resolve('died'),
      ports: {} as DeltaPorts
    }
    const skew = this.#random.int(-2000, 2000)
    const ports: DeltaPorts = {
      store: this.#store(live),
      engine: this.#engine(live),
      clock: {
        now: () => this.#now + skew,
        sleep: (ms, signal) => this.#sleep(live, ms, signal)
      },
      ids: {
        uuid: () => this.#uuid(writer),
        random: () => this.#random.next()
      },
      onWarning: (message, error) => warnings.push(`${message}: ${error}`)
    }
    return Object.assign(live, { ports })
  }

  /** Lets things happen until the work is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false
    const finished = work.finally(() => {
      done = true
    })
    finished.catch(() => undefined)
    for (;;) {
      await settle()
      if (done) return await finished
      if (this.steps++ > MOST_STEPS) throw new Error('The world does not come to an end')
      if (!this.#step()) throw new Error('Nothing is left to happen, and yet the work is not done')
    }
  }

  /** Lets all that is under way happen: late writes too. */
  async calm(): Promise<void> {
    for (;;) {
      await settle()
      if (!this.#step()) return
    }
  }

  /** A copy of the objects, to look at the same table otherwise. */
  snapshot(keep: (path: string) => boolean): World {
    const copy = new World(this.#random, NO_FAULTS, this.#sizeFactor)
    for (const [path, object] of this.objects) if (keep(path)) copy.objects.set(path, object)
    copy.quiet = true
    copy.jump(this.#now - copy.now)
    return copy
  }

  #uuid(writer: number): string {
    const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')
    const operation = this.operation.getStore() ?? 0
    return `${hex(writer, 8)}-${hex(operation, 4)}-4000-8000-${hex(this.#uuids++, 12)}`
  }

  /** False when nothing can happen any more. */
  #step(): boolean {
    this.#now += this.#random.int(0, LONGEST_GAP_MS)
    if ([...this.#waiting, ...this.#sleeping].some(({ actor }) => this.#dies(actor))) return true
    const waiting = this.#waiting.length
    const sleeping = this.#sleeping.length
    if (waiting + sleeping === 0) return false
    if (waiting === 0 || (sleeping > 0 && this.#random.chance(0.05))) {
      this.#sleeping.sort((a, b) => a.at - b.at)
      const sleeper = this.#sleeping.shift()
      this.#now = Math.max(this.#now, sleeper?.at ?? 0)
      sleeper?.wake()
      return true
    }
    const [next] = this.#waiting.splice(this.#random.int(0, waiting - 1), 1)
    next?.happen(true)
    return true
  }

  #dies(actor: Live): boolean {
    if (actor.dead || actor.dieAfter === undefined) return false
    actor.dieAfter--
    if (actor.dieAfter >= 0) return false
    actor.dead = true
    const own = this.#waiting.filter(one => one.actor === actor)
    this.#waiting = this.#waiting.filter(one => one.actor !== actor)
    this.#sleeping = this.#sleeping.filter(one => one.actor !== actor)
    // What was under way may still have reached the store.
    for (const one of own) if (this.#random.chance(0.5)) one.happen(false)
    actor.die()
    return true
  }

  /** One call: `effect` is what it does, all at once. */
  #call<T>(actor: Live, effect: () => T | Promise<T>, writes: boolean, broken?: () => void) {
    if (this.quiet) return (async () => effect())()
    if (actor.dead) return new Promise<T>(() => undefined)
    return new Promise<T>((resolve, reject) => {
      const later = (happen: (answer: boolean) => void): void => {
        this.#waiting.push({ actor, happen })
      }
      const take = async (answer: (value: T) => void, refuse: (error: unknown) => void) => {
        try {
          answer(await effect())
        } catch (error) {
          refuse(error)
        }
      }
      const silent = (): void => undefined
      later(answered => {
        if (!answered) {
          if (writes) void take(silent, silent)
          return
        }
        const { refused, answerLost, late, slow } = this.#faults
        const dice = this.#random.next()
        if (dice < refused) {
          broken?.()
          reject(unavailable())
        } else if (writes && dice < refused + answerLost) {
          void take(() => reject(unavailable()), reject)
        } else if (writes && dice < refused + answerLost + late) {
          later(() => void take(silent, silent))
          reject(unavailable())
        } else if (dice < refused + answerLost + late + slow) {
          void take(
            value => later(again => (again ? resolve(value) : undefined)),
            error => later(again => (again ? reject(error) : undefined))
          )
        } else void take(resolve, reject)
      })
    })
  }

  #sleep(actor: Live, ms: number, signal?: AbortSignal): Promise<void> {
    if (this.quiet) {
      this.#now += ms
      return Promise.resolve()
    }
    if (actor.dead) return new Promise(() => undefined)
    signal?.throwIfAborted()
    return new Promise(resolve => {
      this.#sleeping.push({ at: this.#now + ms, actor, wake: resolve })
    })
  }

  #put(path: string, bytes: Uint8Array, ifAbsent: boolean): PutResult {
    const there = this.objects.has(path)
    if (ifAbsent && there) return 'exists'
    const version = COMMIT.exec(path)?.[1]
    if (version !== undefined) {
      if (there) this.offences.push(`${path} was replaced`)
      if (Number(version) !== this.#newest + 1) this.offences.push(`${path} came out of turn`)
      this.#newest = Number(version)
      this.commits.set(this.#newest, this.#now)
    }
    this.objects.set(path, { bytes: Uint8Array.from(bytes), modifiedAt: this.#now })
    return 'stored'
  }

  #store(actor: Live): ObjectStore {
    const info = (path: string, { bytes, modifiedAt }: StoredObject): ObjectInfo => ({
      path,
      size: bytes.length * this.#sizeFactor,
      modifiedAt
    })
    return {
      root: ROOT,
      localPath: path => `${ROOT}/${path}`,
      put: (path, bytes, options) =>
        this.#call(actor, () => this.#put(path, bytes, options?.ifAbsent === true), true),
      putFile: (path, localFile) =>
        this.#call(
          actor,
          () => {
            const bytes = this.#scratch.get(localFile) ?? new Uint8Array(0)
            this.#put(path, bytes, false)
            return bytes.length * this.#sizeFactor
          },
          true
        ),
      get: (path, range) =>
        this.#call(
          actor,
          () => found(this.objects, path).bytes.slice(range?.start, range?.end),
          false
        ),
      head: path =>
        this.#call(
          actor,
          () => {
            const object = this.objects.get(path)
            return object && info(path, object)
          },
          false
        ),
      list: (prefix, options) => this.#list(actor, prefix, options?.startAfter ?? '', info),
      delete: path =>
        this.#call(
          actor,
          () => {
            if (COMMIT.test(path)) this.offences.push(`${path} was deleted`)
            this.objects.delete(path)
          },
          true
        ),
      close: async () => undefined
    }
  }

  async *#list(
    actor: Live,
    prefix: string,
    startAfter: string,
    info: (path: string, object: StoredObject) => ObjectInfo
  ): AsyncGenerator<ObjectInfo> {
    const isAfter = (path: string, other: string): boolean =>
      Buffer.compare(Buffer.from(path), Buffer.from(other)) > 0
    const partial = this.#faults.partialListings && !this.quiet
    const atStart = await this.#call(actor, () => new Map(this.objects), false)
    let last = startAfter
    for (;;) {
      const page = await this.#call(
        actor,
        () => {
          const paths = new Set([...atStart.keys(), ...this.objects.keys()])
          return [...paths]
            .filter(path => path.startsWith(prefix) && isAfter(path, last))
            .filter(path => {
              const steady = atStart.has(path) === this.objects.has(path)
              return steady || (partial ? this.#random.chance(0.5) : this.objects.has(path))
            })
            .sort((a, b) => (isAfter(a, b) ? 1 : -1))
            .slice(0, PAGE)
            .map(path => info(path, this.objects.get(path) ?? found(atStart, path)))
        },
        false
      )
      yield* page
      if (page.length < PAGE) return
      last = page.at(-1)?.path ?? last
    }
  }

  #files(): ByteFiles {
    return {
      read: async path => {
        const stored = path.startsWith(`${ROOT}/`)
          ? this.objects.get(path.slice(ROOT.length + 1))?.bytes
          : this.#scratch.get(path)
        if (stored !== undefined) return stored
        throw new DeltaError('DELTA_DATA_CORRUPT', `A data file is missing: ${path}`)
      },
      write: async (path, bytes) => {
        if (path.startsWith(`${ROOT}/`)) this.#put(path.slice(ROOT.length + 1), bytes, false)
        else this.#scratch.set(path, bytes)
      }
    }
  }

  #engine(actor: Live): ParquetEngine {
    const files = this.#files()
    const engine = this.#parquet
    const torn = (path: string): void => {
      if (this.#random.chance(0.5)) void files.write(path, Buffer.from('torn'))
    }
    const reading = <T>(work: () => Promise<T>): Promise<T> => this.#call(actor, work, false)
    return {
      match: request => reading(() => engine.match(request)),
      write: request =>
        this.#call(
          actor,
          () => engine.write(request),
          true,
          () => torn(request.target)
        ),
      cluster: request => this.#call(actor, () => engine.cluster(request), true),
      clusterRanks: request => reading(() => engine.clusterRanks(request)),
      fetch: request => reading(() => engine.fetch(request)),
      sortedKeyHashes: (data, keys, salt) => engine.sortedKeyHashes(data, keys, salt),
      scan: request => reading(() => engine.scan(request)),
      scanBatches: request => engine.scanBatches(request),
      export: (request, target, format) => reading(() => engine.export(request, target, format)),
      filterParts: where => engine.filterParts(where),
      findRows: request => reading(() => engine.findRows(request)),
      translate: (expression, schema, type) => engine.translate(expression, schema, type),
      evaluate: request => engine.evaluate(request),
      filterPartitions: request => engine.filterPartitions(request),
      checkAssignments: (schema, set) => engine.checkAssignments(schema, set),
      groupChanges: (changes, columns) => reading(() => engine.groupChanges(changes, columns)),
      countViolations: (changes, checks) => reading(() => engine.countViolations(changes, checks)),
      rowCounts: paths => reading(() => engine.rowCounts(paths)),
      duplicateKeys: (data, keys) => reading(() => engine.duplicateKeys(data, keys)),
      readCheckpoint: paths => reading(() => engine.readCheckpoint(paths)),
      writeCheckpoint: (target, actions) =>
        this.#call(actor, () => engine.writeCheckpoint(target, actions), true),
      close: () => engine.close()
    }
  }
}

function found(objects: ReadonlyMap<string, StoredObject>, path: string): StoredObject {
  const object = objects.get(path)
  if (object !== undefined) return object
  throw new DeltaError('STORAGE_NOT_FOUND', `There is no object at ${ROOT}/${path}`)
}

function unavailable(): DeltaError {
  return new DeltaError('STORAGE_UNAVAILABLE', 'The store failed, as the test asked it to')
}

/**
 * Until all code waits for the world. The engine makes its scratch directory on a real disk; its key index
 * lets others run now and then.
 */
async function settle(): Promise<void> {
  do await setImmediate()
  while (process.getActiveResourcesInfo().some(name => /^(FSReq|Immediate)/.test(name)))
}
