/** Row ids: a row keeps its id from version to version, and no two rows ever have the same. */
import { isPipelineError } from '../../../src/core/index.ts'
import { DeltaTable } from '../../../src/delta/index.ts'
import { trackedRows, trackingProblem } from '../../helpers/row-ids.ts'
import type { World } from '../../helpers/simulated-world.ts'
import { OPTIONS, TABLE } from './play.ts'

/** `isKept`: whether no vacuum may have taken files of the version. */
export async function trackingProblems(
  world: World,
  isKept: (version: number) => boolean
): Promise<string[]> {
  const problems: string[] = []
  const table = await DeltaTable.open(TABLE, world.actor(99).ports, OPTIONS)
  const used = new Set<bigint>()
  let before: ReturnType<typeof trackedRows> | undefined
  for (let version = 0; version <= world.newest; version++) {
    const known = before
    before = undefined
    try {
      const { metadata } = await table.snapshot(version)
      if (metadata.configuration['delta.enableRowTracking'] !== 'true') continue
      const after = trackedRows(await table.read({ version, rowIds: true }), 'id')
      const problem = known === undefined ? undefined : trackingProblem(known, after, version, used)
      if (problem !== undefined) problems.push(`version ${version}: ${problem}`)
      for (const { id } of after.values()) used.add(id)
      before = after
    } catch (error) {
      const gone = isPipelineError(error) && !isKept(version)
      if (!gone) problems.push(`row ids of version ${version}: ${String(error)}`)
    }
  }
  return problems
}
