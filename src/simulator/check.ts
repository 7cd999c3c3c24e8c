/** The check of a pipeline's end state against the world, and the numbers of a report. */
import { checkDeadLetters, checkEvents, refusedMedia } from './check-events.ts'
import { checkFiles, expectedFiles } from './check-files.ts'
import { checkTable, entityExpectations } from './check-tables.ts'
import { Differences } from './differences.ts'
import { collectTruth } from './truth.ts'
import type { Check, EndStateView, EventOutcome, ExpectedSummary, World } from './types.ts'

/**
 * Compares everything that a run must leave behind: events, log, entity tables, inventory, files,
 * dead letters, cache, lag. Reads one table at a time; hashes every file. A check that cannot be made
 * (a table is missing) fails with the reason.
 */
export async function checkEndState(world: World, view: EndStateView): Promise<Check[]> {
  const truth = collectTruth(world)
  const checks = await attempt('event tables', () => checkEvents(world, truth, view))
  for (const expectation of entityExpectations(world, truth)) {
    checks.push(...(await attempt(expectation.table, () => checkTable(view, expectation))))
  }
  checks.push(...(await attempt('files', () => checkFiles(world, truth, view))))
  checks.push(
    ...(await attempt('dead letters', async () =>
      checkDeadLetters(world, truth, await view.deadLetters())
    ))
  )
  checks.push(...(await attempt('left over', () => checkLeftOver(view))))
  return checks
}

async function attempt(name: string, make: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await make()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [{ name, ok: false, detail: `could not be checked: ${reason}` }]
  }
}

async function checkLeftOver(view: EndStateView): Promise<Check[]> {
  const cache = new Differences()
  for (const path of await view.cacheFiles()) cache.add(`${path} is left`)
  const lag = await view.lag()
  const waiting = new Differences()
  if (lag !== 0) waiting.add(`${lag} messages are not processed`)
  return [cache.check('cache', 'empty'), waiting.check('lag', 'every message processed')]
}

/** Numbers for the report, from one pass over the stream. */
export function expectedSummary(world: World): ExpectedSummary {
  const truth = collectTruth(world)
  const byType: Record<string, number> = {}
  const byOutcome: Record<EventOutcome, number> = { success: 0, skipped: 0, failed_permanent: 0 }
  const order = [...truth.byId.values(), ...truth.derived.values()].sort((a, b) => a - b)
  const known = new Set<string>()
  const projectsOf = { media: new Set<string>(), tasks: new Set<string>() }
  let naive = 0
  for (const index of order) {
    const event = world.expectedEvent(index)
    if (event.kind !== 'accepted') continue
    byType[event.eventType] = (byType[event.eventType] ?? 0) + 1
    byOutcome[event.outcome]++
    if (!/^\d+$/.test(event.projectId)) continue
    const { own, project } = callsOf(event.eventType)
    naive += own + (project && !known.has(event.projectId) ? 1 : 0)
    if (own > 0 || project) known.add(event.projectId)
    if (event.eventType === 'PROJECT_FILE_ADDED') projectsOf.media.add(event.projectId)
    if (event.taskAssignmentId !== null) projectsOf.tasks.add(event.taskAssignmentId)
  }
  let bytes = 0
  const files = expectedFiles(world, truth)
  for (const file of files.values()) bytes += file.size
  return {
    deliveries: truth.deliveries,
    distinctEvents: order.length,
    duplicates: truth.deliveries - truth.malformedDeliveries - order.length,
    malformed: truth.malformedDeliveries,
    byType,
    byOutcome,
    files: files.size,
    bytes,
    refusedMedia: refusedMedia(world, truth).size,
    naiveApiCalls: naive,
    distinctApiCalls:
      known.size + projectsOf.media.size + projectsOf.tasks.size + truth.videoProjects.size
  }
}

/** Calls of one event handled alone: its own, and whether it needs the project's row. */
function callsOf(eventType: string): { own: number; project: boolean } {
  switch (eventType) {
    case 'PROJECT_CREATED':
    case 'PROJECT_MFN_ADDED':
      return { own: 1, project: false }
    case 'PROJECT_FILE_ADDED':
    case 'CUSTOM_TASK_ASSIGNED':
    case 'CUSTOM_TASK_COMPLETED':
    case 'VIDEO_COLLABORATION_INVITE_SENT':
    case 'VIDEO_COLLABORATION_COMPLETED':
      return { own: 1, project: true }
    case 'POLICYHOLDER_INVITED':
    case 'POLICYHOLDER_JOINED':
      return { own: 0, project: true }
    default:
      return { own: 0, project: false }
  }
}
