/** Ids that handlers need, checked before any call (reference/claimx-events.md section 3.2). */
import { MessageError, type Micros } from '../../../core/index.ts'
import type { EnrichmentTask } from '../messages/types.ts'
import { numericId } from '../text.ts'

export function projectIdOf(task: EnrichmentTask): string {
  return requiredId(task.projectId, 'project_id')
}

/** Canonical decimal text of a required id; throws `MessageError` EVENT_INVALID. */
export function requiredId(text: string | null, name: string): string {
  if (text === null) throw new MessageError('EVENT_INVALID', `Missing ${name}`)
  const id = numericId(text)
  if (id === undefined) throw new MessageError('EVENT_INVALID', `Invalid ${name}: not numeric`)
  return id
}

/** When the event happened; the task's creation when the source did not say. */
export function eventTimeOf(task: EnrichmentTask): Micros {
  return task.eventTime ?? task.createdAt
}
