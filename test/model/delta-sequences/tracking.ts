/** Row ids: a row keeps its id from version to version, and no two rows ever have the same. */
import { isPipelineError, parseJson } from '../../../src/core/index.ts'
import { DeltaTable } from '../../../src/delta/index.ts'
import { trackedRows, trackingProblem } from '../../helpers/row-ids.ts'
import type { World } from '../../helpers/simulated-world.ts'
import { OPTIONS, TABLE } from './play.ts'

type Tracked = ReturnType<typeof trackedRows>

/** The version that a version brings back; undefined when it does something else. */
function restoredVersion(world: World, version: number): number | undefined {
  const path = `${TABLE}/_delta_log/${String(version).padStart(20, '0')}.json`
  const [first = '{}'] = Buffer.from(world.objects.get(path)?.bytes ?? '{}')
    .toString()
    .split('\n')
  const { commitInfo } = parseJson(first) as {
    commitInfo?: { operation: string; operationParameters: { version: number } }
  }
  return commitInfo?.operation === 'RESTORE' ? commitInfo.operationParameters.version : undefined
}

/** Rows that come back have the ids and versions that they had. */
function restoreProblem(wanted: Tracked | undefined, after: Tracked): string | undefined {
  for (const [key, row] of wanted === undefined ? [] : after) {
    const old = wanted?.get(key)
    if (old?.id !== row.id || old.version !== row.version) {
      return `the row ${key} came back with the id ${row.id} of version ${row.version}`
    }
  }
  return undefined
}

/** `isKept`: whether no vacuum may have taken files of the version. */
export async function trackingProblems(
  world: World,
  isKept: (version: number) => boolean
): Promise<string[]> {
  const problems: string[] = []
  const table = await DeltaTable.open(TABLE, world.actor(99).ports, OPTIONS)
  const used = new Set<bigint>()
  let before: Tracked | undefined
  const versions = new Map<number, Tracked>()
  for (let version = 0; version <= world.newest; version++) {
    const known = before
    before = undefined
    try {
      const { metadata } = await table.snapshot(version)
      if (metadata.configuration['delta.enableRowTracking'] !== 'true') continue
      const after = trackedRows(await table.read({ version, rowIds: true }), 'id')
      const restored = restoredVersion(world, version)
      const problem =
        restored === undefined
          ? known && trackingProblem(known, after, version, used)
          : restoreProblem(versions.get(restored), after)
      if (problem !== undefined) problems.push(`version ${version}: ${problem}`)
      versions.set(version, after)
      for (const { id } of after.values()) used.add(id)
      before = after
    } catch (error) {
      const gone = isPipelineError(error) && !isKept(version)
      if (!gone) problems.push(`row ids of version ${version}: ${String(error)}`)
    }
  }
  return problems
}
