/** The lines of a commit, and values that their fields must not have. */
import type { Random } from '../../helpers/random.ts'

export interface ActionLine {
  readonly at: number
  readonly kind: string
  readonly action: Record<string, unknown>
}

export function actionLines(text: string): ActionLine[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    const action = JSON.parse(line) as Record<string, unknown>
    const [kind = ''] = Object.keys(action)
    return [{ at, kind, action }]
  })
}

/** Positions of the characters of JSON that are no part of a text. */
export function structure(text: string): number[] {
  const found: number[] = []
  let inside = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inside && character === '\\') at++
    else if (character === '"') {
      inside = !inside
      found.push(at)
    } else if (!inside && /[{}:,[\]]/.test(character ?? '')) found.push(at)
  }
  return found
}

type FieldType = 'path' | 'text' | 'count' | 'integer' | 'map' | 'texts' | 'flag' | 'vector'

export const KNOWN_FIELDS: Readonly<Record<string, Readonly<Record<string, FieldType>>>> = {
  add: {
    path: 'path',
    size: 'count',
    partitionValues: 'map',
    modificationTime: 'integer',
    stats: 'text',
    dataChange: 'flag',
    deletionVector: 'vector'
  },
  remove: {
    path: 'path',
    deletionTimestamp: 'integer',
    partitionValues: 'map',
    deletionVector: 'vector'
  },
  txn: { appId: 'path', version: 'integer' },
  metaData: {
    schemaString: 'text',
    partitionColumns: 'texts',
    configuration: 'map'
  },
  protocol: {
    minReaderVersion: 'count',
    minWriterVersion: 'count'
  }
}

const NUMBERS = ['"7"', '1.5', '1e300', '-1e300', '{}', '[]', 'true', '"x"', '""']
const BAD: Readonly<Record<FieldType, readonly string[]>> = {
  path: ['null', '7', 'true', '{}', '["x"]'],
  text: ['7', 'true', '{}', '[]', '1e400'],
  count: [...NUMBERS, 'null', '-1', '-9007199254740993', '9007199254740993', '1e400'],
  integer: NUMBERS,
  map: ['7', '"x"', '[]', 'true', '{"a":7}', '{"a":{}}', '{"a":["x"]}'],
  texts: ['7', '"id"', '{}', '[7]', '[null]', '[["id"]]', 'true'],
  flag: ['7', '"true"', '{}', '[]'],
  vector: [
    '7',
    '"x"',
    '[]',
    '{}',
    '{"storageType":"x","pathOrInlineDv":"a","sizeInBytes":1,"cardinality":1}',
    '{"storageType":"i","pathOrInlineDv":5,"sizeInBytes":1,"cardinality":1}',
    '{"storageType":"i","pathOrInlineDv":"a","sizeInBytes":-1,"cardinality":1}',
    '{"storageType":"u","pathOrInlineDv":"a","offset":"1","sizeInBytes":1,"cardinality":1}',
    '{"storageType":"u","pathOrInlineDv":"a","sizeInBytes":1,"cardinality":null}'
  ]
}

/** JSON of a value that a field of the type cannot have. */
export function badValue(type: FieldType, random: Random): string {
  return random.pick(BAD[type])
}
