/**
 * One process at a time maintains a table: it puts an object beside the log if there is none, and takes it
 * away when it is done. It is politeness and no lock, since a rewrite that two make is committed once; what
 * a killed process leaves is ignored when it has become old.
 */
import { isPipelineError } from '../../core/index.ts'
import { logDirectory } from '../log-path.ts'
import type { DeltaPorts } from '../ports.ts'

/** Longer than a run takes. */
const DEAD_AFTER_MS = 1_800_000

/** False, and nothing is done, when another process is at it. */
export async function alone(
  ports: DeltaPorts,
  table: string,
  work: () => Promise<void>
): Promise<boolean> {
  const { store, clock, ids } = ports
  const path = `${logDirectory(table)}/_maintenance`
  const mine = Buffer.from(ids.uuid())
  const there = await store.head(path)
  if (there !== undefined) {
    if (clock.now() - there.modifiedAt < DEAD_AFTER_MS) return false
    await store.delete(path)
  }
  if ((await store.put(path, mine, { ifAbsent: true })) !== 'stored') return false
  try {
    await work()
  } finally {
    // What cannot be taken away becomes old.
    await store.delete(path).catch((error: unknown) => {
      if (!isPipelineError(error)) throw error
    })
  }
  return true
}

/** Whether the last vacuum, by any process, is at least so long ago. A new table has nothing to take away. */
export async function isVacuumDue(
  ports: DeltaPorts,
  table: string,
  intervalMs: number
): Promise<boolean> {
  const last = await ports.store.head(vacuumPath(table))
  if (last !== undefined) return ports.clock.now() - last.modifiedAt >= intervalMs
  await noteVacuum(ports, table)
  return false
}

export async function noteVacuum({ store, clock }: DeltaPorts, table: string): Promise<void> {
  await store.put(vacuumPath(table), Buffer.from(new Date(clock.now()).toISOString()))
}

function vacuumPath(table: string): string {
  return `${logDirectory(table)}/_last_vacuum`
}
