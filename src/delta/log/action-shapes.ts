/**
 * What an action must be for this engine to work with it (PROTOCOL.md "Actions"): what is not so was damaged,
 * or written by a program that does not keep to the protocol, and is refused before it can lead to a wrong
 * answer. Fields and kinds of action that are not known are passed over.
 */
import { isJsonObject, type JsonObject } from '../../core/index.ts'

type Check = (value: unknown) => boolean

const text: Check = value => typeof value === 'string'
const name: Check = value => typeof value === 'string' && value !== ''
const flag: Check = value => typeof value === 'boolean'
const integer: Check = value => typeof value === 'bigint' || Number.isSafeInteger(value)
const whole: Check = value => Number.isSafeInteger(value)
/** Milliseconds; clocks finer than that write fractions. */
const time: Check = value => typeof value === 'bigint' || Number.isFinite(value)
const count: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const object: Check = value => isJsonObject(value as never)
const texts: Check = value => Array.isArray(value) && value.every(text)

/** Such as partition values: a null is a value. */
const textMap: Check = value => {
  if (!isJsonObject(value as never)) return false
  for (const inner of Object.values(value as JsonObject)) {
    if (inner !== null && typeof inner !== 'string') return false
  }
  return true
}

const optional =
  (check: Check): Check =>
  value =>
    value == null || check(value)

interface Shape {
  readonly [field: string]: Check
}

const fits = (value: unknown, shape: Shape): boolean =>
  isJsonObject(value as never) && misfit(value as JsonObject, shape) === undefined

/** The first field that is not as it must be. */
function misfit(fields: JsonObject, shape: Shape): string | undefined {
  for (const field in shape) if (shape[field]?.(fields[field]) !== true) return field
  return undefined
}

const VECTOR: Shape = {
  storageType: value => value === 'u' || value === 'i' || value === 'p',
  pathOrInlineDv: name,
  offset: optional(count),
  sizeInBytes: count,
  cardinality: count
}

const FILE: Shape = {
  path: name,
  partitionValues: optional(textMap),
  dataChange: optional(flag),
  stats: optional(text),
  tags: optional(textMap),
  deletionVector: optional(value => fits(value, VECTOR)),
  baseRowId: optional(integer),
  defaultRowCommitVersion: optional(integer)
}

const SHAPES: Readonly<Record<string, Shape>> = {
  add: {
    ...FILE,
    size: count,
    modificationTime: optional(time),
    clusteringProvider: optional(text)
  },
  remove: {
    ...FILE,
    size: optional(count),
    deletionTimestamp: optional(time),
    extendedFileMetadata: optional(flag)
  },
  cdc: { path: name, partitionValues: optional(textMap), size: count },
  protocol: {
    minReaderVersion: count,
    minWriterVersion: count,
    readerFeatures: optional(texts),
    writerFeatures: optional(texts)
  },
  metaData: {
    id: text,
    name: optional(text),
    description: optional(text),
    format: optional(value =>
      fits(value, { provider: optional(text), options: optional(textMap) })
    ),
    schemaString: optional(text),
    partitionColumns: optional(texts),
    configuration: optional(textMap),
    createdTime: optional(time)
  },
  txn: { appId: text, version: integer, lastUpdated: optional(time) },
  domainMetadata: { domain: text, configuration: text, removed: optional(flag) },
  commitInfo: {},
  sidecar: { path: name },
  checkpointMetadata: { version: optional(whole) }
}
const KINDS = Object.keys(SHAPES)

/** What is wrong with an action, in words that follow "holds"; undefined when nothing is. */
export function shapeProblem(action: unknown): string | undefined {
  if (!object(action)) return 'a line that is not an action'
  const fields = action as JsonObject
  let found: string | undefined
  for (const kind of KINDS) {
    const value = fields[kind]
    if (value == null) continue
    if (found !== undefined) return `a line with two actions, ${found} and ${kind}`
    found = kind
    if (!isJsonObject(value)) return `a malformed ${kind} action`
    const field = misfit(value, SHAPES[kind] ?? {})
    if (field !== undefined) return `a malformed ${kind} action: its ${field} cannot be so`
  }
  return undefined
}
