/** The change feed of a table: each version must be the one before with its changes. */
import { type CellValue, isPipelineError } from '../../../src/core/index.ts'
import { DeltaTable } from '../../../src/delta/index.ts'
import { replayProblem } from '../../helpers/changes.ts'
import type { World } from '../../helpers/simulated-world.ts'
import { OPTIONS, TABLE } from './play.ts'
import type { Rows } from './rows.ts'

type Changes = readonly Readonly<Record<string, CellValue>>[]

/**
 * What is wrong with the changes of each version, asked for alone and together with those before. `isKept`:
 * whether no vacuum may have taken the files that the changes of a version are read from.
 */
export async function changesProblems(
  world: World,
  rows: readonly Rows[],
  isKept: (version: number) => boolean
): Promise<string[]> {
  const problems: string[] = []
  const table = await DeltaTable.open(TABLE, world.actor(99).ports, OPTIONS)
  let recorded: [number, Changes][] = []
  for (let version = 1; version <= world.newest; version++) {
    const { metadata } = await table.snapshot(version).catch(() => ({ metadata: undefined }))
    const on = metadata?.configuration['delta.enableChangeDataFeed'] === 'true'
    try {
      const changes = await table.changes({ fromVersion: version, toVersion: version })
      if (!on && metadata !== undefined) problems.push(`changes of version ${version} without feed`)
      const [before, after] = [rows[version - 1] ?? new Map(), rows[version] ?? new Map()]
      const problem = replayProblem([...before.values()], changes, [...after.values()])
      if (problem !== undefined) problems.push(`changes of version ${version}: ${problem}`)
      recorded.push([version, changes])
    } catch (error) {
      const off = isPipelineError(error) && error.code === 'DELTA_CHANGES_NOT_RECORDED'
      if (!(off && !on) && isKept(version)) problems.push(`changes of ${version}: ${String(error)}`)
      recorded = []
    }
  }
  const [first] = recorded
  if (first === undefined || problems.length > 0) return problems
  const all = await table.changes({ fromVersion: first[0] })
  const order = all.map(row => Number(row['_commit_version']))
  const wanted = recorded.flatMap(([version, changes]) => changes.map(() => version))
  if (order.join() !== wanted.join()) {
    problems.push(`changes since version ${first[0]} are of ${order.join()}, not ${wanted.join()}`)
  }
  return problems
}
