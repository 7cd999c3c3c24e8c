/** `VIDEO_COLLABORATION_*` (reference/claimx-events.md section 3.8). */
import type { JsonObject } from '../../../core/index.ts'
import type { EnrichmentTask } from '../messages/types.ts'
import { collaborationIdOf, videoRows } from '../rows/index.ts'
import { numericId } from '../text.ts'
import { answerOf, decision, provenance } from './decision.ts'
import { projectIdOf } from './ids.ts'
import type { Handler } from './types.ts'

export const videoHandler: Handler = {
  name: 'video',
  needs: task => [{ kind: 'video', projectId: projectIdOf(task) }],
  // All sessions of the project are stored: rows merge by their id, so none can be mistaken for another.
  decide: (task, answers, now) => {
    const projectId = projectIdOf(task)
    const { value, askedAt } = answerOf(answers.video(projectId))
    const mapped = videoRows(value, provenance(task, askedAt, now))
    return decision(mapped, [projectId], { warnings: missing(task, value) })
  }
}

/** The report can lag behind the event; that is no failure, but it is said. */
function missing(task: EnrichmentTask, items: readonly JsonObject[]): string[] {
  if (items.length === 0) return ['the video report has no data for the project yet']
  const wanted = task.videoCollaborationId
  if (wanted === null) return []
  const id = numericId(wanted) ?? wanted
  if (items.some(item => collaborationIdOf(item) === id)) return []
  return ['the video report does not list the collaboration of the event yet']
}
