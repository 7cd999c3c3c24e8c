/**
 * Loads the configuration: environment before YAML file before default. The result is frozen; every
 * problem is reported at once (reference/operations.md section 1).
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../core/index.ts'
import { kafkaProblems } from './kafka-problems.ts'
import { isProduction } from './production.ts'
import { type PlacedSetting, placedSettings, refusedVariables, type Settings } from './schema.ts'
import { type Environment, readYaml } from './yaml-file.ts'

/** All settings, paths absolute, plus what follows from them. Deeply frozen. */
export interface Config extends Settings {
  readonly production: boolean
  /** Where each value came from, by setting path, for `config check`. */
  readonly origins: Readonly<Record<string, string>>
}

export interface LoadOptions {
  /** YAML file. */
  readonly file?: string
  /** Values that win over everything (options of the command line), by setting path. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Looks at these environment variables only; default: at all. */
  readonly onlyVariables?: readonly string[]
  /** Base of relative paths; default: the working directory. */
  readonly baseDir?: string
}

interface Loading {
  readonly environment: Environment
  readonly yaml: ReadonlyMap<string, unknown>
  readonly file: string | undefined
  readonly overrides: Readonly<Record<string, unknown>>
  readonly problems: string[]
}

/** Rejects with `CONFIG_INVALID`; the message has one line for each problem. */
export function loadConfig(options: LoadOptions = {}): Config {
  const environment = visibleEnvironment(options)
  const settings = placedSettings()
  const problems: string[] = []
  const yaml = loadFile(options.file, new Set(settings.map(item => item.path)), environment)
  problems.push(...yaml.problems, ...environmentProblems(settings, environment))
  const loading: Loading = {
    environment,
    yaml: yaml.values,
    file: options.file,
    overrides: options.overrides ?? {},
    problems
  }
  const values = new Map<string, unknown>()
  const origins: Record<string, string> = {}
  for (const placed of settings) {
    const { value, origin } = readSetting(placed, loading)
    values.set(placed.path, value)
    origins[placed.path] = origin
  }
  resolvePaths(settings, values, options.baseDir ?? process.cwd())
  const config = assemble(values, origins)
  problems.push(...crossProblems(config))
  if (problems.length > 0) throw invalid(problems)
  return deepFreeze(config)
}

/** Text for a value in messages and in `config check`; secrets are never shown, not even in part. */
export function displayValue(value: unknown, secret: boolean): string {
  if (value === undefined) return '(not set)'
  if (secret) return '(secret, set)'
  return Array.isArray(value) ? value.join(',') : String(value)
}

function visibleEnvironment({
  environment = process.env,
  onlyVariables
}: LoadOptions): Environment {
  if (onlyVariables === undefined) return environment
  return Object.fromEntries(onlyVariables.map(name => [name, environment[name]]))
}

function loadFile(file: string | undefined, known: ReadonlySet<string>, environment: Environment) {
  if (file === undefined) return { values: new Map<string, unknown>(), problems: [] }
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    return { values: new Map<string, unknown>(), problems: [`${file}: cannot be read (${reason})`] }
  }
  return readYaml(source, file, known, environment)
}

function environmentProblems(
  settings: readonly PlacedSetting[],
  environment: Environment
): string[] {
  const known = new Set(settings.flatMap(({ setting }) => [setting.env, ...setting.aliases]))
  const refused = Object.entries(refusedVariables)
    .filter(([name]) => (environment[name] ?? '') !== '')
    .map(([name, reason]) => `${name}: ${reason}`)
  const unknown = Object.keys(environment)
    .filter(name => name.startsWith('CLAIMS_') && !known.has(name))
    .map(name => `${name}: there is no such setting (see docs/configuration.md)`)
  return [...refused, ...unknown]
}

function readSetting(
  { path, setting }: PlacedSetting,
  loading: Loading
): { readonly value: unknown; readonly origin: string } {
  const { fallback } = setting
  const standard = fallback.kind === 'value' ? fallback.value : undefined
  const found = rawValue(path, [setting.env, ...setting.aliases], loading)
  if (found === undefined) return { value: standard, origin: 'default' }
  const parsed = setting.parse(found.raw)
  if (parsed.ok) return { value: parsed.value, origin: found.origin }
  const shown = displayValue(found.raw, setting.secret)
  loading.problems.push(`${found.name}: is ${quote(shown)}, must be ${setting.allowed}`)
  return { value: standard, origin: found.origin }
}

function rawValue(
  path: string,
  names: readonly string[],
  loading: Loading
): { readonly raw: unknown; readonly origin: string; readonly name: string } | undefined {
  const override = loading.overrides[path]
  if (override !== undefined) return { raw: override, origin: 'command line', name: path }
  for (const name of names) {
    const raw = loading.environment[name]
    if (raw !== undefined && raw.trim() !== '') return { raw, origin: `environment ${name}`, name }
  }
  if (!loading.yaml.has(path)) return undefined
  const name = `${loading.file}: ${path}`
  return { raw: loading.yaml.get(path), origin: `file ${loading.file}`, name }
}

/** Makes directories absolute, and puts those without a value below the data directory. */
function resolvePaths(
  settings: readonly PlacedSetting[],
  values: Map<string, unknown>,
  baseDir: string
): void {
  const dataDir = resolve(baseDir, String(values.get('dataDir')))
  for (const { path, setting } of settings) {
    if (!setting.directory) continue
    const value = values.get(path)
    const { fallback } = setting
    if (value !== undefined) values.set(path, resolve(baseDir, String(value)))
    else if (fallback.kind === 'under-data-dir') values.set(path, resolve(dataDir, fallback.path))
  }
}

function assemble(values: ReadonlyMap<string, unknown>, origins: Record<string, string>): Config {
  const root: Record<string, unknown> = {}
  for (const [path, value] of values) {
    const keys = path.split('.')
    const last = keys.pop() ?? path
    let node = root
    for (const key of keys) {
      node[key] ??= {}
      node = node[key] as Record<string, unknown>
    }
    node[last] = value
  }
  const settings = root as unknown as Settings
  const { name, deployment, app } = settings.environment
  return { ...settings, production: isProduction([name, deployment, app]), origins }
}

/** Rules about more than one setting. */
function crossProblems(config: Config): string[] {
  const problems: string[] = []
  if (config.production && config.files.allowInsecureLocalhost) {
    problems.push(
      'CLAIMS_ALLOW_INSECURE_LOCALHOST: is true, but the environment is production; unset it'
    )
  }
  const url = new URL(config.api.url)
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'http:' && (!local || config.production)) {
    problems.push(
      `CLAIMX_API_URL: is ${quote(config.api.url)}, must use https (plain http would send the token in the clear; it is allowed for localhost outside production)`
    )
  }
  return [...problems, ...kafkaProblems(config)]
}

function invalid(problems: readonly string[]): ConfigError {
  const head = problems.length === 1 ? 'One problem' : `${problems.length} problems`
  return new ConfigError(
    'CONFIG_INVALID',
    `${head} in the configuration:\n${problems.map(problem => `  - ${problem}`).join('\n')}`
  )
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
