/** Checks of the entity tables: exactly the expected keys, each once, with the expected values. */
import type { JsonObject } from '../core/index.ts'
import { long, object, str } from './coercion.ts'
import { Differences, show } from './differences.ts'
import {
  type Cell,
  contactOfLink,
  contactRow,
  contactsOfProject,
  type ExpectedContact,
  type ExpectedRow,
  joinContacts,
  linkRow,
  mediaRow,
  projectRow,
  taskRow,
  templateRow,
  videoRow
} from './projection.ts'
import type { Truth } from './truth.ts'
import type { Check, EndStateView, World } from './types.ts'

export interface TableExpectation {
  readonly table: string
  readonly keys: readonly string[]
  readonly required: ReadonlySet<string>
  /** Expected row of a key; undefined: no such row may exist. Keys are joined with `|`. */
  readonly rowOf: (key: string) => ExpectedRow | undefined
  /** Any row; only its column names count. */
  readonly sample: ExpectedRow
}

/** Two lines: which rows are there, and what they hold. */
export async function checkTable(
  view: EndStateView,
  expectation: TableExpectation
): Promise<Check[]> {
  const { table, keys, required, rowOf, sample } = expectation
  const rows = new Differences()
  const values = new Differences()
  const seen = new Set<string>()
  const columns = [...new Set([...keys, ...Object.keys(sample)])]
  for (const actual of await view.readTable(table, columns)) {
    const key = keys.map(column => String(actual[column])).join('|')
    if (seen.has(key)) {
      rows.add(`key ${key} occurs more than once`)
      continue
    }
    seen.add(key)
    const expected = rowOf(key)
    if (expected === undefined) rows.add(`row ${key} should not exist`)
    else compareRow(key, expected, actual, values)
  }
  for (const key of required) if (!seen.has(key)) rows.add(`row ${key} is missing`)
  return [
    rows.check(`${table}: rows`, `${seen.size} rows, each key once`),
    values.check(`${table}: values`, `${seen.size} rows, ${columns.length} columns as in ClaimX`)
  ]
}

function compareRow(
  key: string,
  expected: ExpectedRow,
  actual: Readonly<Record<string, unknown>>,
  differences: Differences
): void {
  for (const [column, cell] of Object.entries(expected)) {
    const found = actual[column]
    const wanted = problemOf(cell, found)
    if (wanted !== undefined) {
      differences.add(`${key} ${column}: expected ${wanted}, found ${show(found)}`)
    }
  }
}

/** What was expected instead; undefined: the cell is right. */
function problemOf(cell: Cell, found: unknown): string | undefined {
  if (typeof cell === 'function') return cell(found)
  if (found === cell) return undefined
  const numeric = typeof cell === 'number' || typeof cell === 'bigint'
  if (numeric && (typeof found === 'number' || typeof found === 'bigint')) {
    // biome-ignore lint/suspicious/noDoubleEquals: compares number with bigint by value
    if (found == cell) return undefined
  }
  return show(cell)
}

export function entityExpectations(world: World, truth: Truth): TableExpectation[] {
  return [
    projects(world, truth),
    contacts(world, truth),
    media(world, truth),
    ...taskTables(world, truth),
    videos(world, truth)
  ]
}

function projects(world: World, truth: Truth): TableExpectation {
  const rowOf = (key: string): ExpectedRow | undefined => {
    const projectId = Number(key)
    const answer = world.projectAnswer(projectId)
    const known = truth.projects.has(projectId) || truth.optionalProjects.has(projectId)
    return answer === undefined || !known ? undefined : patched(truth, projectId, answer)
  }
  return expectation('claimx_projects', ['project_id'], strings(truth.projects), rowOf, {
    ...projectRow(0, {}),
    ...patchColumns({})
  })
}

/** Patches lie over the API's row; what they do not name stays as it is. */
function patched(truth: Truth, projectId: number, answer: JsonObject): ExpectedRow {
  const row = projectRow(projectId, answer)
  const patch = truth.patches.get(projectId) ?? {}
  return {
    ...row,
    ...patchColumns(patch),
    master_file_name: patch.masterFileName ?? row['master_file_name'] ?? null
  }
}

function patchColumns(patch: {
  invitedAt?: bigint
  joinedAt?: bigint
  autolinkFailedAt?: bigint
}): ExpectedRow {
  return {
    policyholder_invited_at: patch.invitedAt ?? null,
    policyholder_joined_at: patch.joinedAt ?? null,
    xa_autolink_fail: patch.autolinkFailedAt === undefined ? null : true,
    xa_autolink_fail_at: patch.autolinkFailedAt ?? null
  }
}

function contacts(world: World, truth: Truth): TableExpectation {
  const all = new Map<string, ExpectedContact>()
  const add = (contact: ExpectedContact | undefined): void => {
    if (contact === undefined) return
    const key = `${contact.contactId}|${contact.projectId}`
    const known = all.get(key)
    if (known === undefined) all.set(key, contact)
    else joinContacts(known, contact)
  }
  for (const projectId of truth.projects) {
    const answer = world.projectAnswer(projectId)
    if (answer !== undefined) contactsOfProject(projectId, answer).forEach(add)
  }
  for (const assignmentId of truth.tasks) {
    const answer = object(world.taskAnswer(assignmentId))
    const link = answer['externalLinkData']
    const projectId = long(answer['projectId'])
    if (projectId !== null && link) add(contactOfLink(projectId, assignmentId, object(link)))
  }
  const optional = optionalContacts(world, truth)
  const rowOf = (key: string): ExpectedRow | undefined => {
    const contact = all.get(key) ?? optional.get(key)
    return contact === undefined ? undefined : contactRow(contact)
  }
  const [sample] = contactsOfProject(0, { teamMembers: [{ userName: 'x' }] })
  return {
    ...expectation('claimx_contacts', ['contact_id', 'project_id'], new Set(all.keys()), rowOf, {}),
    sample: sample === undefined ? {} : contactRow(sample)
  }
}

/** Contacts of projects that may be stored but need not. */
function optionalContacts(world: World, truth: Truth): Map<string, ExpectedContact> {
  const optional = new Map<string, ExpectedContact>()
  for (const projectId of truth.optionalProjects) {
    if (truth.projects.has(projectId)) continue
    for (const contact of contactsOfProject(projectId, world.projectAnswer(projectId) ?? {})) {
      optional.set(`${contact.contactId}|${contact.projectId}`, contact)
    }
  }
  return optional
}

function media(world: World, truth: Truth): TableExpectation {
  const rowOf = (key: string): ExpectedRow | undefined => {
    const mediaId = Number(key)
    const projectId = truth.media.get(mediaId)
    const answer = world.mediaAnswer(mediaId)
    const file = world.mediaFile(mediaId)
    if (projectId === undefined || answer === undefined || file === undefined) return undefined
    return mediaRow(projectId, answer, file)
  }
  const sample = mediaRow(0, {}, { hasLink: false, uuid: '', direct: false, expiryTold: false })
  const keys = strings(truth.media.keys())
  return expectation('claimx_attachment_metadata', ['media_id'], keys, rowOf, sample)
}

function taskTables(world: World, truth: Truth): TableExpectation[] {
  const templates = new Map<string, number>()
  const links = new Map<string, number>()
  for (const assignmentId of truth.tasks) {
    const answer = object(world.taskAnswer(assignmentId))
    const templateId = long(object(answer['customTask'])['taskId'])
    if (templateId !== null)
      templates.set(`${templateId}|${str(answer['projectId'])}`, assignmentId)
    const linkId = long(object(answer['externalLinkData'])['linkId'])
    if (linkId !== null) links.set(String(linkId), assignmentId)
  }
  const answerOf = (assignmentId: number | undefined): JsonObject | undefined =>
    assignmentId === undefined ? undefined : world.taskAnswer(assignmentId)
  const taskOf = (key: string): ExpectedRow | undefined => {
    const answer = truth.tasks.has(Number(key)) ? world.taskAnswer(Number(key)) : undefined
    return answer === undefined ? undefined : taskRow(Number(key), answer)
  }
  const templateOf = (key: string): ExpectedRow | undefined => {
    const answer = answerOf(templates.get(key))
    if (answer === undefined) return undefined
    return templateRow(str(answer['projectId']) ?? '', object(answer['customTask']))
  }
  const linkOf = (key: string): ExpectedRow | undefined => {
    const assignmentId = links.get(key)
    const answer = answerOf(assignmentId)
    if (answer === undefined || assignmentId === undefined) return undefined
    const projectId = str(answer['projectId']) ?? ''
    return linkRow(projectId, assignmentId, object(answer['externalLinkData']))
  }
  const templateKeys = ['template_id', 'project_id']
  return [
    expectation('claimx_tasks', ['task_id'], strings(truth.tasks), taskOf, taskRow(0, {})),
    expectation(
      'claimx_task_templates',
      templateKeys,
      new Set(templates.keys()),
      templateOf,
      templateRow('', {})
    ),
    expectation(
      'claimx_external_links',
      ['link_id'],
      new Set(links.keys()),
      linkOf,
      linkRow('', 0, {})
    )
  ]
}

function videos(world: World, truth: Truth): TableExpectation {
  const rows = new Map<string, ExpectedRow>()
  for (const projectId of truth.videoProjects) {
    for (const answer of world.videoAnswers(projectId)) {
      const row = videoRow(answer)
      rows.set(String(row['collaboration_id']), row)
    }
  }
  const keys = strings(truth.videos.keys())
  const rowOf = (key: string): ExpectedRow | undefined => rows.get(key)
  return expectation('claimx_video_collab', ['collaboration_id'], keys, rowOf, videoRow({}))
}

function expectation(
  table: string,
  keys: readonly string[],
  required: ReadonlySet<string>,
  rowOf: (key: string) => ExpectedRow | undefined,
  sample: ExpectedRow
): TableExpectation {
  return { table, keys, required, rowOf, sample }
}

function strings(ids: Iterable<number>): Set<string> {
  return new Set(Iterator.from(ids).map(String))
}
