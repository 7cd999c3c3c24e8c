/**
 * Rounds of work on one table. In a round Spark does one thing, and beside it each of the others a number
 * of small ones, then all wait for each other: so Spark meets commits of the others in every attempt but
 * the last, and gets through in the end.
 */
import type { Row } from '../../../src/core/index.ts'
import { type ColumnSpec, DeltaTable } from '../../../src/delta/index.ts'
import type { TestDelta } from '../../helpers/delta.ts'
import { Random } from '../generated/random.ts'
import { SEED_ROWS, seedId, WriterModel } from './model.ts'
import { type Work, WRITERS, type Writer, type WriterName } from './writers.ts'

export interface Scene {
  readonly name: string
  readonly path: string
  readonly writers: ReadonlyMap<WriterName, Writer>
  readonly models: ReadonlyMap<WriterName, WriterModel>
  /** Whether the column that Spark adds is there. */
  extra: boolean
  /** What each did when, for messages. */
  readonly events: string[]
}

const columns: readonly ColumnSpec[] = [
  { name: 'id', type: 'string', nullable: false },
  { name: 'writer', type: 'string', nullable: true },
  { name: 'n', type: 'long', nullable: true },
  ...WRITERS.map(name => ({ name, type: 'long', nullable: true }) as const),
  { name: 'text', type: 'string', nullable: true }
]

/** What each of the others does beside one thing of Spark. */
const BESIDE: Readonly<Record<WriterName, number>> = { ours_1: 12, ours_2: 12, rs: 5, spark: 0 }

/** The table with its first rows, in several files. */
export async function openScene(
  delta: TestDelta,
  name: string,
  properties: Readonly<Record<string, string>>,
  writers: readonly Writer[],
  seed: number
): Promise<Scene> {
  const spec = { columns, properties }
  const table = await DeltaTable.openOrCreate(name, spec, delta.ports, delta.options)
  const files = 4
  for (let file = 0; file < files; file++) {
    const rows: Row[] = []
    for (let index = file; index < SEED_ROWS; index += files) {
      rows.push({ id: seedId(index), writer: 'seed' })
    }
    await table.append(rows)
  }
  await table.close()
  return {
    name,
    path: table.location,
    writers: new Map(writers.map(writer => [writer.name, writer])),
    models: new Map(
      writers.map((writer, index) => [
        writer.name,
        new WriterModel(writer.name, new Random(seed * 10 + index))
      ])
    ),
    extra: false,
    events: []
  }
}

/** Work of Spark, and work that another does once in the same round. */
export interface Round {
  readonly spark: Work
  readonly sql?: string
  readonly also?: readonly { readonly writer: WriterName; readonly work: Work }[]
}

export async function playRound(scene: Scene, round: Round, random: Random): Promise<void> {
  await Promise.all(
    [...scene.writers.keys()].map(async name => {
      const works: Work[] = name === 'spark' ? [round.spark] : smallWorks(name, random)
      for (const { writer, work } of round.also ?? []) {
        if (writer === name) works.splice(random.int(0, works.length), 0, work)
      }
      for (const work of works) await perform(scene, name, work, round.sql)
    })
  )
  if (round.spark === 'add a column') scene.extra = true
}

function smallWorks(name: WriterName, random: Random): Work[] {
  return Array.from({ length: BESIDE[name] }, () =>
    random.pick(['merge', 'merge', 'append', 'delete'] as const)
  )
}

async function perform(scene: Scene, name: WriterName, work: Work, sql?: string): Promise<void> {
  const writer = scene.writers.get(name)
  const model = scene.models.get(name)
  if (writer === undefined || model === undefined) return
  const at = { name: scene.name, path: scene.path }
  const started = performance.now()
  if (work === 'append' || work === 'merge' || work === 'delete') {
    const prepared = model.next(work, scene.extra)
    model.committed(prepared, await writer.write({ ...prepared.work, ...at }))
  } else {
    const retries = await writer.write({ do: work, ...at, ...(sql === undefined ? {} : { sql }) })
    model.committed({ work: { do: work } }, retries)
  }
  scene.events.push(`${name} ${work} ${(performance.now() - started).toFixed(0)} ms`)
}
