/** `PROJECT_CREATED`, `PROJECT_MFN_ADDED` (delegated by media) and `PROJECT_AUTO_XA_LINKING_…`. */
import type { Micros, Row } from '../../../core/index.ts'
import type { EnrichmentTask } from '../messages/types.ts'
import { autolinkFailedPatch, masterFileNamePatch, projectRows } from '../rows/index.ts'
import { answerOf, decision } from './decision.ts'
import { eventTimeOf, projectIdOf } from './ids.ts'
import type { Answers, Decision, Handler } from './types.ts'

export const projectHandler: Handler = {
  name: 'project',
  needs: task => {
    const projectId = projectIdOf(task)
    return isAutolinkFailure(task) ? [] : [{ kind: 'project', projectId }]
  },
  decide: (task, answers, now) => {
    if (isAutolinkFailure(task)) return decideAutolinkFailure(task, now)
    const projectId = projectIdOf(task)
    const { value, askedAt } = answerOf(answers.project(projectId))
    return decision(projectRows(projectId, value, askedAt, task.eventId, now), [projectId])
  }
}

/**
 * `PROJECT_MFN_ADDED` (reference/claimx-events.md section 3.4): the full project, with the event's name
 * over the API's. When the project cannot be read for good, the name alone is written.
 */
export function decideMasterFileName(
  task: EnrichmentTask,
  answers: Answers,
  now: Micros
): Decision {
  const projectId = projectIdOf(task)
  const patch = masterFileNamePatch(projectId, task.masterFileName, now)
  const answer = answers.project(projectId)
  if (!answer.ok) {
    if (answer.error.retryable) throw answer.error
    const warnings = ['the project cannot be read; only its master file name is stored']
    return decision({ rows: { claimx_projects: [patch] } }, [], { warnings })
  }
  const mapped = projectRows(projectId, answer.value, answer.askedAt, task.eventId, now)
  const rows = { ...mapped.rows, claimx_projects: overlaid(mapped.rows.claimx_projects, task) }
  return decision({ ...mapped, rows }, [projectId])
}

/**
 * The row counts as newer, by the smallest step there is, than the answer that it was made of: in a
 * batch, the same answer may serve another event, whose plain row must not bring the old name back.
 */
function overlaid(rows: readonly Row[] | undefined, task: EnrichmentTask): Row[] {
  const name = task.masterFileName
  return (rows ?? []).map(row => {
    const askedAt = row['last_enriched_at']
    if (name === null || typeof askedAt !== 'bigint') return row
    return { ...row, master_file_name: name, last_enriched_at: askedAt + 1n }
  })
}

function isAutolinkFailure(task: EnrichmentTask): boolean {
  return task.eventType === 'PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL'
}

/** Section 3.9; no call of its own, but the pre-flight inserts a missing project first. */
function decideAutolinkFailure(task: EnrichmentTask, now: Micros): Decision {
  const projectId = projectIdOf(task)
  const row = autolinkFailedPatch(projectId, eventTimeOf(task), now)
  return decision({ rows: { claimx_projects: [row] } }, [projectId])
}
