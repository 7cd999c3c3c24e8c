/** What the writers of one table do: made of a seed, so that a number is all that it takes to repeat it. */
import type { CellValue, ColumnPolicy, Row } from '../../../src/core/index.ts'
import type { ColumnSpec } from '../../../src/delta/index.ts'
import { type Random, seededRandom } from '../../helpers/random.ts'
import { type Faults, NO_FAULTS } from '../../helpers/simulated-world.ts'

export const POLICIES: Readonly<Record<string, ColumnPolicy>> = {
  id: 'key',
  place: 'replace',
  name: 'coalesce',
  n: 'replace',
  made: 'first',
  at: 'min'
}

export const COLUMNS: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'place', type: 'string', nullable: true },
  { name: 'name', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true },
  { name: 'made', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true }
]

export interface MergeTask {
  readonly kind: 'merge'
  readonly rows: readonly Row[]
  /** Indexes of rows that delete. */
  readonly deletes: readonly number[]
  readonly insertOnly: boolean
  readonly overwrite: boolean
  readonly targetFileBytes: number
  readonly smallFileBytes: number
}

/** A new value, or SQL over the row. */
export type Setting = CellValue | { readonly sql: string }

export type Action =
  | MergeTask
  | { readonly kind: 'delete'; readonly where?: string }
  | {
      readonly kind: 'update'
      readonly where?: string
      readonly set: Readonly<Record<string, Setting>>
    }
  | { readonly kind: 'append'; readonly rows: readonly Row[] }
  | { readonly kind: 'addColumn' }
  | { readonly kind: 'setProperties'; readonly changes: Readonly<Record<string, string>> }
  | {
      readonly kind: 'optimize'
      readonly targetFileBytes: number
      readonly deletedPart: number
      readonly zOrderBy: readonly string[]
    }
  | { readonly kind: 'maintain' }
  /** To a version so many before the newest. */
  | { readonly kind: 'restore'; readonly back: number }
  | { readonly kind: 'vacuum' }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'read' }
  | { readonly kind: 'readPast'; readonly part: number }
  | { readonly kind: 'findKeys'; readonly ids: readonly string[] }
  | { readonly kind: 'countRows' }
  | { readonly kind: 'reopen' }

export interface Task {
  /** Unique in the program. */
  readonly operation: number
  readonly action: Action
  /** The process dies after so many events. */
  readonly dieAfter?: number
  /** Starts at the same time on the same table object. */
  readonly beside?: Task
}

export interface Round {
  /** Time that passes first, while nobody does anything. */
  readonly jumpMs: number
  /** One list a writer. */
  readonly tasks: readonly (readonly Task[])[]
}

export interface Program {
  readonly seed: number
  readonly partitioned: boolean
  readonly properties: Readonly<Record<string, string>>
  readonly sizeFactor: number
  /** Whether the writers look keys up in an index. */
  readonly indexed: boolean
  readonly faults: Faults
  readonly rounds: readonly Round[]
}

const HOUR_MS = 3_600_000

export function programOf(seed: number): Program {
  const random = seededRandom(seed)
  const writers = random.int(1, 4)
  const faults = random.chance(0.25) ? NO_FAULTS : faultsOf(random)
  const deaths = faults === NO_FAULTS ? 0 : random.pick([0, 0, 0.05, 0.15])
  let operations = 1
  const task = (nested: boolean): Task => ({
    operation: operations++,
    action: nested ? besideOf(random) : actionOf(random),
    ...(random.chance(deaths) && !nested ? { dieAfter: random.int(0, 25) } : {}),
    ...(!nested && random.chance(0.08) ? { beside: task(true) } : {})
  })
  const rounds = Array.from({ length: random.int(1, 4) }, (_, index) => ({
    jumpMs: index === 0 ? 0 : random.pick([0, 1, 20, 23, 30, 24 * 9]) * HOUR_MS,
    tasks: Array.from({ length: writers }, () =>
      Array.from({ length: random.int(0, 5) }, () => task(false))
    )
  }))
  return {
    seed,
    partitioned: random.chance(0.4),
    properties: {
      'delta.checkpointInterval': random.pick(['2', '3', '10']),
      'delta.deletedFileRetentionDuration': random.pick(['interval 1 days', 'interval 7 days']),
      ...(random.chance(0.6) ? { 'delta.enableDeletionVectors': 'true' } : {}),
      ...(random.chance(0.5) ? { 'delta.enableChangeDataFeed': 'true' } : {}),
      ...(random.chance(0.4) ? { 'delta.enableRowTracking': 'true' } : {})
    },
    sizeFactor: random.pick([1, 40, 1000]),
    indexed: seed % 2 === 1,
    faults,
    rounds
  }
}

function faultsOf(random: Random): Faults {
  const chance = (): number => random.pick([0, 0, 0.01, 0.05])
  return {
    refused: chance(),
    answerLost: chance(),
    late: chance(),
    slow: random.pick([0, 0.1, 0.3]),
    partialListings: random.chance(0.5)
  }
}

function actionOf(random: Random): Action {
  const dice = random.next()
  if (dice < 0.4) return mergeOf(random)
  if (dice < 0.46) return { kind: 'delete', ...conditionOf(random) }
  if (dice < 0.54) return { kind: 'update', set: random.pick(SETTINGS), ...conditionOf(random) }
  if (dice < 0.62) {
    return { kind: 'append', rows: Array.from({ length: random.int(1, 6) }, () => rowOf(random)) }
  }
  if (dice < 0.65) return { kind: 'addColumn' }
  if (dice < 0.68) return { kind: 'setProperties', changes: propertiesOf(random) }
  if (dice < 0.74) {
    const targetFileBytes = random.pick([1000, 50_000, 10_000_000])
    const zOrderBy = random.pick([[], [], ['n'], ['name', 'at'], ['n', 'name', 'made']])
    return { kind: 'optimize', targetFileBytes, deletedPart: random.pick([0, 0.1, 0.6]), zOrderBy }
  }
  if (dice < 0.76) return { kind: 'maintain' }
  if (dice < 0.77) return { kind: 'restore', back: random.int(0, 3) }
  if (dice < 0.8) return { kind: 'vacuum' }
  if (dice < 0.83) return { kind: 'checkpoint' }
  if (dice < 0.89) return { kind: 'read' }
  if (dice < 0.92) return { kind: 'readPast', part: random.next() }
  if (dice < 0.95) return { kind: 'findKeys', ids: Array.from({ length: 4 }, () => idOf(random)) }
  return dice < 0.97 ? { kind: 'countRows' } : { kind: 'reopen' }
}

/** Nobody closes a table while the other works. */
function besideOf(random: Random): Action {
  const action = actionOf(random)
  return action.kind === 'reopen' ? { kind: 'read' } : action
}

const CONDITIONS: readonly string[] = [
  "id = 'k3'",
  "id >= 'k1' AND id < 'k13'",
  "id < 'b'",
  'n > 0',
  'n <= 0 AND name IS NOT NULL',
  'NOT (n > 0)',
  'n IS NULL',
  "place = 'p 1'",
  "place IS NULL OR place = 'p/2'",
  "place = 'p/2' AND id > 'k12'",
  "name = 'a' OR name IN ('b', 'set')"
]

const SETTINGS: readonly Readonly<Record<string, Setting>>[] = [
  { n: { sql: 'n + 1' } },
  { name: 'set', at: 5n },
  { place: 'p/2' },
  { place: null, n: -1 },
  { place: { sql: 'name' }, name: { sql: 'place' } },
  { place: { sql: 'made' }, n: null }
]

function conditionOf(random: Random): { where?: string } {
  return random.chance(0.1) ? {} : { where: random.pick(CONDITIONS) }
}

function mergeOf(random: Random): MergeTask {
  const rows = Array.from({ length: random.int(1, random.pick([2, 12])) }, () => rowOf(random))
  const insertOnly = random.chance(0.2)
  const deleting = random.chance(0.3) ? random.pick([0.2, 0.9]) : 0
  return {
    kind: 'merge',
    rows: random.chance(0.1) ? [...rows, { id: null, n: 1 }] : rows,
    deletes: rows.flatMap((_, index) => (random.chance(deleting) ? [index] : [])),
    insertOnly,
    overwrite: !insertOnly && random.chance(0.15),
    targetFileBytes: random.pick([1, 3000, 40_000, 100_000_000]),
    smallFileBytes: random.pick([0, 2000, 131_072])
  }
}

function propertiesOf(random: Random): Record<string, string> {
  const name = random.pick([
    'enableDeletionVectors',
    'enableChangeDataFeed',
    'enableRowTracking',
    'checkpointInterval'
  ])
  const values = name === 'checkpointInterval' ? ['1', '2', '5'] : ['true', 'false']
  return { [`delta.${name}`]: random.pick(values) }
}

const idOf = (random: Random): string => `k${random.int(0, 14)}`
const TEXTS: readonly CellValue[] = ['a', 'b', "it's", 'Köln \u{1f600}', 'x'.repeat(40), null]

function rowOf(random: Random): Row {
  const row: Record<string, CellValue> = { id: idOf(random) }
  if (random.chance(0.8)) row['place'] = random.pick(['p 1', 'p/2', null])
  if (random.chance(0.7)) row['name'] = random.pick(TEXTS)
  if (random.chance(0.7)) row['n'] = random.pick([random.int(-5, 5), 2n ** 60n, null])
  if (random.chance(0.5)) row['made'] = random.pick(TEXTS)
  if (random.chance(0.5)) row['at'] = random.chance(0.2) ? null : BigInt(random.int(-5, 1_000_000))
  return row
}
