/** `PROJECT_FILE_ADDED` (reference/claimx-events.md section 3.5) and, delegated, `PROJECT_MFN_ADDED`. */
import { ApiError } from '../../../core/index.ts'
import type { EnrichmentTask } from '../messages/types.ts'
import { downloadTaskOf, mediaRows } from '../rows/index.ts'
import { answerOf, decision, provenance } from './decision.ts'
import { projectIdOf, requiredId } from './ids.ts'
import { decideMasterFileName } from './project.ts'
import type { Handler } from './types.ts'

export const mediaHandler: Handler = {
  name: 'media',
  needs: task => {
    const projectId = projectIdOf(task)
    if (isMasterFileName(task)) return [{ kind: 'project', projectId }]
    return [{ kind: 'media', projectId, mediaId: requiredId(task.mediaId, 'media_id') }]
  },
  decide: (task, answers, now) => {
    if (isMasterFileName(task)) return decideMasterFileName(task, answers, now)
    const projectId = projectIdOf(task)
    const mediaId = requiredId(task.mediaId, 'media_id')
    const { value, askedAt } = answerOf(answers.media(projectId, mediaId))
    if (value === undefined) {
      throw new ApiError('MEDIA_NOT_FOUND', `Media ${mediaId} not found in API response`)
    }
    const download = downloadTaskOf(projectId, value, task.eventId)
    return decision(mediaRows(projectId, value, provenance(task, askedAt, now)), [projectId], {
      downloads: download === undefined ? [] : [download],
      warnings:
        download === undefined ? ['the media has no download link; only its row is stored'] : []
    })
  }
}

function isMasterFileName(task: EnrichmentTask): boolean {
  return task.eventType === 'PROJECT_MFN_ADDED'
}
