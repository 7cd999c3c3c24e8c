import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ApiError,
  isPipelineError,
  type JsonObject,
  type PipelineError
} from '../../../../src/core/index.ts'
import {
  type Answers,
  type ApiNeed,
  type Decision,
  type EnrichmentTask,
  eventTypes,
  handlerNames,
  handlers,
  oneByOneCalls,
  route
} from '../../../../src/domains/claimx/index.ts'
import {
  mediaItem,
  projectAnswer,
  taskAnswer,
  videoItem
} from '../../../helpers/claimx-fixtures.ts'

const NOW = 100n

function task(eventType: string, fields: Partial<EnrichmentTask> = {}): EnrichmentTask {
  return {
    eventId: 'e',
    eventType,
    projectId: '1234567',
    retryCount: 0,
    createdAt: 50n,
    mediaId: null,
    taskAssignmentId: null,
    videoCollaborationId: null,
    masterFileName: null,
    eventTime: 40n,
    metadata: null,
    ...fields
  }
}

/** Answers from a little world; `failing` fails every call, whatever it is. */
function world(
  parts: {
    media?: Record<string, JsonObject[]>
    videos?: JsonObject[]
    failing?: PipelineError
    askedAt?: bigint
  } = {}
): Answers {
  const answer = <T>(value: T) =>
    parts.failing === undefined
      ? ({ ok: true, value, askedAt: parts.askedAt ?? 60n } as const)
      : ({ ok: false, error: parts.failing } as const)
  return {
    project: id => answer(projectAnswer(Number(id))),
    media: (projectId, mediaId) =>
      answer((parts.media?.[projectId] ?? []).find(item => String(item['mediaID']) === mediaId)),
    task: id => answer(taskAnswer(Number(id), 999)),
    video: () => answer(parts.videos ?? [])
  }
}

const handlerOf = (item: EnrichmentTask) =>
  handlers[route(item.eventType) ?? assert.fail('skipped')]
const needs = (item: EnrichmentTask): readonly ApiNeed[] => handlerOf(item).needs(item)
const decide = (item: EnrichmentTask, answers = world()): Decision =>
  handlerOf(item).decide(item, answers, NOW)

function failure(run: () => unknown): PipelineError {
  try {
    run()
  } catch (error) {
    assert.ok(isPipelineError(error))
    return error
  }
  return assert.fail('it succeeded')
}

describe('routing', () => {
  it('sends the ten event types to the five handlers, and skips all others', () => {
    const routed = Object.fromEntries(eventTypes.map(type => [type, route(type)]))
    assert.deepEqual(routed, {
      PROJECT_CREATED: 'project',
      PROJECT_FILE_ADDED: 'media',
      PROJECT_MFN_ADDED: 'media',
      CUSTOM_TASK_ASSIGNED: 'task',
      CUSTOM_TASK_COMPLETED: 'task',
      POLICYHOLDER_INVITED: 'policyholder',
      POLICYHOLDER_JOINED: 'policyholder',
      VIDEO_COLLABORATION_INVITE_SENT: 'video',
      VIDEO_COLLABORATION_COMPLETED: 'video',
      PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL: 'project'
    })
    for (const type of ['project_created', 'toString', '__proto__', ''])
      assert.equal(route(type), undefined)
    for (const name of handlerNames) assert.equal(handlers[name].name, name)
  })

  it('tells what each event would cost alone', () => {
    const costs = [...eventTypes, 'OTHER'].map(eventType => oneByOneCalls({ eventType }))
    assert.deepEqual(costs, [1, 2, 1, 2, 2, 1, 1, 2, 2, 1, 0])
  })
})

describe('ids', () => {
  it('that are missing or not numeric fail the event for good, before any call', () => {
    const cases: [EnrichmentTask, RegExp][] = [
      ...eventTypes.map(
        type =>
          [task(type, { projectId: 'P-1' }), /^Invalid project_id/] as [EnrichmentTask, RegExp]
      ),
      [task('PROJECT_CREATED', { projectId: '9223372036854775808' }), /^Invalid project_id/],
      [task('PROJECT_CREATED', { projectId: '-1' }), /^Invalid project_id/],
      [task('PROJECT_FILE_ADDED'), /^Missing media_id/],
      [task('PROJECT_FILE_ADDED', { mediaId: '1e3' }), /^Invalid media_id/],
      [task('CUSTOM_TASK_ASSIGNED'), /^Missing task_assignment_id/],
      [task('CUSTOM_TASK_COMPLETED', { taskAssignmentId: 'x' }), /^Invalid task_assignment_id/]
    ]
    for (const [item, reason] of cases) {
      const error = failure(() => needs(item))
      assert.equal(error.code, 'EVENT_INVALID')
      assert.equal(error.retryable, false)
      assert.match(error.message, reason)
    }
  })

  it('are asked for in one canonical spelling', () => {
    assert.deepEqual(needs(task('PROJECT_FILE_ADDED', { projectId: '0012', mediaId: '007' })), [
      { kind: 'media', projectId: '12', mediaId: '7' }
    ])
  })
})

describe('the project handler', () => {
  it('asks for the project afresh and writes it with its contacts', () => {
    assert.deepEqual(needs(task('PROJECT_CREATED')), [{ kind: 'project', projectId: '1234567' }])
    const { rows, projects, downloads } = decide(task('PROJECT_CREATED'))
    assert.equal(rows.claimx_projects?.length, 1)
    assert.equal(rows.claimx_contacts?.length, 2)
    assert.deepEqual([projects, downloads], [['1234567'], []])
  })

  it('turns a failed automatic link into a patch with the event time, without any call', () => {
    const item = task('PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL')
    assert.deepEqual(needs(item), [])
    const { rows, projects } = decide(item)
    assert.deepEqual(rows, {
      claimx_projects: [
        {
          project_id: '1234567',
          xa_autolink_fail: true,
          xa_autolink_fail_at: 40n,
          created_at: NOW,
          updated_at: NOW
        }
      ]
    })
    assert.deepEqual(projects, ['1234567'])
  })

  it('passes the failure of the call on', () => {
    const failing = new ApiError('API_SERVER_ERROR', 'down')
    assert.equal(
      failure(() => decide(task('PROJECT_CREATED'), world({ failing }))),
      failing
    )
  })
})

describe('a master file name event', () => {
  const item = task('PROJECT_MFN_ADDED', { masterFileName: 'MFN-EVENT' })

  it('asks for the project, not for media', () => {
    assert.deepEqual(needs(item), [{ kind: 'project', projectId: '1234567' }])
  })

  it('overlays its name on the project and makes neither media row nor download', () => {
    const { rows, downloads, projects } = decide(item)
    assert.equal(rows.claimx_projects?.[0]?.['master_file_name'], 'MFN-EVENT')
    assert.equal(rows.claimx_projects?.[0]?.['city'], 'Springfield')
    assert.deepEqual(
      [Object.keys(rows).sort(), downloads, projects],
      [['claimx_contacts', 'claimx_projects'], [], ['1234567']]
    )
  })

  it('makes a row that is newer than a plain row of the same answer', () => {
    const plain = decide(task('PROJECT_CREATED')).rows.claimx_projects?.[0]
    const overlaid = decide(item).rows.claimx_projects?.[0]
    assert.equal(plain?.['last_enriched_at'], 60n)
    assert.equal(overlaid?.['last_enriched_at'], 61n)
  })

  it('without a name refreshes the project', () => {
    const { rows } = decide(task('PROJECT_MFN_ADDED'))
    assert.equal(rows.claimx_projects?.[0]?.['master_file_name'], 'MFN-API')
  })

  it('writes the name alone when the project cannot be read for good', () => {
    const failing = new ApiError('API_NOT_FOUND', 'gone')
    const { rows, projects, warnings } = decide(item, world({ failing }))
    assert.deepEqual(rows, {
      claimx_projects: [
        {
          project_id: '1234567',
          master_file_name: 'MFN-EVENT',
          created_at: NOW,
          updated_at: NOW
        }
      ]
    })
    assert.deepEqual(projects, [])
    assert.equal(warnings.length, 1)
  })

  it('is retried when the failure may pass', () => {
    const failing = new ApiError('API_SERVER_ERROR', 'down')
    assert.equal(
      failure(() => decide(item, world({ failing }))),
      failing
    )
  })
})

describe('the media handler', () => {
  const file = (projectId: string, mediaId: string, eventId = 'e') =>
    task('PROJECT_FILE_ADDED', { projectId, mediaId, eventId })

  it('finds each media of a batch of several projects in its own project', () => {
    const media = { '1': [mediaItem(12), mediaItem(11)], '2': [mediaItem(21)] }
    const answers = world({ media })
    const batch = [file('1', '11', 'a'), file('2', '21', 'b'), file('1', '12', 'c')]
    const decided = batch.map(item => decide(item, answers))
    assert.deepEqual(
      decided.map(({ rows }) => {
        const row = rows.claimx_attachment_metadata?.[0]
        return [row?.['project_id'], row?.['media_id'], row?.['event_id']]
      }),
      [
        ['1', '11', 'a'],
        ['2', '21', 'b'],
        ['1', '12', 'c']
      ]
    )
    assert.deepEqual(
      decided.map(({ downloads }) => downloads.map(d => d.blobPath)),
      [['1/media/11_roof.jpg'], ['2/media/21_roof.jpg'], ['1/media/12_roof.jpg']]
    )
    assert.deepEqual(
      decided.map(({ projects }) => projects),
      [['1'], ['2'], ['1']]
    )
  })

  it('does not find the media of one project in the list of another', () => {
    const error = failure(() => decide(file('2', '11'), world({ media: { '1': [mediaItem(11)] } })))
    assert.equal(error.code, 'MEDIA_NOT_FOUND')
    assert.equal(error.message, 'Media 11 not found in API response')
    assert.equal(error.retryable, false)
  })

  it('fails only the event whose media is missing', () => {
    const answers = world({ media: { '1': [mediaItem(11)] } })
    assert.equal(decide(file('1', '11'), answers).downloads.length, 1)
    assert.equal(failure(() => decide(file('1', '99'), answers)).code, 'MEDIA_NOT_FOUND')
  })

  it('stores the row alone when there is no link, and says so', () => {
    for (const fullDownloadLink of [null, '', ' ']) {
      const media = { '1': [{ ...mediaItem(11), fullDownloadLink }] }
      const { rows, downloads, warnings } = decide(file('1', '11'), world({ media }))
      assert.equal(rows.claimx_attachment_metadata?.length, 1)
      assert.deepEqual([downloads, warnings.length], [[], 1])
    }
  })

  it('makes a download task of an item whose name and type are null', () => {
    const media = { '1': [{ ...mediaItem(11), mediaName: null, mediaType: null }] }
    const { downloads } = decide(file('1', '11'), world({ media }))
    assert.deepEqual([downloads[0]?.fileName, downloads[0]?.fileType], ['', ''])
    assert.equal(downloads[0]?.sourceEventId, 'e')
  })
})

describe('the task handler', () => {
  it('asks for the assignment and names the project of the answer too', () => {
    const item = task('CUSTOM_TASK_ASSIGNED', { taskAssignmentId: '7' })
    assert.deepEqual(needs(item), [{ kind: 'task', assignmentId: '7' }])
    const { rows, projects } = decide(item)
    assert.deepEqual(projects, ['1234567', '999'])
    for (const table of [
      'claimx_tasks',
      'claimx_task_templates',
      'claimx_external_links'
    ] as const) {
      assert.equal(rows[table]?.[0]?.['project_id'], '999', table)
    }
  })
})

describe('the policyholder handler', () => {
  it('patches only its own column with the time of the event, not of processing', () => {
    const columns = {
      POLICYHOLDER_INVITED: 'policyholder_invited_at',
      POLICYHOLDER_JOINED: 'policyholder_joined_at'
    }
    for (const [type, column] of Object.entries(columns)) {
      assert.deepEqual(needs(task(type)), [])
      const { rows, projects } = decide(task(type))
      assert.deepEqual(rows, {
        claimx_projects: [
          { project_id: '1234567', [column]: 40n, created_at: NOW, updated_at: NOW }
        ]
      })
      assert.deepEqual(projects, ['1234567'])
      const late = decide(task(type, { eventTime: null })).rows.claimx_projects?.[0]
      assert.equal(late?.[column], 50n)
    }
  })
})

describe('the video handler', () => {
  const item = task('VIDEO_COLLABORATION_COMPLETED', { videoCollaborationId: '2' })

  it('stores every session of the project under its own id', () => {
    assert.deepEqual(needs(item), [{ kind: 'video', projectId: '1234567' }])
    const { rows, warnings } = decide(item, world({ videos: [videoItem(1), videoItem(2)] }))
    assert.deepEqual(
      rows.claimx_video_collab?.map(row => row['collaboration_id']),
      [1, 2]
    )
    assert.deepEqual(warnings, [])
  })

  it('succeeds with a warning while the report has no data or not this session', () => {
    const empty = decide(item)
    assert.deepEqual([empty.rows.claimx_video_collab, empty.warnings.length], [[], 1])
    assert.equal(decide(item, world({ videos: [videoItem(1)] })).warnings.length, 1)
    assert.deepEqual(empty.projects, ['1234567'])
  })
})
