/** Building decisions. */
import type { Micros } from '../../../core/index.ts'
import type { EnrichmentTask } from '../messages/types.ts'
import type { MappedRows, Provenance } from '../rows/index.ts'
import type { Answer, Decision } from './types.ts'

/** The value of an answer; throws the failure that it is. */
export function answerOf<T>(answer: Answer<T>): { value: T; askedAt: Micros } {
  if (!answer.ok) throw answer.error
  return answer
}

export function provenance(task: EnrichmentTask, askedAt: Micros, now: Micros): Provenance {
  return { eventId: task.eventId, askedAt, now }
}

export function decision(
  mapped: Partial<MappedRows>,
  projects: readonly string[],
  more: Partial<Pick<Decision, 'downloads' | 'warnings'>> = {}
): Decision {
  return {
    rows: mapped.rows ?? {},
    downloads: more.downloads ?? [],
    projects: [...new Set(projects)],
    warnings: [...(mapped.warnings ?? []), ...(more.warnings ?? [])],
    unknownFields: mapped.unknownFields ?? []
  }
}
