/** The rows of the domain under the merge rules of the tables: order of arrival must not matter. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CellValue, Row } from '../../../../src/core/index.ts'
import { mergeRows } from '../../../../src/delta/index.ts'
import {
  autolinkFailedPatch,
  claimxTables,
  handlers,
  invitedPatch,
  joinedPatch,
  projectRows,
  type TableName,
  taskRows
} from '../../../../src/domains/claimx/index.ts'
import { projectAnswer, taskAnswer } from '../../../helpers/claimx-fixtures.ts'

function merge(table: TableName, rows: readonly Row[]): Record<string, CellValue> {
  const { columns, mergeKey, guard } = claimxTables[table]
  const rules = {
    keys: mergeKey,
    policies: new Map(columns.map(({ name, policy }) => [name, policy])),
    ...(guard === undefined ? {} : { guard })
  }
  const names = columns.map(({ name }) => name)
  return { ...mergeRows(rules, names, undefined, rows).values }
}

function projectRow(status: string, askedAt: bigint, mfn: string | null = 'MFN-API'): Row {
  const answer = projectAnswer(1)
  const project = { ...answer.project, status, mfn }
  const { rows } = projectRows('1', { ...answer, project }, askedAt, `e${askedAt}`, 100n)
  return rows.claimx_projects?.[0] ?? assert.fail('no row')
}

describe('rows of one project', () => {
  it('give the same stored row in any order, and a patch erases nothing', () => {
    const rows = [
      projectRow('OLD', 10n, null),
      projectRow('NEW', 20n),
      invitedPatch('1', 5n, 100n),
      invitedPatch('1', 3n, 100n),
      joinedPatch('1', 7n, 100n),
      autolinkFailedPatch('1', 9n, 100n),
      autolinkFailedPatch('1', 8n, 100n)
    ]
    const expected = merge('claimx_projects', rows)
    assert.deepEqual(
      [expected['status'], expected['master_file_name'], expected['last_enriched_at']],
      ['NEW', 'MFN-API', 20n]
    )
    assert.deepEqual(
      [expected['policyholder_invited_at'], expected['policyholder_joined_at']],
      [3n, 7n]
    )
    assert.deepEqual([expected['xa_autolink_fail'], expected['xa_autolink_fail_at']], [true, 8n])
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: rows.length }), shuffled => {
        assert.deepEqual(merge('claimx_projects', shuffled), expected)
        assert.deepEqual(merge('claimx_projects', [...shuffled, ...shuffled]), expected)
      })
    )
  })

  it('of one answer keep the name of a master file name event, whichever comes first', () => {
    const plain = projectRow('OPEN', 60n)
    const event = {
      eventId: 'e60',
      eventType: 'PROJECT_MFN_ADDED',
      projectId: '1',
      retryCount: 0,
      createdAt: 1n,
      mediaId: null,
      taskAssignmentId: null,
      videoCollaborationId: null,
      masterFileName: 'MFN-EVENT',
      eventTime: null,
      metadata: null
    }
    const unasked = () => assert.fail('not asked for')
    const answers = {
      project: () => ({ ok: true, value: projectAnswer(1), askedAt: 60n }) as const,
      media: unasked,
      task: unasked,
      video: unasked
    }
    const named = handlers.media.decide(event, answers, 100n).rows.claimx_projects ?? []
    for (const rows of [
      [plain, ...named],
      [...named, plain]
    ]) {
      assert.equal(merge('claimx_projects', rows)['master_file_name'], 'MFN-EVENT')
    }
  })
})

describe('a contact', () => {
  it('stays primary and keeps its assignment, whether project or link comes first', () => {
    const policyholder = projectRows('1234567', projectAnswer(), 10n, 'e', 100n).rows
    const from = { eventId: 'e', askedAt: 20n, now: 100n }
    const recipient = taskRows('7654321', '1', taskAnswer(), from).rows
    const rows = [policyholder.claimx_contacts?.[0] ?? {}, recipient.claimx_contacts?.[0] ?? {}]
    for (const order of [rows, rows.toReversed()]) {
      const stored = merge('claimx_contacts', order)
      assert.deepEqual(
        [stored['is_primary_contact'], stored['task_assignment_id']],
        [true, 7654321]
      )
    }
    assert.equal(merge('claimx_contacts', rows)['contact_email'], 'Ada@Example.com')
  })
})

describe('a task template', () => {
  it('changes only to a newer version, compared as points in time', () => {
    const row = (name: string, modifiedDate: string | null, askedAt: bigint): Row => {
      const answer = { ...taskAnswer(), customTask: { taskId: 1, name, modifiedDate } }
      const { rows } = taskRows('9', '1', answer, { eventId: 'e', askedAt, now: 100n })
      return rows.claimx_task_templates?.[0] ?? assert.fail('no row')
    }
    const stored = row('v2', '2026-01-02T00:00:00Z', 1n)
    const name = (...rows: Row[]) => merge('claimx_task_templates', rows)['name']
    assert.equal(name(stored, row('v1', '2026-01-01T00:00:00Z', 2n)), 'v2')
    assert.equal(name(stored, row('same', '2026-01-02T01:00:00+01:00', 2n)), 'v2')
    assert.equal(name(stored, row('v3', '2026-01-01T23:00:00-02:00', 2n)), 'v3')
    assert.equal(name(row('undated', null, 1n), stored), 'v2')
  })
})

describe('the log row of an event', () => {
  it('describes the latest attempt, whichever arrives last', () => {
    const attempt = (retry_count: number, processed_at: bigint): Row => ({
      event_id: 'e',
      status: `${retry_count}/${processed_at}`,
      retry_count,
      processed_at
    })
    const rows = [attempt(0, 5n), attempt(1, 3n), attempt(1, 4n)]
    fc.assert(
      fc.property(fc.shuffledSubarray(rows, { minLength: 3 }), shuffled => {
        assert.equal(merge('claimx_event_log', shuffled)['status'], '1/4')
      })
    )
  })
})
