import { readFileSync } from 'node:fs'

/** Version of the package, from its manifest two levels above (in `src/cli` and in `dist/cli`). */
export function programVersion(): string {
  const manifest = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
