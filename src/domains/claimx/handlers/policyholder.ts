/** `POLICYHOLDER_INVITED`, `POLICYHOLDER_JOINED` (reference/claimx-events.md section 3.7). */
import { invitedPatch, joinedPatch } from '../rows/index.ts'
import { decision } from './decision.ts'
import { eventTimeOf, projectIdOf } from './ids.ts'
import type { Handler } from './types.ts'

export const policyholderHandler: Handler = {
  name: 'policyholder',
  needs: task => {
    projectIdOf(task)
    return []
  },
  decide: (task, _answers, now) => {
    const projectId = projectIdOf(task)
    const patch = task.eventType === 'POLICYHOLDER_INVITED' ? invitedPatch : joinedPatch
    const row = patch(projectId, eventTimeOf(task), now)
    return decision({ rows: { claimx_projects: [row] } }, [projectId])
  }
}
