/** The writers and judges of one test, and a play of them on one table. */
import { DeltaTable } from '../../../src/delta/index.ts'
import type { TestDelta } from '../../helpers/delta.ts'
import { type Judge, openJudge } from '../../helpers/judges.ts'
import type { Python } from '../../helpers/python.ts'
import { Random } from '../generated/random.ts'
import { problemsOf } from './checks.ts'
import { openScene, playRound, type Round, type Scene } from './rounds.ts'
import { openWriter, WRITERS, type Writer } from './writers.ts'

export interface Company {
  readonly delta: TestDelta
  readonly writers: readonly Writer[]
  readonly judges: readonly Judge[]
  close(): Promise<void>
}

export async function openCompany(delta: TestDelta, python: Python): Promise<Company> {
  const root = delta.ports.store.root
  const writers = await Promise.all(WRITERS.map(name => openWriter(name, root, python)))
  const judges = await Promise.all([openJudge('duckdb', python), openJudge('kernel', python)])
  const close = async (): Promise<void> => {
    await Promise.all([...writers, ...judges].map(one => one.close()))
  }
  return { delta, writers, judges, close }
}

export interface Play {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly rounds: Iterable<Round>
  readonly seed: number
}

export interface Report {
  readonly versions: number
  /** What each writer did, how often, and how often it had to try again. */
  readonly work: Record<string, Record<string, number>>
}

export async function playAndCheck(
  company: Company,
  { name, properties, rounds, seed }: Play
): Promise<{ problems: string[]; report: Report; scene: Scene }> {
  const { delta, writers, judges } = company
  const scene = await openScene(delta, name, properties, writers, seed)
  const random = new Random(seed)
  for (const round of rounds) await playRound(scene, round, random)
  const table = await DeltaTable.open(name, delta.ports, delta.options)
  const { version } = await table.snapshot()
  await table.close()
  const reader = (one: Judge | Writer) => async (path: string, at: number) =>
    'readSome' in one ? await one.readSome(path, at, 'text') : await one.read(path, at, 'text')
  const foreign = writers.filter(writer => !writer.name.startsWith('ours'))
  const readers = new Map([...judges, ...foreign].map(one => [one.name as string, reader(one)]))
  const older = [...new Set([random.int(4, version - 1), random.int(4, version - 1)])]
  const problems = await problemsOf(scene, delta, readers, older)
  const work = Object.fromEntries(
    [...scene.models].map(([who, model]) => [who, { ...model.done, retries: model.retries }])
  )
  return { problems, report: { versions: version, work }, scene }
}
