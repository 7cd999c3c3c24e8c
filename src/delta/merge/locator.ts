/**
 * Where the keys of a batch are stored. Each data file is searched at most once, whatever the number of
 * attempts: files never change, so after a conflict only the files of the winner are new. Of a file that
 * got a newer deletion vector meanwhile only the vector is read.
 */
import type { CellValue } from '../../core/index.ts'
import type { AddAction } from '../actions.ts'
import { recordsChanges } from '../change-data/index.ts'
import { mayHoldKeys, type WantedValues, wantedValues } from '../data-skipping.ts'
import { hasPosition, isWithin } from '../deletion-vectors/index.ts'
import { hashKeys, type KeyView } from '../key-index/index.ts'
import { withFiles } from '../leased-files.ts'
import { fileKey, type Snapshot } from '../log-state.ts'
import type { EngineColumn, Match } from '../parquet-engine.ts'
import type { MergeRules } from '../row-policies.ts'
import { rowIdColumn } from '../row-tracking/index.ts'
import { engineColumns } from '../table-files.ts'
import type { TableLog } from '../table-log.ts'
import type { SourceGroup } from './source.ts'

/** A stored row with a key of the batch. It stays the same object while the row is in the table. */
export interface StoredMatch {
  readonly group: SourceGroup
  /** The file as it was when it was searched: its vector may be newer by now. */
  readonly add: AddAction
  readonly match: Match
}

interface Searched {
  /** `fileKey` of the file that the matches are of. */
  readonly key: string
  readonly add: AddAction
  readonly matches: readonly StoredMatch[]
}

/** Below this, reading the files costs no more than looking keys up and then reading the rows found. */
const LOOKED_UP_FROM_BYTES = 4_194_304

export class Locator {
  readonly #log: TableLog
  readonly #rules: MergeRules
  readonly #groups: readonly SourceGroup[]
  /** Whether stored rows are left alone. */
  readonly #added: boolean
  /** Whether it does not matter to the merge what the stored rows hold. */
  readonly #valuesIgnored: boolean
  /** Files that have a key of the batch, by path. */
  readonly #byPath = new Map<string, Searched>()
  /** Those of the last attempt: what has not changed since is not looked at again. */
  #before: ReadonlyMap<string, AddAction> = new Map()
  #wanted: readonly WantedValues[] | undefined
  #hashes: { readonly salt: string; readonly words: Uint32Array } | undefined

  constructor(log: TableLog, rules: MergeRules, groups: readonly SourceGroup[]) {
    this.#log = log
    this.#rules = rules
    this.#groups = groups
    const { insertOnly, overwrite, guard } = rules
    const deletes = groups.every(group => group.deletes.size === group.rows.length)
    this.#added = insertOnly === true
    this.#valuesIgnored = overwrite === true || (guard === undefined && deletes)
  }

  /** Stored rows of the snapshot that have a key of the batch. */
  async find(snapshot: Snapshot): Promise<StoredMatch[]> {
    this.#wanted ??= this.#wantedKeys(snapshot)
    const unseen: AddAction[] = []
    for (const [key, add] of snapshot.files) {
      if (this.#before.get(key) === add) continue
      const known = this.#byPath.get(add.path)
      if (known !== undefined && (await this.#narrow(known, key, add))) continue
      if (mayHoldKeys(add, this.#wanted)) unseen.push(add)
    }
    this.#before = snapshot.files
    if (unseen.length > 0) await this.#search(snapshot, unseen)
    const found: StoredMatch[] = []
    for (const { key, matches } of this.#byPath.values()) {
      if (snapshot.files.has(key)) for (const match of matches) found.push(match)
    }
    return found
  }

  /** Takes the rows out that a newer vector deletes; false when it does not delete all that the known one does. */
  async #narrow(known: Searched, key: string, add: AddAction): Promise<boolean> {
    const before = await this.#log.vectors.load(known.add)
    const now = await this.#log.vectors.load(add)
    if (!isWithin(before, now)) return false
    const matches = known.matches.filter(({ match }) => !hasPosition(now, match.position))
    this.#byPath.set(add.path, { key, add, matches })
    return true
  }

  /** Covered files are looked up in the key index, where that is worth it; the others are read. */
  async #search(snapshot: Snapshot, unseen: readonly AddAction[]): Promise<void> {
    const index = this.#log.keyIndex(snapshot, this.#rules.keys)?.view()
    try {
      const covered = unseen.filter(add => index?.covers(add) === true)
      const bytes = covered.reduce((sum, add) => sum + add.size, 0)
      if (index === undefined || (!this.#keysAlone(snapshot) && bytes < LOOKED_UP_FROM_BYTES)) {
        await this.#read(snapshot, unseen)
        return
      }
      const answered = await this.#lookUp(snapshot, index, covered)
      const others = answered ? [...new Set(unseen).difference(new Set(covered))] : unseen
      if (others.length > 0) await this.#read(snapshot, others)
    } finally {
      index?.release()
    }
  }

  /** False when the index cannot answer after all. */
  async #lookUp(snapshot: Snapshot, index: KeyView, adds: readonly AddAction[]): Promise<boolean> {
    const places = await index.find(adds, this.#hashesOf(snapshot, index.salt))
    if (places === undefined) return false
    const vectors = new Map<AddAction, Uint32Array | undefined>()
    for (const { add } of places) {
      if (!vectors.has(add)) vectors.set(add, await this.#log.vectors.load(add))
    }
    const found = places.filter(({ add, position }) => !hasPosition(vectors.get(add), position))
    const used = [...new Set(found.map(({ add }) => add))]
    const fileOf = new Map(used.map((add, file) => [add, file]))
    const hits = found.map(({ row, add, position }) => {
      return { row, file: fileOf.get(add) ?? 0, position }
    })
    this.#keep(used, await this.#fetch(snapshot, used, hits))
    return true
  }

  /** The rows found, with their values where these matter: equal hashes are equal keys. */
  async #fetch(
    snapshot: Snapshot,
    used: readonly AddAction[],
    hits: readonly Omit<Match, 'values'>[]
  ): Promise<Match[]> {
    const columns = this.#wantedColumns(snapshot)
    if (columns.length === 0) return hits.map(hit => ({ ...hit, values: {} }))
    const rest = columns.filter(({ name }) => this.#matters(snapshot, name))
    return await withFiles(this.#log, used, async files => {
      const fetched = await this.#log.ports.engine.fetch({ files, columns: rest, places: hits })
      return fetched.flatMap(({ place, values }) => {
        const hit = hits[place]
        return hit === undefined ? [] : [{ ...hit, values: { ...values, ...this.#storedKey(hit) } }]
      })
    })
  }

  /** Whether nobody needs to know what the stored rows hold; the change data feed tells it. */
  #keysAlone({ metadata }: Snapshot): boolean {
    return this.#added || (this.#valuesIgnored && !recordsChanges(metadata))
  }

  /** What must be known of the stored rows: all, or their ids, or nothing. */
  #wantedColumns(snapshot: Snapshot): EngineColumn[] {
    const rowId = this.#added ? undefined : rowIdColumn(snapshot)
    const columns = this.#keysAlone(snapshot) ? [] : engineColumns(snapshot)
    return rowId === undefined ? columns : [...columns, rowId]
  }

  /** Whether it is not known already what a column becomes: keys stay, audit columns are what is given. */
  #matters({ metadata }: Snapshot, column: string): boolean {
    if (this.#rules.keys.includes(column)) return false
    if (this.#rules.policies.get(column) !== 'audit' || recordsChanges(metadata)) return true
    return this.#groups.some(({ rows }) => rows.some(row => row[column] === undefined))
  }

  /** Key columns as files hold them: texts in UTF-8, where a lone surrogate has become another character. */
  #storedKey({ row }: { readonly row: number }): Record<string, CellValue> {
    const key = this.#groups[row]?.key
    return Object.fromEntries(
      this.#rules.keys.map(name => {
        const value = key?.[name] ?? null
        return [name, typeof value === 'string' ? value.toWellFormed() : value]
      })
    )
  }

  #hashesOf(snapshot: Snapshot, salt: string): Uint32Array {
    if (this.#hashes?.salt === salt) return this.#hashes.words
    const keys = engineColumns(snapshot).filter(({ name }) => this.#rules.keys.includes(name))
    const rows = this.#groups.map(group => group.key)
    const words = hashKeys(keys, salt, rows)
    this.#hashes = { salt, words }
    return words
  }

  async #read(snapshot: Snapshot, unseen: readonly AddAction[]): Promise<void> {
    const columns = engineColumns(snapshot)
    const keys = columns.filter(column => this.#rules.keys.includes(column.name))
    const wanted = this.#wantedColumns(snapshot)
    const matches = await withFiles(this.#log, unseen, files =>
      this.#log.ports.engine.match({
        files,
        keys,
        rows: this.#groups.map(group => group.key),
        columns: wanted
      })
    )
    this.#keep(unseen, matches)
  }

  #keep(files: readonly AddAction[], matches: readonly Match[]): void {
    const byFile = new Map<AddAction, StoredMatch[]>()
    for (const match of matches) {
      const add = files[match.file]
      const group = this.#groups[match.row]
      if (add === undefined || group === undefined) continue
      const known = byFile.get(add)
      if (known === undefined) byFile.set(add, [{ group, add, match }])
      else known.push({ group, add, match })
    }
    for (const [add, found] of byFile) {
      this.#byPath.set(add.path, { key: fileKey(add), add, matches: found })
    }
  }

  #wantedKeys(snapshot: Snapshot): WantedValues[] {
    return snapshot.fields
      .filter(field => this.#rules.keys.includes(field.name))
      .map(field =>
        wantedValues(
          field,
          this.#groups.map(group => group.key[field.name] ?? null)
        )
      )
  }
}
