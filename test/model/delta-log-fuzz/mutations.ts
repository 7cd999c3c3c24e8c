/** Ways in which a log can differ from the one that was written, and what may be made of it then. */
import type { Random } from '../../helpers/random.ts'
import { actionLines, badValue, KNOWN_FIELDS, structure } from './lines.ts'
import type { BaseLog } from './logs.ts'

/**
 * - `same`: nothing is lost: every version must read as before
 * - `harm`: something is: a version reads as before, or is refused with an error
 * - `tail`: the newest commits are gone: like `harm`, and an older version may be the newest
 * - `any`: bytes of a checkpoint are others, which cannot always be told: no other error than ours
 */
export type Effect = 'same' | 'harm' | 'tail' | 'any'

export interface Mutated {
  readonly what: string
  readonly effect: Effect
  readonly files: Map<string, Buffer>
}

interface Draft {
  readonly random: Random
  readonly log: BaseLog
  readonly files: Map<string, Buffer>
}

type Mutation = (draft: Draft) => readonly [effect: Effect, what: string] | undefined

const COMMIT = /^\d{20}\.json$/
const pad = (version: number, digits = 20): string => String(version).padStart(digits, '0')

const commitsOf = ({ files }: Draft): string[] =>
  [...files.keys()].filter(path => COMMIT.test(path)).sort()
/** Fails for what an earlier mutation made no text of: `safely` passes it over then. */
const textOf = ({ files }: Draft, path: string): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(files.get(path))

function onCommit(
  effect: Effect,
  what: string,
  change: (text: string, random: Random) => string | Buffer | undefined
): Mutation {
  return draft => {
    const path = draft.random.pick(commitsOf(draft))
    const changed = change(textOf(draft, path), draft.random)
    if (changed === undefined) return undefined
    draft.files.set(path, Buffer.from(changed))
    return [effect, `${path}: ${what}`]
  }
}

/** One line of a commit, as an object. */
function onAction(
  effect: Effect,
  what: string,
  change: (action: Record<string, unknown>, random: Random) => string | undefined
): Mutation {
  return onCommit(effect, what, (text, random) => {
    const lines = text.split('\n').filter(line => line !== '')
    if (lines.every(line => line.trim() === '')) return undefined
    const at = random.int(0, lines.length - 1)
    const changed = change(JSON.parse(lines[at] ?? '{}'), random)
    if (changed === undefined) return undefined
    lines[at] = changed
    return lines.join('\n')
  })
}

const withHint =
  (what: string, hint: (newest: number, random: Random) => string | Buffer): Mutation =>
  draft => {
    draft.files.set('_last_checkpoint', Buffer.from(hint(draft.log.newest, draft.random)))
    return ['same', `hint: ${what}`]
  }

const checkpointsOf = ({ files }: Draft): string[] =>
  [...files.keys()].filter(path => /\.checkpoint\./.test(path))

/** Nothing is lost with a checkpoint while all commits are there. */
const ofCheckpoints = (draft: Draft): Effect =>
  commitsOf(draft).length === draft.log.newest + 1 ? 'same' : 'harm'

const harmless: readonly Mutation[] = [
  onCommit('same', 'CRLF', text => text.replaceAll('\n', '\r\n')),
  onCommit('same', 'blank lines', text => `\n  \n${text.replaceAll('\n', '\n\n\t\n')}`),
  onCommit('same', 'no newline at the end', text => text.replace(/\n+$/, '')),
  onCommit('same', 'an unknown action', text => `{"newAction":{"path":"x","n":1e400}}\n${text}`),
  onCommit(
    'same',
    'an unknown action at the end',
    text => `${text}\n{"futureThing":[1,{"add":{}}]}`
  ),
  onCommit('same', 'an empty action', text => `${text}\n{}\n{"add":null,"remove":null}`),
  onAction('same', 'unknown fields', (action, random) => {
    const [kind = ''] = Object.keys(action)
    const inner = action[kind] as Record<string, unknown>
    const odd = random.pick([null, 0, 'x', [], {}, -1.5, true])
    return JSON.stringify({ [kind]: { newField: odd, ...inner, 'other.Field': { a: odd } } })
  }),
  onAction('same', 'fields in another order', action => {
    const [kind = ''] = Object.keys(action)
    const inner = Object.entries(action[kind] as object).reverse()
    return JSON.stringify({ [kind]: Object.fromEntries(inner) })
  }),
  onAction(
    'same',
    'spaces and escapes',
    action =>
      ` ${JSON.stringify(action, undefined, 1).replaceAll('\n', ' ').replaceAll('part-', '\\u0070art-')}\t`
  ),
  onAction('same', 'the same action twice in a line', action => {
    const [kind = ''] = Object.keys(action)
    const inner = JSON.stringify(action[kind])
    return `{"${kind}":${inner},"${kind}":${inner}}`
  }),
  onAction('same', 'an odd commitInfo', (action, random) =>
    action['commitInfo'] === undefined
      ? undefined
      : JSON.stringify({
          commitInfo: {
            ...(action['commitInfo'] as object),
            timestamp: random.pick(['soon', null, -5, 1.5, [], 1e300]),
            operationMetrics: random.pick([null, 7, [], 'x', { a: { b: 1 } }]),
            operationParameters: random.pick([null, 7, [], 'x'])
          }
        })
  ),
  draft => {
    const names = [
      '0.json',
      `${pad(3, 21)}.json`,
      `${pad(3)}.json.tmp`,
      `.${pad(3)}.json.crc`,
      'x',
      `${pad(2)}.JSON`,
      `${pad(3)}.checkpoint.json`,
      `${pad(3)}.9.compacted.json`,
      `_staged_commits/${pad(99)}.80a083e8-7026-4e79-81be-64bd76c43a11.json`,
      `${'9'.repeat(20)}.json`,
      `${'9'.repeat(20)}.checkpoint.parquet`,
      `${pad(4)}.checkpoint.0.1.parquet`
    ]
    const name = draft.random.pick(names)
    draft.files.set(name, Buffer.from('{"add":{"path":"no","size":1}}'))
    return ['same', `another file, ${name}`]
  },
  withHint('damaged', (_, random) =>
    random.pick(['', '{', 'null', '[]', '7', '\u0000\u0000', '{"version":'])
  ),
  withHint('wrong', (newest, random) =>
    JSON.stringify({
      version: random.pick<unknown>([-1, 0, newest, newest + 5, 1e300, '3', null, 2.5, 2 ** 60]),
      ...random.pick<object>([
        {},
        { parts: 3 },
        { parts: 1e9 },
        { parts: 'x' },
        { v2Checkpoint: { path: '../../x' } },
        { v2Checkpoint: 5 }
      ])
    })
  ),
  withHint('no text', (_, random) => Buffer.from([0xff, 0xfe, random.int(0, 255)])),
  draft => (draft.files.delete('_last_checkpoint') ? ['same', 'no hint'] : undefined),
  draft => {
    const crc = [...draft.files.keys()].filter(path => path.endsWith('.crc'))
    if (crc.length === 0) return undefined
    draft.files.set(draft.random.pick(crc), Buffer.from('{"numFiles":'))
    return ['same', 'a damaged checksum']
  },
  draft => {
    const from = draft.random.int(0, draft.log.newest - 1)
    if (commitsOf(draft).length !== draft.log.newest + 1) return undefined
    const to = draft.random.int(from + 1, draft.log.newest)
    const content = draft.random.pick([
      '',
      '{',
      '{"add":{"path":5}}',
      '\u0000',
      '[]',
      '{"protocol":{}}'
    ])
    draft.files.set(`${pad(from)}.${pad(to)}.compacted.json`, Buffer.from(content))
    return ['same', `a damaged compaction of ${from} to ${to}`]
  },
  draft => {
    const paths = checkpointsOf(draft)
    if (paths.length === 0) return undefined
    const path = draft.random.pick(paths)
    const bytes = draft.files.get(path) ?? Buffer.alloc(0)
    const kept = draft.random.pick([0, 1, 4, 5, 6, 7, 100, bytes.length >> 1])
    draft.files.set(path, Buffer.from(bytes.subarray(0, Math.min(kept, bytes.length - 9))))
    return [ofCheckpoints(draft), `${path}: cut to ${kept} bytes`]
  },
  draft => {
    const paths = checkpointsOf(draft)
    if (paths.length === 0) return undefined
    const path = draft.random.pick(paths)
    draft.files.delete(path)
    return [ofCheckpoints(draft), `${path}: gone`]
  },
  draft => {
    const version = pad(draft.random.int(0, draft.log.newest))
    const uuid = '80a083e8-7026-4e79-81be-64bd76c43a11'
    const name = draft.random.pick([
      `${version}.checkpoint.${uuid}.json`,
      `${version}.checkpoint.${uuid}.parquet`,
      `${version}.checkpoint.parquet`,
      `${version}.checkpoint.${pad(1, 10)}.${pad(1, 10)}.parquet`,
      `${version}.checkpoint.${pad(1, 10)}.${pad(2, 10)}.parquet`
    ])
    if (draft.files.has(name)) return undefined
    const content = draft.random.pick([
      '',
      'x',
      '{',
      '{"add":{"path":""}}',
      'PAR1PAR1',
      'ROWS1\n{',
      '{"sidecar":{"path":"none.parquet"}}'
    ])
    draft.files.set(name, Buffer.from(content))
    return [ofCheckpoints(draft), `${name}: ${JSON.stringify(content)}`]
  }
]

const harmful: readonly Mutation[] = [
  onCommit('harm', 'a character of its structure is gone', (text, random) => {
    const at = random.pick(structure(text))
    return text.slice(0, at) + text.slice(at + 1)
  }),
  onCommit('harm', 'another character in its structure', (text, random) => {
    const at = random.pick(structure(text))
    const other = random.pick(['"', '{', '}', '[', ']', 'x', '\\', '\u0000', '\n'])
    return text[at] === other ? undefined : text.slice(0, at) + other + text.slice(at + 1)
  }),
  onCommit('harm', 'cut inside of a line', (text, random) => {
    const at = random.int(1, text.length - 2)
    // At the end of a line nothing would tell.
    return /^\s|^$/.test(text.slice(at)) || text[at - 1] === '\n' ? undefined : text.slice(0, at)
  }),
  onCommit('harm', 'empty', (_, random) => random.pick(['', '\n', ' \n\t', '\r\n\r\n'])),
  onCommit('harm', 'zeros', text => Buffer.alloc(text.length)),
  onCommit('harm', 'a byte order mark', text => `\ufeff${text}`),
  onCommit('harm', 'UTF-16', text => Buffer.from(text, 'utf16le')),
  onCommit('harm', 'not UTF-8', (text, random) => {
    const bytes = Buffer.from(text)
    bytes[random.int(0, bytes.length - 1)] = random.pick([0xff, 0xc0, 0xfe])
    return bytes
  }),
  onCommit(
    'harm',
    'a line that is no object',
    (text, random) =>
      `${text.replace(/\n*$/, '\n')}${random.pick(['7', 'null', '"add"', '[]', '[{"add":{}}]', 'true', 'NaN'])}`
  ),
  onCommit('harm', 'a very long line', text => `${text}\n{"add":{"path":"${'x'.repeat(2_000_000)}`),
  onCommit('harm', 'deeply nested', text => `${text}\n${'{"add":'.repeat(50_000)}`),
  onAction('harm', 'two actions in a line', action => {
    const [kind = ''] = Object.keys(action)
    const other =
      kind === 'add' ? { remove: { path: 'x', dataChange: true } } : { add: { path: 'x', size: 1 } }
    return JSON.stringify({ ...action, ...other })
  }),
  onAction('harm', 'a list for an action', action => {
    const [kind = ''] = Object.keys(action)
    return JSON.stringify({ [kind]: [action[kind]] })
  }),
  onCommit('harm', 'a known field of the wrong kind', (text, random) => {
    const lines = actionLines(text).filter(({ kind }) => KNOWN_FIELDS[kind] !== undefined)
    if (lines.length === 0) return undefined
    const { kind, action, at } = random.pick(lines)
    const [field, type] = random.pick(Object.entries(KNOWN_FIELDS[kind] ?? {}))
    const bad = badValue(type, random)
    const inner = action[kind] as Record<string, unknown>
    const all = text.split('\n')
    all[at] = `{"${kind}":${JSON.stringify({ ...inner, [field]: '@' }).replace('"@"', () => bad)}}`
    return all.join('\n')
  }),
  draft => {
    const commits = commitsOf(draft).slice(0, -1)
    if (commits.length === 0) return undefined
    const path = draft.random.pick(commits)
    draft.files.delete(path)
    return ['harm', `${path}: gone`]
  },
  draft => {
    const commits = commitsOf(draft)
    const count = draft.random.int(1, Math.min(3, commits.length - 1))
    if (count < 1) return undefined
    for (const path of commits.slice(-count)) draft.files.delete(path)
    return ['tail', `the newest ${count} commits: gone`]
  },
  draft => {
    const paths = checkpointsOf(draft).filter(path => (draft.files.get(path)?.length ?? 0) > 20)
    if (paths.length === 0) return undefined
    const path = draft.random.pick(paths)
    const bytes = Buffer.from(draft.files.get(path) ?? [])
    for (let flips = draft.random.int(1, 4); flips > 0; flips--) {
      const at = draft.random.int(0, bytes.length - 1)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draft.random.int(0, 7))
    }
    draft.files.set(path, bytes)
    return ['any', `${path}: bits flipped`]
  }
]

const RANK: readonly Effect[] = ['same', 'harm', 'tail', 'any']

/** One to three mutations; the worst effect counts. */
export function mutate(log: BaseLog, random: Random): Mutated {
  const files = new Map(log.files)
  const draft: Draft = { random, log, files }
  const told: string[] = []
  let rank = 0
  const wanted = random.pick([1, 1, 1, 2, 3])
  for (let tries = 0; told.length < wanted && tries < 50; tries++) {
    const mutation = random.pick(random.chance(0.45) ? harmless : harmful)
    const made = safely(mutation, draft)
    if (made === undefined) continue
    told.push(made[1])
    rank = Math.max(rank, RANK.indexOf(made[0]))
  }
  // What is no harm while all is there may be with the commits damaged.
  const effect = RANK[rank] ?? 'any'
  return { what: told.join('; '), effect, files }
}

/** A commit that an earlier mutation broke cannot be changed action by action. */
function safely(mutation: Mutation, draft: Draft): ReturnType<Mutation> {
  try {
    return mutation(draft)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return undefined
    if ((error as Error).message === 'Nothing to pick from') return undefined
    throw error
  }
}
