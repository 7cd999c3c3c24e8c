/** Envelope variants of the answers (reference/claimx-api.md section 3), unwrapped to entities. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/index.ts'
import type { ProjectAnswer } from '../../ports/index.ts'
import { BadAnswer } from './caller.ts'

const MEDIA_ID_FIELDS = ['mediaID', 'mediaId', 'media_id', 'id'] as const
const VIDEO_ID_FIELDS = ['videoCollaborationId', 'id', 'claimId'] as const

/** How to find the list of entities in an answer. */
export interface ListEnvelope {
  /** Keys that may wrap it, in order. */
  readonly keys: readonly string[]
  /** An object without these keys is one entity when it has one of these fields; undefined: any field. */
  readonly entityFields: readonly string[] | undefined
}

export const listEnvelopes = {
  E3: { keys: ['data', 'media'], entityFields: MEDIA_ID_FIELDS },
  E4: { keys: ['data', 'contacts'], entityFields: undefined },
  E5: { keys: ['data', 'conversations'], entityFields: undefined },
  E8: { keys: ['data', 'collaborations', 'videoCollaboration'], entityFields: VIDEO_ID_FIELDS }
} as const satisfies Record<string, ListEnvelope>

/** E1. Missing parts become empty; what holds none of the known parts but something else is refused. */
export function readProject(json: JsonValue, projectId: string): ProjectAnswer {
  const root = objectOf(json)
  const body = isJsonObject(root['data']) ? root['data'] : root
  const known = 'project' in body || 'teamMembers' in body || 'companyName' in body
  const strange = Object.keys(body).some(key => key !== 'data')
  if (!known && strange) throw new BadAnswer('the answer holds no project')
  const project = isJsonObject(body['project']) ? body['project'] : {}
  const members = Array.isArray(body['teamMembers']) ? body['teamMembers'] : []
  const company = body['companyName']
  return {
    project: withId(project, 'projectId', projectId),
    teamMembers: members.filter(isJsonObject),
    companyName: typeof company === 'string' ? company : null
  }
}

/** E2. Anything but a number or an object with an id means that there is no such project. */
export function readProjectId(json: JsonValue): string | undefined {
  if (!isJsonObject(json)) return integerText(json)
  return integerText(json['projectId'] ?? json['id'] ?? null)
}

/** E3, E4, E5, E8. Null means no data. Entries that are no objects are dropped and reported. */
export function readList(
  json: JsonValue,
  envelope: ListEnvelope,
  dropped: () => void
): readonly JsonObject[] {
  if (json === null) return []
  if (Array.isArray(json)) return entities(json, dropped)
  const root = objectOf(json)
  for (const key of envelope.keys) {
    if (!(key in root)) continue
    const inner = root[key] ?? null
    if (inner === null) return []
    if (Array.isArray(inner)) return entities(inner, dropped)
    if (isJsonObject(inner)) {
      // `data` may hold another of the keys; an object without them is a single entity.
      const rest = { ...envelope, keys: envelope.keys.filter(other => other !== key) }
      return readList(inner, rest, dropped)
    }
    throw new BadAnswer(`\`${key}\` is neither a list nor an object`)
  }
  return single(root, envelope)
}

/** E6: flat, or wrapped in `data`. */
export function readTask(json: JsonValue, assignmentId: string): JsonObject {
  const root = objectOf(json)
  const task = isJsonObject(root['data']) ? root['data'] : root
  const known = ['assignmentId', 'taskId', 'customTask', 'taskName', 'status', 'projectId']
  if (!known.some(field => field in task)) throw new BadAnswer('the answer holds no task')
  return withId(task, 'assignmentId', assignmentId)
}

/** E7: `{success, data[]}`; without `data` the list is empty. */
export function readTaskReport(json: JsonValue, dropped: () => void): readonly JsonObject[] {
  const data = objectOf(json)['data'] ?? null
  if (data === null) return []
  if (!Array.isArray(data)) throw new BadAnswer('`data` is not a list')
  return entities(data, dropped)
}

/** Integer value of a media entry's id under any of its spellings. */
export function mediaIdOf(media: JsonObject): bigint | undefined {
  for (const field of MEDIA_ID_FIELDS) {
    const text = integerText(media[field] ?? null)
    if (text !== undefined) return BigInt(text)
  }
  return undefined
}

/** Canonical digits of a JSON integer or of a numeric string; undefined for anything else. */
export function integerText(value: JsonValue): string | undefined {
  if (typeof value === 'bigint') return value >= 0n ? value.toString() : undefined
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 ? value.toString() : undefined
  }
  if (typeof value === 'string' && /^\d{1,38}$/.test(value.trim())) return BigInt(value).toString()
  return undefined
}

function withId(entity: JsonObject, field: string, id: string): JsonObject {
  if (entity[field] !== undefined && entity[field] !== null) return entity
  const value = BigInt(id)
  return { ...entity, [field]: value <= Number.MAX_SAFE_INTEGER ? Number(value) : value }
}

function entities(list: readonly JsonValue[], dropped: () => void): readonly JsonObject[] {
  const objects = list.filter(isJsonObject)
  for (let i = objects.length; i < list.length; i += 1) dropped()
  if (objects.length === 0 && list.length > 0) throw new BadAnswer('the list holds no objects')
  return objects
}

function single(root: JsonObject, envelope: ListEnvelope): readonly JsonObject[] {
  const fields = envelope.entityFields ?? Object.keys(root)
  if (fields.some(field => field in root)) return [root]
  throw new BadAnswer('the answer holds no list')
}

function objectOf(json: JsonValue): JsonObject {
  if (isJsonObject(json)) return json
  throw new BadAnswer('the answer is not an object')
}
