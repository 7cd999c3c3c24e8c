/**
 * What events would cost without batches (reference/claimx-api.md section 7), for the cost report: each
 * event alone, knowing nothing, so every handler other than project also asks for the project (E1).
 */
import { isKnown } from '../event-types.ts'
import type { EnrichmentTask } from '../messages/types.ts'

/**
 * API calls: `PROJECT_CREATED`, `PROJECT_MFN_ADDED` 1 (E1); file, task and video events 2 (E3, E6 or E8,
 * and E1); policyholder and autolink events 1 (E1 of the pre-flight); unknown types 0.
 */
export function oneByOneCalls(task: Pick<EnrichmentTask, 'eventType'>): number {
  if (!isKnown(task.eventType)) return 0
  switch (task.eventType) {
    case 'PROJECT_FILE_ADDED':
    case 'CUSTOM_TASK_ASSIGNED':
    case 'CUSTOM_TASK_COMPLETED':
    case 'VIDEO_COLLABORATION_INVITE_SENT':
    case 'VIDEO_COLLABORATION_COMPLETED':
      return 2
    default:
      return 1
  }
}
