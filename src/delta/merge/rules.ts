/** The rules of a merge as people write them: policies as an object or a map, and checked. */
import { type ColumnPolicy, DeltaError, type MergeGuard, type Row } from '../../core/index.ts'
import type { MergeRules } from '../row-policies.ts'
import type { ColumnName, StoredRow } from '../row-types.ts'
import { isNested, type SchemaField } from '../schema.ts'

/** The rule of each column by its name; columns that are left out are replaced where a row has them. */
export type MergePolicies<R = StoredRow> =
  | ReadonlyMap<string, ColumnPolicy>
  | { readonly [N in ColumnName<R>]?: ColumnPolicy }

/** What a merge does with rows whose key is stored. Only `keys` is needed: then given columns are replaced. */
export interface MergeSpec<R = StoredRow>
  extends Omit<MergeRules, 'keys' | 'policies' | 'guard' | 'deleteWhen'> {
  /** The columns that together name a row. Rows in which one of them is null are dropped and counted. */
  readonly keys: readonly ColumnName<R>[]
  /** What becomes of each column; those that are left out are replaced where a row has them. */
  readonly policies?: MergePolicies<R>
  /** Which of two rows with one key is newer; without it the one that comes later. */
  readonly guard?: MergeGuard
  /**
   * Which rows of the batch delete the stored row of their key, if the guard takes them for newer. Such a
   * row needs its key and the guard's columns only. It is asked with the row object that was given.
   */
  deleteWhen?(row: R): boolean
}

const POLICIES: ReadonlySet<string> = new Set([
  'key',
  'first',
  'coalesce',
  'replace',
  'min',
  'or',
  'audit'
])

/** Rejects with `DELTA_MERGE_INVALID` when there is no key, or a policy that does not exist. */
export function mergeRulesOf({ keys, policies, deleteWhen, ...rest }: MergeSpec): MergeRules {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new DeltaError(
      'DELTA_MERGE_INVALID',
      'The merge names no key columns: give `keys`, such as `{ keys: ["id"] }`'
    )
  }
  const map = policies instanceof Map ? policies : new Map(Object.entries(policies ?? {}))
  for (const [column, policy] of map) {
    if (POLICIES.has(policy) || /^with:./.test(policy)) continue
    throw new DeltaError(
      'DELTA_MERGE_INVALID',
      `There is no policy ${JSON.stringify(policy)} (of the column ${column}): it is one of ${[...POLICIES].join(', ')} or with:COLUMN`
    )
  }
  const byRow = deleteWhen as ((row: Row) => boolean) | undefined
  return { keys, policies: map, ...rest, ...(byRow === undefined ? {} : { deleteWhen: byRow }) }
}

/**
 * Rejects rules with columns that the table does not have (`DELTA_SCHEMA_MISMATCH`), and those that
 * would have to compare structs, arrays or maps, which have no order (`DELTA_UNSUPPORTED`).
 */
export function assertRuleColumns(
  rules: MergeRules,
  fields: ReadonlyMap<string, SchemaField>,
  where: string
): void {
  const leaders = [...rules.policies.values()]
    .filter(policy => policy.startsWith('with:'))
    .map(policy => policy.slice('with:'.length))
  const named: readonly (readonly [string, Iterable<string>])[] = [
    ['key', rules.keys],
    ['policy', rules.policies.keys()],
    ['policy', leaders],
    ['guard', rules.guard?.columns ?? []]
  ]
  for (const [part, names] of named) {
    for (const name of names) {
      if (fields.has(name)) continue
      const what = part === 'key' ? `key column ${name}` : `column ${name}, which the ${part} names`
      throw new DeltaError('DELTA_SCHEMA_MISMATCH', `${where} has no ${what}`)
    }
  }
  const minima = [...rules.policies].filter(([, policy]) => policy === 'min')
  const compared = [...rules.keys, ...(rules.guard?.columns ?? []), ...minima.map(([name]) => name)]
  const nested = compared.find(name => isNested(fields.get(name)?.type ?? 'string'))
  if (nested === undefined) return
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    `${where}: the column ${nested} is nested, so it cannot be a key, guard or min column of a merge`
  )
}
