/**
 * Kinds of settings: how a text or YAML value is read, and what is allowed. Every rule is data, so that
 * the loader, the documentation and `config check` say the same thing.
 */

/** A value that was read, or what would have been allowed. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false }

export interface Setting<T> {
  /** Environment variable. */
  readonly env: string
  /** Other spellings of the variable, in order of preference after `env`. */
  readonly aliases: readonly string[]
  readonly doc: string
  /** What a correct value looks like, to complete "must be …". */
  readonly allowed: string
  readonly secret: boolean
  /** A relative value is resolved to an absolute path. */
  readonly directory: boolean
  /** Below the data directory (`under`), a fixed value, or none. */
  readonly fallback: Fallback<T>
  parse(raw: unknown): Parsed<T>
}

export type Fallback<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'under-data-dir'; readonly path: string }

export interface SettingOptions<T> {
  readonly env: string
  readonly doc: string
  readonly default: T
  readonly aliases?: readonly string[]
}

const bad = { ok: false } as const

export function text<T extends string | undefined>(
  options: SettingOptions<T> & { readonly secret?: boolean }
): Setting<T> {
  return build(options, 'a text', options.secret ?? false, raw =>
    isScalar(raw) && String(raw).trim() !== '' ? good(String(raw).trim() as T) : bad
  )
}

export function choice<const T extends string>(
  options: Omit<SettingOptions<T>, 'default'> & {
    readonly values: readonly T[]
    readonly default: NoInfer<T>
    /** Other spellings that are accepted. */
    readonly synonyms?: Readonly<Record<string, NoInfer<T>>>
  }
): Setting<T> {
  return build(options, `one of ${options.values.join(', ')}`, false, raw => {
    const word = String(raw).trim().toLowerCase()
    const found = options.values.find(value => value === word) ?? options.synonyms?.[word]
    return found === undefined ? bad : good(found)
  })
}

export function flag(options: SettingOptions<boolean>): Setting<boolean> {
  return build(options, 'true or false', false, raw => {
    const word = String(raw).trim().toLowerCase()
    if (['true', '1', 'yes', 'on'].includes(word)) return good(true)
    return ['false', '0', 'no', 'off'].includes(word) ? good(false) : bad
  })
}

export interface NumberOptions extends SettingOptions<number> {
  readonly min: number
  readonly max: number
}

export function integer(options: NumberOptions): Setting<number> {
  const allowed = `a whole number from ${options.min} to ${options.max}`
  return build(options, allowed, false, raw => inRange(raw, options, Number.isSafeInteger))
}

export function decimal(options: NumberOptions): Setting<number> {
  const allowed = `a number from ${options.min} to ${options.max}`
  return build(options, allowed, false, raw => inRange(raw, options, Number.isFinite))
}

/** A list of texts: comma separated in the environment, a list or such a text in YAML. */
export function list(
  options: SettingOptions<readonly string[]> & {
    readonly item: RegExp
    readonly allowed: string
  }
): Setting<readonly string[]> {
  return build(options, options.allowed, false, raw => {
    const items = listItems(raw)?.map(item => item.toLowerCase().replace(/\.$/, ''))
    return items !== undefined && items.length > 0 && items.every(item => options.item.test(item))
      ? good(items)
      : bad
  })
}

/** Positive, ascending seconds; exactly `count` of them. */
export function delays(
  options: SettingOptions<readonly number[]> & { readonly count: number }
): Setting<readonly number[]> {
  const allowed = `${options.count} positive numbers of seconds, ascending, separated by commas`
  return build(options, allowed, false, raw => {
    const values = listItems(raw)?.map(Number)
    if (values === undefined || values.length !== options.count) return bad
    const fine = values.every(
      (value, index) => Number.isFinite(value) && value > (values[index - 1] ?? 0)
    )
    return fine ? good(values) : bad
  })
}

/** An absolute http or https address without credentials in it. */
export function address(options: SettingOptions<string>): Setting<string> {
  const allowed =
    'an absolute https:// or http:// address without user, password, query or fragment'
  return build(options, allowed, false, raw => {
    if (typeof raw !== 'string' || !URL.canParse(raw.trim())) return bad
    const url = new URL(raw.trim())
    const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
    const http = url.protocol === 'https:' || url.protocol === 'http:'
    return plain && http ? good(raw.trim().replace(/\/+$/, '')) : bad
  })
}

export interface DirectoryOptions {
  readonly env: string
  readonly doc: string
  readonly default: Fallback<string>
}

/** A local directory. Addresses of a cloud store are refused, since this release has none. */
export function directory(options: DirectoryOptions): Setting<string> {
  const { default: fallback, ...rest } = options
  const allowed =
    'a local directory (abfss:// and https:// paths are not available in this release yet)'
  const setting = build({ ...rest, default: '' }, allowed, false, raw => {
    if (typeof raw !== 'string' || raw.trim() === '' || raw.includes('\0')) return bad
    return /^[a-z][a-z0-9+.-]+:\/\//i.test(raw.trim()) ? bad : good(raw.trim())
  })
  return { ...setting, fallback, directory: true }
}

/** A size such as `512MB` or `2GB`, as DuckDB takes it. */
export function memorySize(options: SettingOptions<string>): Setting<string> {
  return build(options, 'a size such as 512MB or 2GB', false, raw => {
    const word = String(raw).trim().toUpperCase()
    return /^[1-9]\d{0,5}(KB|MB|GB)$/.test(word) ? good(word) : bad
  })
}

function build<T>(
  options: SettingOptions<T>,
  allowed: string,
  secret: boolean,
  parse: (raw: unknown) => Parsed<T>
): Setting<T> {
  return {
    env: options.env,
    aliases: options.aliases ?? [],
    doc: options.doc,
    allowed,
    secret,
    directory: false,
    fallback: { kind: 'value', value: options.default },
    parse
  }
}

function good<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

function isScalar(raw: unknown): boolean {
  return typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'bigint'
}

function inRange(
  raw: unknown,
  range: { min: number; max: number },
  check: (value: number) => boolean
): Parsed<number> {
  const word = String(raw).trim()
  const value = isScalar(raw) && word !== '' ? Number(word) : Number.NaN
  return check(value) && value >= range.min && value <= range.max ? good(value) : bad
}

function listItems(raw: unknown): string[] | undefined {
  if (Array.isArray(raw))
    return raw.every(isScalar) ? raw.map(item => String(item).trim()) : undefined
  if (!isScalar(raw)) return undefined
  return String(raw)
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}
