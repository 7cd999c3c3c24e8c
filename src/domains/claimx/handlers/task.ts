/** `CUSTOM_TASK_ASSIGNED`, `CUSTOM_TASK_COMPLETED` (reference/claimx-events.md section 3.6). */
import { taskProjectId, taskRows } from '../rows/index.ts'
import { answerOf, decision, provenance } from './decision.ts'
import { projectIdOf, requiredId } from './ids.ts'
import type { Handler } from './types.ts'

export const taskHandler: Handler = {
  name: 'task',
  needs: task => {
    projectIdOf(task)
    return [{ kind: 'task', assignmentId: requiredId(task.taskAssignmentId, 'task_assignment_id') }]
  },
  decide: (task, answers, now) => {
    const projectId = projectIdOf(task)
    const assignmentId = requiredId(task.taskAssignmentId, 'task_assignment_id')
    const { value, askedAt } = answerOf(answers.task(assignmentId))
    const mapped = taskRows(assignmentId, projectId, value, provenance(task, askedAt, now))
    // The rows belong to the answer's project, which then must exist as well.
    return decision(mapped, [projectId, taskProjectId(value, projectId)])
  }
}
