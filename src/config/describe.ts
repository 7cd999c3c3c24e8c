/** The configuration as people read it: the effective values, and the reference document. */
import { type Config, displayValue } from './load.ts'
import { type PlacedSetting, placedSettings, refusedVariables } from './schema.ts'

export interface EffectiveSetting {
  /** Place in the YAML file. */
  readonly setting: string
  readonly variable: string
  /** Masked when secret. */
  readonly value: string
  readonly origin: string
}

/** Every setting with its value in force and where that came from. */
export function effectiveSettings(config: Config): EffectiveSetting[] {
  return placedSettings().map(({ path, setting }) => ({
    setting: path,
    variable: setting.env,
    value: displayValue(valueAt(config, path), setting.secret),
    origin: config.origins[path] ?? 'default'
  }))
}

const example = `\`\`\`yaml
dataDir: /var/lib/claims-pipeline
api:
  url: https://api.claimxperience.com
  token: \${CLAIMX_TOKEN}
  maxConcurrent: 20
retry:
  delaysSeconds: [300, 600, 1200, 2400]
log:
  level: \${LEVEL:-info}
\`\`\``

/** `docs/configuration.md`. */
export function configurationMarkdown(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from `src/config/schema.ts` by `npm run docs`; a test keeps both equal.',
    '',
    'A value comes from the environment, else from the YAML file given with `--config`, else it is the',
    `default. In the file, \`\${NAME}\` and \`\${NAME:-default}\` are replaced from the environment. Unknown`,
    'keys, unknown `CLAIMS_…` variables and wrong values are refused at start, all at once.',
    '`claims-pipeline config check` prints the values in force and where each came from.',
    '',
    '| Variable | In the file | Meaning | Default | Allowed |',
    '| --- | --- | --- | --- | --- |',
    ...placedSettings().map(row),
    '',
    '## Refused',
    '',
    'These are known from other deployments and would have no effect here, so they are refused:',
    '',
    ...Object.entries(refusedVariables).map(([name, reason]) => `- \`${name}\`: ${reason}.`),
    '',
    '## Example',
    '',
    example,
    ''
  ]
  return lines.join('\n')
}

function row({ path, setting }: PlacedSetting): string {
  const names = [setting.env, ...setting.aliases].map(name => `\`${name}\``).join(', ')
  return `| ${names} | \`${path}\` | ${setting.doc} | ${defaultText(setting)} | ${setting.allowed} |`
}

function defaultText({ fallback, secret }: PlacedSetting['setting']): string {
  if (fallback.kind === 'under-data-dir') return `\`${fallback.path}\` in the data directory`
  if (fallback.value === undefined) return '–'
  return `\`${displayValue(fallback.value, secret).replaceAll(',', ', ')}\``
}

function valueAt(config: Config, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config)
}
