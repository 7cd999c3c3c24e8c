/** What a command is, and how its command line is read. Help texts come from the same data. */
import { parseArgs } from 'node:util'
import { ConfigError } from '../core/index.ts'
import { nearest } from './nearest.ts'
import type { Terminal } from './terminal.ts'

export interface OptionSpec {
  /** `texts` may be given several times; `list` too, and its values are split at commas. */
  readonly type: 'text' | 'texts' | 'flag' | 'integer' | 'list'
  /** Placeholder of the value in help texts, such as `FILE`. */
  readonly value?: string
  readonly short?: string
  readonly doc: string
  readonly min?: number
  readonly max?: number
  /** For `text` and `list`: the only values. */
  readonly choices?: readonly string[]
}

export interface PositionalSpec {
  readonly name: string
  readonly optional?: boolean
  readonly doc: string
}

export interface Command {
  /** Words after the program's name: `tables read`. */
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly positionals?: readonly PositionalSpec[]
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly examples: readonly string[]
  /** Resolves with the exit code. */
  run(args: CommandArgs, terminal: Terminal): Promise<number>
}

export interface CommandArgs {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  flag(name: string): boolean
  integer(name: string): number | undefined
  texts(name: string): readonly string[]
  list(name: string): readonly string[]
}

/** Options that every command takes which needs the configuration. */
export const configOptions = {
  config: { type: 'text', value: 'FILE', doc: 'YAML file with settings (docs/configuration.md).' },
  'data-dir': {
    type: 'text',
    value: 'DIR',
    doc: 'Data directory; wins over CLAIMS_DATA_DIR and the file.'
  }
} as const satisfies Record<string, OptionSpec>

export const jsonOption = {
  json: { type: 'flag', doc: 'Print JSON for programs instead of text for people.' }
} as const satisfies Record<string, OptionSpec>

export function usageError(message: string, command?: string): ConfigError {
  const help = command === undefined ? '--help' : `${command} --help`
  return new ConfigError('USAGE', `${message} Try \`claims-pipeline ${help}\`.`)
}

type RawValues = Record<string, string | boolean | (string | boolean)[] | undefined>

/** Reads the words after the command's name. Rejects with `USAGE`. */
export function parseCommandLine(command: Command, words: readonly string[]): CommandArgs {
  const specs: Readonly<Record<string, OptionSpec>> = command.options
  const config = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      {
        type: spec.type === 'flag' ? ('boolean' as const) : ('string' as const),
        multiple: spec.type === 'list' || spec.type === 'texts',
        ...(spec.short === undefined ? {} : { short: spec.short })
      }
    ])
  )
  const { values, positionals } = parseWords(command, words, config)
  for (const [name, spec] of Object.entries(specs)) checkOption(command, name, spec, values[name])
  checkPositionals(command, positionals)
  return argsOf(values, positionals)
}

function parseWords(
  command: Command,
  words: readonly string[],
  options: Record<string, { type: 'string' | 'boolean'; multiple: boolean; short?: string }>
): { values: RawValues; positionals: string[] } {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true })
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const wrong = /'(-[^']*?)'/.exec(message)?.[1] ?? 'an option'
      const close = nearest(wrong.replace(/^-+/, ''), Object.keys(options))
      const hint = close === undefined ? '' : ` Did you mean --${close}?`
      throw usageError(`Unknown option ${wrong}.${hint}`, command.name)
    }
    const ambiguous = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1]
    if (ambiguous !== undefined) {
      const text = `${ambiguous} needs a value; one that begins with "-" is written ${ambiguous}=-…`
      throw usageError(`${text}.`, command.name)
    }
    const text = message.split('\n', 1)[0] ?? message
    throw usageError(text.endsWith('.') ? text : `${text}.`, command.name)
  }
}

function checkOption(command: Command, name: string, spec: OptionSpec, value: unknown): void {
  if (value === undefined) return
  const shown = JSON.stringify(value)
  if ([value].flat().every(item => item === '')) {
    throw usageError(`--${name} is empty: give it a value or leave it out.`, command.name)
  }
  if (spec.type === 'integer') {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec
    const number = /^-?\d+$/.test(String(value)) ? Number(value) : Number.NaN
    if (!Number.isSafeInteger(number) || number < min || number > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`
      throw usageError(`--${name} must be a whole number ${range}, not ${shown}.`, command.name)
    }
  }
  const items = spec.type === 'list' ? splitList(value) : [String(value)]
  const wrong = spec.choices === undefined ? [] : items.filter(x => !spec.choices?.includes(x))
  if (wrong.length > 0) {
    const allowed = (spec.choices ?? []).join(', ')
    throw usageError(`--${name} must be one of ${allowed}, not "${wrong[0]}".`, command.name)
  }
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const expected = command.positionals ?? []
  const missing = expected[given.length]
  if (missing !== undefined && missing.optional !== true)
    throw usageError(`${missing.name} is missing.`, command.name)
  const extra = given[expected.length]
  if (extra !== undefined) throw usageError(`Unexpected argument "${extra}".`, command.name)
}

function argsOf(values: RawValues, positionals: readonly string[]): CommandArgs {
  return {
    positionals,
    text: name => (typeof values[name] === 'string' ? values[name] : undefined),
    flag: name => values[name] === true,
    integer: name => (values[name] === undefined ? undefined : Number(values[name])),
    texts: name => [values[name] ?? []].flat().map(String),
    list: name => splitList(values[name])
  }
}

function splitList(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : value === undefined ? [] : [value]
  return texts
    .flatMap(text => String(text).split(','))
    .map(text => text.trim())
    .filter(text => text !== '')
}
