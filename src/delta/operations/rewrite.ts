/**
 * Files that hold the rows of others, and their commit beside other writers. Copying takes long and
 * changes no row, so it must neither hold up merges nor be lost to them: rows that a winner deleted of an
 * input are looked up in the copy and deleted there, by a vector that is committed with it.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AddAction } from '../actions.ts'
import { CLUSTERING_DOMAIN } from '../clustering/columns.ts'
import { statsOf } from '../data-skipping.ts'
import {
  addWithVector,
  differenceOf,
  isWithin,
  positionsOf,
  removeOf,
  vectorPath,
  writesVectors
} from '../deletion-vectors/index.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import { objectPath } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import { type OptimizeInfo, optimizeInfo } from './optimize-result.ts'
import { sameRows } from './same-rows.ts'

export interface Rewrite {
  /** The snapshot that the inputs are of. */
  readonly base: Snapshot
  readonly inputs: readonly AddAction[]
  /** The new files, which hold what is left of the inputs; none when nothing is. */
  readonly outputs: readonly AddAction[]
  /**
   * Where rows of an input stand among all rows of the outputs, counted through. `positions` are
   * ascending and were not deleted when the input was copied.
   */
  ranks(input: number, positions: Uint32Array): Promise<Uint32Array>
}

export interface CommittedRewrite {
  readonly version: number
  readonly adds: readonly AddAction[]
  readonly removed: readonly AddAction[]
  /** Rows of the new files that other writers had deleted meanwhile. */
  readonly carried: number
}

/** Runs work when no other writer of this table object is at work. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

/** A copy of which more is obsolete before it is committed is not worth having. */
const OBSOLETE_PART = 0.5

/** Undefined, and the files are deleted, when what other writers did cannot be carried over. */
export async function commitRewrite(
  log: TableLog,
  rewrite: Rewrite,
  info: OptimizeInfo,
  turn: Turn,
  signal: AbortSignal | undefined
): Promise<CommittedRewrite | undefined> {
  const carrier = new Carrier(log, rewrite)
  for (let conflicts = 0; ; ) {
    signal?.throwIfAborted()
    // What takes long is done before the turn; in it only what is newer still.
    let outcome = (await carrier.carry(await log.refresh())) === undefined ? 'lost' : 'conflict'
    if (outcome !== 'lost') {
      const committed = await turn(() => attempt(log, carrier, info))
      if (typeof committed !== 'string') {
        log.followKeys()
        return committed
      }
      outcome = committed
    }
    if (outcome === 'lost') {
      await carrier.discard()
      return undefined
    }
    conflicts++
    await log.pause(conflicts, signal)
  }
}

async function attempt(
  log: TableLog,
  carrier: Carrier,
  info: OptimizeInfo
): Promise<CommittedRewrite | 'lost' | 'conflict'> {
  const snapshot = await log.refresh()
  const carried = await carrier.carry(snapshot)
  if (carried === undefined) return 'lost'
  const { adds, removed, rows } = carried
  const now = log.ports.clock.now()
  const response = await log.commit(snapshot, optimizeInfo(info, adds, removed), [
    ...removed.map(add => ({ remove: removeOf(add, now, false) })),
    ...adds.map(add => ({ add: { ...add, dataChange: false } }))
  ])
  if (response.kind === 'conflict') return 'conflict'
  await carrier.dropUnused(adds)
  return { version: response.version, adds, removed, carried: rows }
}

interface Carried {
  readonly adds: readonly AddAction[]
  /** The inputs as the snapshot has them. */
  readonly removed: readonly AddAction[]
  readonly rows: number
}

const NONE = new Uint32Array(0)

/** Brings what other writers deleted of the inputs to the outputs. */
class Carrier {
  readonly #log: TableLog
  readonly #rewrite: Rewrite
  /** Of each input, the positions known to be deleted since it was copied, and their ranks. */
  readonly #known = new Map<number, { positions: Uint32Array; ranks: Uint32Array }>()
  #marked: { ranks: Uint32Array; adds: readonly AddAction[] } | undefined
  readonly #vectorFiles = new Set<string>()

  constructor(log: TableLog, rewrite: Rewrite) {
    this.#log = log
    this.#rewrite = rewrite
  }

  /** Undefined when it cannot be done, or is not worth it. */
  async carry(snapshot: Snapshot): Promise<Carried | undefined> {
    const { base, inputs, outputs } = this.#rewrite
    if (!sameDefinition(snapshot, base)) return undefined
    const current = new Map([...snapshot.files.values()].map(add => [add.path, add]))
    const removed = inputs.flatMap(input => current.get(input.path) ?? [])
    if (removed.length === 0) return undefined
    for (const [index, input] of inputs.entries()) {
      const now = current.get(input.path)
      if (now !== undefined && fileKey(now) === fileKey(input)) {
        // Rows that were deleted in the copy came back.
        if (this.#known.has(index)) return undefined
        continue
      }
      if (!writesVectors(snapshot)) return undefined
      const deleted = await this.#deletedSince(input, now)
      if (deleted === undefined || !(await this.#rank(index, deleted))) return undefined
    }
    if (this.#known.size === 0) return { adds: outputs, removed, rows: 0 }
    const ranks = positionsOf([...this.#known.values()].flatMap(known => [...known.ranks]))
    const rows = rowsOf(outputs)
    if (rows === undefined || ranks.length > rows * OBSOLETE_PART) return undefined
    return { adds: await this.#mark(ranks), removed, rows: ranks.length }
  }

  /** Deletes all that was written; what cannot be deleted is left to a vacuum. */
  async discard(): Promise<void> {
    await this.dropUnused([])
  }

  async dropUnused(adds: readonly AddAction[]): Promise<void> {
    const { path: table, ports } = this.#log
    const files = new Set(this.#rewrite.outputs.map(add => objectPath(table, add)))
    const unused = files.union(this.#vectorFiles)
    for (const add of adds) {
      unused.delete(objectPath(table, add))
      if (add.deletionVector != null) unused.delete(vectorPath(table, add.deletionVector) ?? '')
    }
    for (const path of unused) await ports.store.delete(path).catch(() => undefined)
  }

  /**
   * Positions that were copied and are deleted now: all when the file is gone, since its rows are in
   * another one or nowhere. Undefined when rows have come back, which the copy lacks.
   */
  async #deletedSince(
    input: AddAction,
    now: AddAction | undefined
  ): Promise<Uint32Array | undefined> {
    const before = (await this.#log.vectors.load(input)) ?? NONE
    if (now !== undefined) {
      const after = (await this.#log.vectors.load(now)) ?? NONE
      return isWithin(before, after) ? differenceOf(after, before) : undefined
    }
    const { numRecords } = statsOf(input)
    if (numRecords === undefined) return undefined
    return differenceOf(
      Uint32Array.from({ length: Number(numRecords) }, (_, position) => position),
      before
    )
  }

  /** False when the rows are not where they should be. */
  async #rank(index: number, positions: Uint32Array): Promise<boolean> {
    const known = this.#known.get(index)
    // A smaller set than before: rows came back and were deleted anew in another order of commits.
    const fresh = differenceOf(positions, known?.positions ?? NONE)
    if (known !== undefined && fresh.length + known.positions.length !== positions.length) {
      return false
    }
    if (fresh.length === 0) return true
    const input = this.#rewrite.inputs[index]
    const ranks = await this.#rewrite.ranks(index, fresh)
    if (input === undefined || ranks.length !== fresh.length) return false
    if (!(await sameRows(this.#log, this.#rewrite, input, fresh, ranks))) return false
    this.#known.set(index, {
      positions,
      ranks: positionsOf([...(known?.ranks ?? []), ...ranks])
    })
    return true
  }

  /** The outputs with vectors; one of which no row is left is left out. */
  async #mark(ranks: Uint32Array): Promise<readonly AddAction[]> {
    const known = this.#marked
    if (known !== undefined && known.ranks.length === ranks.length) return known.adds
    const wanted = new Map<AddAction, Uint32Array>()
    const emptied = new Set<AddAction>()
    let first = 0
    for (const add of this.#rewrite.outputs) {
      const rows = Number(statsOf(add).numRecords)
      const inside = ranks.filter(rank => rank >= first && rank < first + rows)
      if (inside.length === rows) emptied.add(add)
      else if (inside.length > 0)
        wanted.set(
          add,
          inside.map(rank => rank - first)
        )
      first += rows
    }
    const { descriptors, path } = await this.#log.vectors.write(wanted)
    if (path !== undefined) this.#vectorFiles.add(path)
    const adds = this.#rewrite.outputs
      .filter(add => !emptied.has(add))
      .map(add => {
        const vector = descriptors.get(add)
        return vector === undefined ? add : addWithVector(add, vector)
      })
    this.#marked = { ranks, adds }
    return adds
  }
}

/** The files as the snapshot has them, with their newest vectors; those that are gone are left out. */
export function currentFiles(snapshot: Snapshot, adds: readonly AddAction[]): AddAction[] {
  const current = new Map([...snapshot.files.values()].map(add => [add.path, add]))
  return adds.flatMap(add => current.get(add.path) ?? [])
}

function sameDefinition(a: Snapshot, b: Snapshot): boolean {
  return (
    isDeepStrictEqual(a.metadata, b.metadata) &&
    isDeepStrictEqual(a.protocol, b.protocol) &&
    a.domains.get(CLUSTERING_DOMAIN)?.configuration ===
      b.domains.get(CLUSTERING_DOMAIN)?.configuration
  )
}

function rowsOf(adds: readonly AddAction[]): number | undefined {
  let rows = 0
  for (const add of adds) {
    const { numRecords } = statsOf(add)
    if (numRecords === undefined) return undefined
    rows += Number(numRecords)
  }
  return rows
}
