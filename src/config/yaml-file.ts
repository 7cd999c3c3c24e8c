/**
 * The YAML file: parsed, its `${NAME}` and `${NAME:-default}` expanded from the environment, flattened
 * to the paths of the schema. Problems are collected, not thrown.
 */
import { parseDocument } from 'yaml'

export type Environment = Readonly<Record<string, string | undefined>>

export interface YamlSettings {
  readonly values: ReadonlyMap<string, unknown>
  readonly problems: readonly string[]
}

/** `known`: the paths that settings have; anything else in the file is a problem. */
export function readYaml(
  source: string,
  file: string,
  known: ReadonlySet<string>,
  environment: Environment
): YamlSettings {
  const document = parseDocument(source, { uniqueKeys: true })
  const problems = document.errors.map(error => `${file}: ${firstLine(error.message)}`)
  if (problems.length > 0) return { values: new Map(), problems }
  const root: unknown = document.toJS()
  if (root === null || root === undefined) return { values: new Map(), problems: [] }
  if (typeof root !== 'object' || Array.isArray(root)) {
    return { values: new Map(), problems: [`${file}: must be a mapping of settings`] }
  }
  const values = new Map<string, unknown>()
  walk(root as Record<string, unknown>, '', (path, value) => {
    if (!known.has(path)) {
      if (isSection(path, known) && (value === null || value === undefined)) return undefined
      if (isSection(path, known)) return 'descend'
      problems.push(`${file}: ${path} is not a setting${hint(path, known)}`)
      return undefined
    }
    if (value === null || value === undefined) return undefined
    const expanded = expand(value, environment)
    if (expanded.missing.length === 0) values.set(path, expanded.value)
    for (const name of expanded.missing) {
      problems.push(`${file}: ${path} refers to \${${name}}, which is not set in the environment`)
    }
    return undefined
  })
  return { values, problems }
}

function walk(
  node: Record<string, unknown>,
  prefix: string,
  visit: (path: string, value: unknown) => 'descend' | undefined
): void {
  for (const [key, value] of Object.entries(node)) {
    const path = prefix + key
    if (visit(path, value) !== 'descend') continue
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      walk(value as Record<string, unknown>, `${path}.`, visit)
    } else {
      visit(`${path}: a single value`, value)
    }
  }
}

function isSection(path: string, known: ReadonlySet<string>): boolean {
  return [...known].some(name => name.startsWith(`${path}.`))
}

function hint(path: string, known: ReadonlySet<string>): string {
  const last = path.split('.').at(-1)?.toLowerCase().replaceAll(/[_-]/g, '')
  const similar = [...known].find(name => name.split('.').at(-1)?.toLowerCase() === last)
  return similar === undefined ? '' : ` (did you mean ${similar}?)`
}

function expand(
  value: unknown,
  environment: Environment
): { readonly value: unknown; readonly missing: readonly string[] } {
  if (Array.isArray(value)) {
    const items = value.map(item => expand(item, environment))
    return { value: items.map(item => item.value), missing: items.flatMap(item => item.missing) }
  }
  if (typeof value !== 'string') return { value, missing: [] }
  const missing: string[] = []
  const text = value.replaceAll(
    /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (_match, name: string, fallback: string | undefined) => {
      const found = environment[name]
      if (found !== undefined && found !== '') return found
      if (fallback === undefined) missing.push(name)
      return fallback ?? ''
    }
  )
  return { value: text, missing }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message
}
