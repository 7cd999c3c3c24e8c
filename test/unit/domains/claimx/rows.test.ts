import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JsonObject, Row } from '../../../../src/core/index.ts'
import {
  contactId,
  downloadLinkOf,
  downloadTaskOf,
  mediaIdOf,
  mediaRows,
  projectRows,
  taskRows,
  videoRows
} from '../../../../src/domains/claimx/index.ts'
import {
  LINK,
  mediaItem,
  projectAnswer,
  taskAnswer,
  videoItem
} from '../../../helpers/claimx-fixtures.ts'

const from = { eventId: 'e', askedAt: 5n, now: 6n }
const first = (rows: readonly Row[] | undefined): Row => rows?.[0] ?? assert.fail('no row')
const project = (answer = projectAnswer()) => projectRows('1234567', answer, 5n, 'e', 6n)
const withCustomer = (customerInformation: JsonObject) => {
  const answer = projectAnswer()
  return { ...answer, project: { ...answer.project, customerInformation } }
}

describe('a project answer', () => {
  it('becomes one row and one contact for the policyholder and each team member', () => {
    const { rows, warnings, unknownFields } = project()
    assert.deepEqual([warnings, unknownFields], [[], []])
    const row = first(rows.claimx_projects)
    assert.equal(row['project_id'], '1234567')
    assert.equal(row['master_file_name'], 'MFN-API')
    assert.equal(row['created_date'], '2026-01-10T22:15:51.580+00:00')
    assert.equal(row['square_footage'], 2100)
    assert.equal(row['zip_postcode'], '00501')
    assert.equal(row['primary_email'], 'Ada@Example.com')
    assert.equal(row['company_name'], 'Carrier Inc')
    assert.equal(row['last_enriched_at'], 5n)
    assert.equal(row['extra'], null)
    assert.deepEqual(
      rows.claimx_contacts?.map(c => [
        c['contact_type'],
        c['contact_email'],
        c['is_primary_contact']
      ]),
      [
        ['POLICYHOLDER', 'Ada@Example.com', true],
        ['CLAIM_REP', 'rep@example.com', true]
      ]
    )
  })

  it('that is degenerate becomes a row with the requested id and no contacts', () => {
    const { rows } = project({ project: {}, teamMembers: [], companyName: null })
    assert.equal(first(rows.claimx_projects)['project_id'], '1234567')
    assert.deepEqual(rows.claimx_contacts, [])
  })

  it('never names columns that only patches own', () => {
    const row = first(project().rows.claimx_projects)
    for (const name of ['policyholder_invited_at', 'xa_autolink_fail', 'coverages']) {
      assert.ok(!(name in row), name)
    }
  })

  it('gives the flagged e-mail, or the first when none is flagged or the flagged one is blank', () => {
    const cases: [JsonObject[] | null, string | null][] = [
      [[{ emailAddress: 'a' }, { emailAddress: 'b', primary: true }], 'b'],
      [[{ emailAddress: 'a' }, { emailAddress: 'b' }], 'a'],
      [[{ emailAddress: 'a' }, { emailAddress: ' ', primary: true }], 'a'],
      [[], null],
      [null, null]
    ]
    for (const [emails, expected] of cases) {
      const { rows } = project(withCustomer({ emails }))
      assert.equal(first(rows.claimx_projects)['primary_email'], expected)
      assert.equal(rows.claimx_contacts?.length, expected === null ? 1 : 2)
    }
  })

  it('keeps additions of the API in extra, without secrets, and reports them by name', () => {
    const answer = projectAnswer()
    const customer = answer.project['customerInformation'] as JsonObject
    const { rows, unknownFields } = project({
      ...answer,
      project: {
        ...answer.project,
        newField: 'n',
        ['__proto__']: 'p',
        report: 'https://h/r?sign=SECRET',
        customerInformation: { ...customer, tier: 'GOLD', emails: [{ emailAddress: 'a', seen: 1 }] }
      },
      teamMembers: [{ userName: 'rep@example.com', role: 'LEAD' }]
    })
    assert.deepEqual(JSON.parse(String(first(rows.claimx_projects)['extra'])), {
      ['__proto__']: 'p',
      newField: 'n',
      report: 'https://h/r',
      customerInformation: { tier: 'GOLD', emails: [{ seen: 1 }] }
    })
    assert.equal(rows.claimx_contacts?.[1]?.['extra'], '{"role":"LEAD"}')
    assert.deepEqual([...unknownFields].sort(), [
      'project.__proto__',
      'project.customerInformation.emails[].seen',
      'project.customerInformation.tier',
      'project.newField',
      'project.report',
      'teamMembers[].role'
    ])
  })

  it('stores null for a value of a wrong type and warns without quoting it', () => {
    const answer = projectAnswer()
    const { rows, warnings } = project({
      ...answer,
      project: { ...answer.project, yearBuilt: 'SECRET', createdDate: 5, address: 'nowhere' }
    })
    const row = first(rows.claimx_projects)
    assert.deepEqual([row['year_built'], row['created_date'], row['city']], [null, null, null])
    assert.deepEqual(warnings.map(text => text.split(' ')[0]).sort(), [
      'project.address',
      'project.createdDate',
      'project.yearBuilt'
    ])
    assert.ok(!warnings.join(' ').includes('SECRET'))
  })
})

describe('a contact id', () => {
  it('is the SHA-256 of project, type and lower-cased e-mail', () => {
    assert.equal(
      contactId('1', 'POLICYHOLDER', ' Ada@Example.com '),
      '11ac31390c14507b5ac6da757a49d1aa79bdd46847cb447ed061aaf1d5a40a40'
    )
  })

  it('makes the policyholder and the recipient of a link with the same e-mail one contact', () => {
    const policyholder = first(project().rows.claimx_contacts)
    const recipient = first(taskRows('7654321', '1', taskAnswer(), from).rows.claimx_contacts)
    assert.equal(recipient['contact_id'], policyholder['contact_id'])
    assert.equal(recipient['is_primary_contact'], false)
    assert.equal(recipient['task_assignment_id'], 7654321)
  })
})

describe('a media item', () => {
  it('is read under the field names of the API', () => {
    const { rows, warnings, unknownFields } = mediaRows('1234567', mediaItem(), from)
    const row = first(rows.claimx_attachment_metadata)
    assert.deepEqual([warnings, unknownFields], [[], []])
    assert.deepEqual([row['media_id'], row['task_assignment_id']], ['87654321', '7654321'])
    assert.deepEqual([row['latitude'], row['longitude']], [44.05, -123.09])
    assert.equal(row['expires_at'], '2026-01-01T01:00:00Z')
  })

  it('is stored without the secret of its link, and downloaded with it', () => {
    const row = first(mediaRows('1', mediaItem(), from).rows.claimx_attachment_metadata)
    assert.equal(row['full_download_link'], LINK.slice(0, LINK.indexOf('?')))
    assert.ok(!Object.values(row).some(value => String(value).includes('SECRET')))
    assert.equal(downloadTaskOf('1', mediaItem(), 'e')?.downloadUrl, LINK)
  })

  it('has the expiry of its link computed when the API does not say', () => {
    const item = { ...mediaItem(), expiresAt: null }
    const row = first(mediaRows('1', item, from).rows.claimx_attachment_metadata)
    assert.equal(row['expires_at'], '2026-01-01T01:00:00.000000Z')
  })

  it('reads fullDownloadLink before the spellings of test doubles', () => {
    const links = { full_download_link: 'https://h/c', download_url: 'https://h/b' }
    assert.equal(downloadLinkOf({ ...links, fullDownloadLink: 'https://h/a' }), 'https://h/a')
    assert.equal(downloadLinkOf(links), 'https://h/b')
    assert.equal(downloadLinkOf({ full_download_link: 'https://h/c' }), 'https://h/c')
    assert.equal(downloadLinkOf({ fullDownloadLink: ' ' }), null)
    for (const name of ['mediaID', 'mediaId', 'media_id', 'id']) {
      assert.equal(mediaIdOf({ [name]: '007' }), '7')
    }
  })

  it('with null names makes a download task with empty text and a path of its own', () => {
    const item = { ...mediaItem(5), mediaName: null, mediaType: null }
    const task = downloadTaskOf('1', item, 'e')
    assert.deepEqual([task?.fileName, task?.fileType, task?.blobPath], ['', '', '1/media/media_5'])
  })
})

describe('a task answer', () => {
  it('becomes task, template, link and contact', () => {
    const { rows, unknownFields, warnings } = taskRows('9', '1', taskAnswer(), from)
    assert.deepEqual([unknownFields, warnings], [[], []])
    const task = first(rows.claimx_tasks)
    assert.deepEqual([task['task_id'], task['template_id']], [7654321, 4321])
    assert.equal(task['project_id'], '1234567')
    const template = first(rows.claimx_task_templates)
    assert.deepEqual([template['template_id'], template['project_id']], [4321, '1234567'])
    assert.equal(template['modified_date'], '2025-12-01T00:00:00+00:00')
    const link = first(rows.claimx_external_links)
    assert.deepEqual(
      [link['link_id'], link['assignment_id'], link['accessed_count']],
      [31, 7654321, 0]
    )
  })

  it('without ids takes those that were asked for, and makes no child rows without their keys', () => {
    const answer = { customTask: { name: 'n' }, externalLinkData: { url: 'u' } }
    const { rows } = taskRows('9', '1', answer, from)
    const task = first(rows.claimx_tasks)
    assert.deepEqual([task['task_id'], task['project_id']], [9, '1'])
    assert.deepEqual(
      [rows.claimx_task_templates, rows.claimx_external_links, rows.claimx_contacts],
      [[], [], []]
    )
  })

  it('keeps additions of each part beside that part', () => {
    const answer = {
      ...taskAnswer(),
      a: 1,
      customTask: { taskId: 2, b: 1 },
      externalLinkData: { linkId: 3, c: 1 }
    }
    const { rows, unknownFields } = taskRows('9', '1', answer, from)
    assert.equal(first(rows.claimx_tasks)['extra'], '{"a":1}')
    assert.equal(first(rows.claimx_task_templates)['extra'], '{"b":1}')
    assert.equal(first(rows.claimx_external_links)['extra'], '{"c":1}')
    assert.deepEqual([...unknownFields].sort(), [
      'task.a',
      'task.customTask.b',
      'task.externalLinkData.c'
    ])
  })
})

describe('a video report', () => {
  it('becomes one row for every item that has an id', () => {
    const { rows } = videoRows([videoItem(1), { guid: 'x' }, { id: 2 }], from)
    assert.deepEqual(
      rows.claimx_video_collab?.map(row => row['collaboration_id']),
      [1, 2]
    )
  })

  it('joins first and last name when the full name is missing, and keeps decimals exact', () => {
    const row = first(
      videoRows([{ ...videoItem(), claimRepFullName: null }], from).rows.claimx_video_collab
    )
    assert.equal(row['claim_rep_full_name'], 'Rita Rep')
    assert.equal(row['total_time_seconds'], '61.50')
  })
})
