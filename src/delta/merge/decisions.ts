/**
 * What a merge does with each key. A decision depends only on the batch and on one stored row, so it is
 * made once and keeps its identity through every attempt to commit; that is how a later attempt knows
 * which of the files written before are still right.
 */
import type { CellValue } from '../../core/index.ts'
import type { Snapshot } from '../log-state.ts'
import { type MergeRules, mergeRows } from '../row-policies.ts'
import { assertComplete } from '../rows.ts'
import type { StoredMatch } from './locator.ts'
import type { SourceGroup } from './source.ts'

/** A row to be written: new, or in the place of a stored one. */
export interface DecidedRow {
  readonly values: Readonly<Record<string, CellValue>>
  readonly replaces: StoredMatch | undefined
}

export interface Decisions {
  readonly rows: ReadonlySet<DecidedRow>
  readonly inserted: number
  readonly updated: number
}

export class Decider {
  readonly #rules: MergeRules
  readonly #where: string
  readonly #inserts = new Map<SourceGroup, DecidedRow>()
  /** Undefined: the stored row stays as it is. */
  readonly #updates = new Map<StoredMatch, DecidedRow | undefined>()

  constructor(rules: MergeRules, where: string) {
    this.#rules = rules
    this.#where = where
  }

  decide(
    snapshot: Snapshot,
    groups: readonly SourceGroup[],
    matches: readonly StoredMatch[]
  ): Decisions {
    const columns = snapshot.fields.map(field => field.name)
    const rows = new Set<DecidedRow>()
    const matched = new Set<SourceGroup>()
    let updated = 0
    for (const match of matches) {
      matched.add(match.group)
      const row = this.#update(snapshot, columns, match)
      if (row === undefined) continue
      updated++
      rows.add(row)
    }
    for (const group of groups) {
      if (!matched.has(group)) rows.add(this.#insert(snapshot, columns, group))
    }
    return { rows, inserted: rows.size - updated, updated }
  }

  #update(
    snapshot: Snapshot,
    columns: readonly string[],
    match: StoredMatch
  ): DecidedRow | undefined {
    if (this.#rules.insertOnly === true) return undefined
    if (this.#updates.has(match)) return this.#updates.get(match)
    const merged = mergeRows(this.#rules, columns, match.match.values, match.group.rows)
    const row = merged.changed ? { values: merged.values, replaces: match } : undefined
    if (row !== undefined) assertComplete(snapshot.fields, row.values, this.#where)
    this.#updates.set(match, row)
    return row
  }

  #insert(snapshot: Snapshot, columns: readonly string[], group: SourceGroup): DecidedRow {
    const known = this.#inserts.get(group)
    if (known !== undefined) return known
    const { values } = mergeRows(this.#rules, columns, undefined, group.rows)
    assertComplete(snapshot.fields, values, this.#where)
    const row = { values, replaces: undefined }
    this.#inserts.set(group, row)
    return row
  }
}
