import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CellValue, ColumnDef, Row } from '../../../../src/core/index.ts'
import {
  attachmentRow,
  autolinkFailedPatch,
  cachedDownloadOf,
  claimxTables,
  downloadTaskOf,
  enrichmentTaskOf,
  eventLogRow,
  eventRow,
  invitedPatch,
  joinedPatch,
  masterFileNamePatch,
  mediaRows,
  parseRawEvent,
  projectRows,
  type TableName,
  tableNames,
  taskRows,
  uploadResultOf,
  videoRows,
  writeOrder
} from '../../../../src/domains/claimx/index.ts'
import {
  bytes,
  mediaItem,
  projectAnswer,
  rawEvent,
  taskAnswer,
  videoItem
} from '../../../helpers/claimx-fixtures.ts'

/** Columns that nothing produces, each with its reason. */
const unproduced: Readonly<Record<string, readonly string[]>> = {
  // Owned by other systems or without any source so far (claimx-tables.md sections 4, 5, 9).
  claimx_projects: ['coverages', 'contents_task_sent', 'contents_task_at'],
  claimx_contacts: ['video_collaboration_id'],
  claimx_external_links: ['created_date', 'last_accessed']
}

/** Every row that the transformers make of complete answers with an addition in each object. */
function producedRows(): Map<TableName, Row[]> {
  const rows = new Map<TableName, Row[]>()
  const add = (table: TableName, ...some: Row[]) =>
    rows.set(table, [...(rows.get(table) ?? []), ...some])
  const from = { eventId: 'e', askedAt: 5n, now: 6n }
  const event = parseRawEvent(bytes(rawEvent({ master_file_name: 'M' })))
  add('claimx_events', eventRow(event, 1n))
  const outcome = { status: 'success', processedAt: 2n, apiCalls: 1, durationMs: 3 } as const
  add('claimx_event_log', eventLogRow(enrichmentTaskOf(event, 1n), outcome))
  const answer = projectAnswer()
  const project = { ...answer.project, added: 1 }
  const task = taskAnswer()
  const nested = (name: string) => ({ ...(task[name] as object), added: 1 })
  const mapped = [
    projectRows('1', { ...answer, project }, 5n, 'e', 6n),
    mediaRows('1', { ...mediaItem(), added: 1 }, from),
    taskRows(
      '7654321',
      '1',
      {
        ...task,
        added: 1,
        customTask: nested('customTask'),
        externalLinkData: nested('externalLinkData')
      },
      from
    ),
    videoRows([{ ...videoItem(), added: 1 }], from)
  ]
  for (const { rows: byTable } of mapped) {
    for (const [table, some] of Object.entries(byTable)) add(table as TableName, ...some)
  }
  add('claimx_projects', masterFileNamePatch('1', 'M', 6n), invitedPatch('1', 4n, 6n))
  add('claimx_projects', joinedPatch('1', 4n, 6n), autolinkFailedPatch('1', 4n, 6n))
  const download = downloadTaskOf('1', mediaItem(), 'e')
  assert.ok(download)
  const file = { localCachePath: 'c', bytes: 3, sha256: 'ab', contentType: 'image/jpeg' }
  const cached = cachedDownloadOf(download, file, 7n)
  add(
    'claimx_attachments',
    attachmentRow(uploadResultOf(cached, { status: 'completed', bytes: 3 }, 8n), 9n)
  )
  return rows
}

function fits(value: CellValue, { type }: ColumnDef): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string'
    case 'long':
      return typeof value === 'bigint' || Number.isSafeInteger(value)
    case 'integer':
      return typeof value === 'number' && (value | 0) === value
    case 'double':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'timestamp':
      return typeof value === 'bigint'
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)
  }
}

describe('the ten tables', () => {
  it('have the merge keys of the contract', () => {
    const keys = Object.fromEntries(tableNames.map(name => [name, claimxTables[name].mergeKey]))
    assert.deepEqual(keys, {
      claimx_events: ['event_id'],
      claimx_event_log: ['event_id'],
      claimx_projects: ['project_id'],
      claimx_contacts: ['contact_id', 'project_id'],
      claimx_attachment_metadata: ['media_id'],
      claimx_tasks: ['task_id'],
      claimx_task_templates: ['template_id', 'project_id'],
      claimx_external_links: ['link_id'],
      claimx_video_collab: ['collaboration_id'],
      claimx_attachments: ['media_id']
    })
  })

  it('are consistent: names, keys, guards, followed columns and partitions exist', () => {
    for (const name of tableNames) {
      const table = claimxTables[name]
      const columns = new Map(table.columns.map(column => [column.name, column]))
      assert.equal(table.name, name)
      assert.equal(columns.size, table.columns.length, `${name}: duplicate column`)
      const keys = table.columns.filter(({ policy }) => policy === 'key')
      assert.deepEqual(
        keys.map(column => column.name),
        table.mergeKey
      )
      assert.ok(keys.every(({ nullable }) => !nullable))
      for (const guarded of [...(table.guard?.columns ?? []), ...(table.partitionBy ?? [])]) {
        assert.ok(columns.has(guarded), `${name}.${guarded}`)
      }
      for (const { policy } of table.columns) {
        if (policy.startsWith('with:')) assert.ok(columns.has(policy.slice(5)))
      }
    }
  })

  it('are partitioned only where it prunes: events by date', () => {
    const partitioned = tableNames.filter(name => claimxTables[name].partitionBy !== undefined)
    assert.deepEqual(partitioned, ['claimx_events'])
  })

  it('are written parents before children and the log last, each once', () => {
    assert.deepEqual([...writeOrder].sort(), [...tableNames].sort())
    assert.equal(writeOrder.at(-1), 'claimx_event_log')
    const before = writeOrder.slice(0, writeOrder.indexOf('claimx_projects'))
    // Contacts first: a project's row says that nothing of the project is missing.
    assert.deepEqual(before, ['claimx_events', 'claimx_contacts'])
    const templates = writeOrder.indexOf('claimx_task_templates')
    assert.ok(templates < writeOrder.indexOf('claimx_tasks'))
  })

  it('have a column of the right type for every value that the transformers produce', () => {
    for (const [name, rows] of producedRows()) {
      const columns = new Map(claimxTables[name].columns.map(column => [column.name, column]))
      for (const row of rows) {
        for (const [field, value] of Object.entries(row)) {
          const column = columns.get(field)
          assert.ok(column, `${name} has no column ${field}`)
          if (value === null || value === undefined) assert.ok(column.nullable, `${name}.${field}`)
          else assert.ok(fits(value, column), `${name}.${field}: ${typeof value}`)
        }
        for (const { name: field, nullable } of columns.values()) {
          assert.ok(nullable || row[field] !== undefined, `${name}.${field} is missing`)
        }
      }
    }
  })

  it('have no column that nothing fills, but for those listed with their reason', () => {
    const produced = producedRows()
    for (const name of tableNames) {
      const filled = new Set(
        (produced.get(name) ?? []).flatMap(row =>
          Object.entries(row).flatMap(([field, value]) => (value === null ? [] : [field]))
        )
      )
      // A column may be filled by only some rows; complete fixtures fill each at least once.
      const empty = claimxTables[name].columns
        .map(column => column.name)
        .filter(c => !filled.has(c))
      const expected = [...(unproduced[name] ?? []), ...failureColumns(name)]
      assert.deepEqual(empty.sort(), expected.sort(), name)
    }
  })
})

/** Filled on failure only; event-log.test.ts covers them. Task ids are of task and video events. */
function failureColumns(name: TableName): string[] {
  if (name === 'claimx_event_log') return ['error_message', 'error_category']
  if (name === 'claimx_events') return ['task_assignment_id', 'video_collaboration_id']
  return name === 'claimx_contacts' ? ['extra'] : []
}
