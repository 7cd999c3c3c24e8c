/** Makes tables from seeds and has every judge read them; what differs is told in full. */
import { join } from 'node:path'
import { type Cell, changesOf, type Reading, readingOf } from '../../helpers/canonical.ts'
import { openTestDelta, type TestDelta } from '../../helpers/delta.ts'
import { JUDGES, type Judge, openJudge } from '../../helpers/judges.ts'
import type { Python } from '../../helpers/python.ts'
import { runHistory } from './steps.ts'
import { type Supported, whatIsSupported } from './supported.ts'
import { GeneratedTable, type VersionModel } from './table.ts'

export interface Comparison {
  tables: number
  readings: number
  /** Readings left out since the judge cannot read the feature. */
  readonly blind: Record<string, number>
  readonly differences: string[]
  /** Steps that our engine refused. */
  readonly refused: Record<string, number>
  /** Types and features that our engine does not write. */
  readonly missing: readonly string[]
}

/** Older versions that are read beside the newest. */
const OLDER = 1
/** Tables under way at a time, so that the judges need not wait for the next. */
const LANES = 4

export async function compareTables(
  seeds: readonly number[],
  python: Python,
  progress: (comparison: Comparison) => void = () => undefined
): Promise<Comparison> {
  const judges = await Promise.all(JUDGES.map(name => openJudge(name, python)))
  await using probe = await openTestDelta()
  const supported = await whatIsSupported(probe)
  const comparison: Comparison = {
    tables: 0,
    readings: 0,
    blind: {},
    differences: [],
    refused: {},
    missing: supported.missing
  }
  try {
    const left = [...seeds]
    const lane = async (): Promise<void> => {
      for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
        await using delta = await openTestDelta()
        await compareOne(seed, delta, supported, judges, comparison)
        comparison.tables++
        progress(comparison)
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  } finally {
    await Promise.all(judges.map(judge => judge.close()))
  }
  return comparison
}

async function compareOne(
  seed: number,
  delta: TestDelta,
  supported: Supported,
  judges: readonly Judge[],
  comparison: Comparison
): Promise<void> {
  const made = new GeneratedTable(seed, delta, supported)
  const differs = (what: string): void => {
    comparison.differences.push(`seed ${seed}: ${what}\n  ${made.description}`)
  }
  try {
    await runHistory(made)
    for (const step of made.refused) {
      comparison.refused[step] = (comparison.refused[step] ?? 0) + 1
    }
    const { blind } = made
    for (const version of chosenVersions(made)) {
      const ours = await readingOf(made.table, join(delta.root, 'ours.parquet'), version)
      const names = ours.schema.map(field => JSON.parse(field.slice(0, field.indexOf('":') + 1)))
      const model = made.canonical(made.versions.get(version) as VersionModel, names)
      const wrong = difference({ schema: ours.schema, rows: model }, ours, true)
      if (wrong !== undefined) differs(`version ${version}, ours and the model: ${wrong}`)
      const readings = judges.map(async judge => {
        if (blind.has(judge.name)) {
          comparison.blind[judge.name] = (comparison.blind[judge.name] ?? 0) + 1
          return
        }
        comparison.readings++
        const exact = judge.name === 'deltalake' || judge.name === 'kernel'
        try {
          const theirs = await judge.read(made.table.location, version)
          const found = difference(theirs, ours, exact)
          if (found !== undefined) differs(`version ${version}, ours and ${judge.name}: ${found}`)
        } catch (error) {
          differs(`version ${version}: ${(error as Error).message.slice(0, 500)}`)
        }
      })
      await Promise.all(readings)
    }
    const spark = judges.find(judge => judge.name === 'spark')
    if (spark !== undefined) await compareChanges(made, spark, comparison, differs)
    await made.table.close()
  } catch (error) {
    differs(`ours: ${(error as Error).stack?.slice(0, 1500) ?? String(error)}`)
  }
}

/** The change feed as Spark reads it; its columns are those of the newest version. */
async function compareChanges(
  made: GeneratedTable,
  spark: Judge,
  comparison: Comparison,
  differs: (what: string) => void
): Promise<void> {
  const recorded = made.features.some(({ name }) => name === 'changeDataFeed')
  if (!recorded || made.steps.some(step => /rename|drop|restore/.test(step))) return
  const [first = 0] = [...made.versions.keys()].sort((a, b) => a - b)
  const { version: newest } = await made.table.snapshot()
  // What a vacuum leaves begins after the version that it kept.
  const from = first === 0 ? 0 : first + 1
  if (from > newest) return
  comparison.readings++
  const ours = await changesOf(made.table, join(made.delta.root, 'changes.parquet'), from)
  try {
    const found = difference(await spark.readChanges(made.table.location, from), ours, false)
    if (found !== undefined) differs(`changes from ${from}: ${found}`)
  } catch (error) {
    differs(`changes from ${from}: ${(error as Error).message.slice(0, 500)}`)
  }
}

/** The newest version and a few older ones. */
function chosenVersions({ versions, random }: GeneratedTable): number[] {
  const all = [...versions.keys()].sort((a, b) => a - b)
  const newest = all.pop()
  const older = random.some(all, OLDER)
  return [...older, ...(newest === undefined ? [] : [newest])]
}

/** What of `theirs` is not as in `ours`; nullability only where the engine tells it. */
function difference(theirs: Reading, ours: Reading, exact: boolean): string | undefined {
  const schema = ({ schema: fields }: Reading): string =>
    fields.map(field => (exact ? field : field.replaceAll('!', ''))).join(', ')
  if (schema(theirs) !== schema(ours)) return `schema ${schema(theirs)} instead of ${schema(ours)}`
  const left = texts(theirs.rows)
  const right = texts(ours.rows)
  if (left.length !== right.length) return `${left.length} rows, ours has ${right.length}`
  const index = left.findIndex((row, at) => row !== right[at])
  return index < 0 ? undefined : `row ${left[index]}, ours has ${right[index]}`
}

function texts(rows: readonly Cell[]): string[] {
  return rows.map(row => JSON.stringify(row)).sort()
}
