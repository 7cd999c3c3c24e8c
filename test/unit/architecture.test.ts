import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Areas and what they may import, besides Node and their own files (ARCHITECTURE.md). */
const importTable: Readonly<Record<string, readonly string[]>> = {
  core: [],
  topology: ['core'],
  domains: ['core'],
  ports: ['core', 'domains'],
  runtime: ['core', 'ports', 'topology'],
  workers: ['core', 'domains', 'ports', 'runtime', 'topology'],
  delta: ['core', 'ports'],
  http: ['core', 'ports'],
  adapters: ['core', 'ports', 'http', 'delta'],
  simulator: ['core', 'ports'],
  config: ['core'],
  app: [
    'core',
    'domains',
    'ports',
    'runtime',
    'workers',
    'delta',
    'http',
    'adapters',
    'simulator',
    'config',
    'topology'
  ],
  'delta-package': ['core', 'ports', 'delta', 'adapters'],
  cli: ['app', 'config', 'core', 'ports', 'topology'],
  index: ['app', 'config', 'core', 'ports', 'topology']
}

/** Packages from npm, by the folder that may use them. */
const packages: Readonly<Record<string, readonly string[]>> = {
  'adapters/azure-identity': ['@azure/identity'],
  'adapters/duckdb': ['@duckdb/node-api'],
  'adapters/kafka': ['@platformatic/kafka'],
  'adapters/oauth': ['undici'],
  'adapters/claimx-http': ['undici'],
  'adapters/http-files': ['undici'],
  config: ['yaml']
}

/** Files above 400 lines, each with the reason why it is not split. */
const longFiles: Readonly<Record<string, string>> = {}

interface SourceFile {
  /** Below `src`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[]
}

const sources: readonly SourceFile[] = globSync('src/**/*.ts', { cwd: root })
  .map(path => normalize(path).replace(/^src\//, ''))
  .sort()
  .map(path => {
    const text = readFileSync(join(root, 'src', path), 'utf8')
    return { path, text, imports: importsOf(text) }
  })

function importsOf(text: string): { from: string; typeOnly: boolean }[] {
  const pattern = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/g
  const found = [...text.matchAll(pattern)].map(match => ({
    from: match[3] ?? '',
    typeOnly: match[2] !== undefined
  }))
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)]
  return [...found, ...dynamic.map(match => ({ from: match[1] ?? '', typeOnly: false }))]
}

function areaOf(path: string): string {
  return (path.split('/')[0] ?? path).replace(/\.ts$/, '')
}

/** Adapters are areas of their own among each other. */
function partOf(path: string): string {
  const [area = '', part = ''] = path.split('/')
  return area === 'adapters' ? `${area}/${part}` : area.replace(/\.ts$/, '')
}

function relativeImports(file: SourceFile): { target: string; from: string }[] {
  return file.imports
    .filter(item => item.from.startsWith('.'))
    .map(item => ({ from: item.from, target: normalize(join(dirname(file.path), item.from)) }))
}

/** Text without comments and strings, so that words in prose do not count. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replaceAll(/(^|[^:])\/\/.*$/gm, '$1')
}

describe('architecture', () => {
  it('has sources to look at, and knows every area', () => {
    assert.ok(sources.length > 50)
    const unknown = new Set(sources.map(file => areaOf(file.path)))
    assert.deepEqual(
      [...unknown].filter(area => importTable[area] === undefined),
      []
    )
  })

  it('imports only what the table allows', () => {
    const wrong: string[] = []
    for (const file of sources) {
      for (const { target } of relativeImports(file)) {
        const own = partOf(file.path)
        if (partOf(target) === own) continue
        const allowed = importTable[areaOf(file.path)]?.includes(areaOf(target)) === true
        if (!allowed) wrong.push(`${file.path} imports ${target}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('lets only the two adapters on top of the Delta engine import it', () => {
    const users = sources
      .filter(file => file.path.startsWith('adapters/'))
      .filter(file => relativeImports(file).some(item => item.target.startsWith('delta/')))
      .map(file => partOf(file.path))
    assert.deepEqual(
      [...new Set(users)].filter(
        part => !['adapters/delta-tables', 'adapters/duckdb'].includes(part)
      ),
      []
    )
  })

  it('keeps the pipeline out of the Delta package, so that it loads no more than it needs', () => {
    const wanted = ['duckdb', 'local-files', 'memory', 'system'].map(name => `adapters/${name}`)
    const wrong = sources
      .filter(file => file.path.startsWith('delta-package/'))
      .flatMap(file => relativeImports(file).map(item => partOf(item.target)))
      .filter(part => part.startsWith('adapters/') && !wanted.includes(part))
    assert.deepEqual(wrong, [])
  })

  it('lets the Delta engine import only its storage and time ports', () => {
    const ports = sources
      .filter(file => file.path.startsWith('delta/'))
      .flatMap(file => relativeImports(file).map(item => item.target))
      .filter(target => target.startsWith('ports/'))
    const allowed = new Set(['ports/object-store.ts', 'ports/clock.ts', 'ports/index.ts'])
    assert.deepEqual(
      ports.filter(target => !allowed.has(target)),
      []
    )
  })

  it('enters another area through its door only', () => {
    const wrong: string[] = []
    for (const file of sources) {
      for (const { target } of relativeImports(file)) {
        const part = partOf(target)
        if (part === partOf(file.path) || !target.includes('/')) continue
        const inDomain = /^domains\/[^/]+\/index\.ts$/.test(target)
        const portsFile = part === 'ports' && file.path.startsWith('delta/')
        const adapterPort = part === 'ports' && /^ports\/[\w-]+\.ts$/.test(target)
        if (target === `${part}/index.ts` || inDomain || portsFile || adapterPort) continue
        wrong.push(`${file.path} imports ${target}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('has no import cycle', () => {
    const graph = new Map(
      sources.map(file => [
        file.path,
        file.imports
          .filter(item => item.from.startsWith('.') && !item.typeOnly)
          .map(item => normalize(join(dirname(file.path), item.from)))
      ])
    )
    const done = new Set<string>()
    const visit = (path: string, trail: readonly string[]): void => {
      if (done.has(path)) return
      assert.ok(!trail.includes(path), `cycle: ${[...trail, path].join(' > ')}`)
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
  })

  it('uses packages from npm only where they belong', () => {
    const wrong: string[] = []
    for (const file of sources) {
      for (const { from } of file.imports) {
        if (from.startsWith('.') || from.startsWith('node:')) continue
        const allowed = packages[partOf(file.path)] ?? packages[areaOf(file.path)] ?? []
        if (!allowed.includes(from)) wrong.push(`${file.path} imports ${from}`)
      }
    }
    assert.deepEqual(wrong, [])
  })

  it('reads the environment in config only', () => {
    const readers = sources
      .filter(file => areaOf(file.path) !== 'config' && /\bprocess\.env\b/.test(codeOf(file.text)))
      .map(file => file.path)
    assert.deepEqual(readers, [])
  })

  it('takes time and randomness from ports, outside the folders that may not', () => {
    const exempt = ['adapters/system/', 'simulator/', 'cli/']
    const pattern = /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)|\brandomUUID\(/
    const stopwatch = /\bperformance\.now\(/
    const wrong = sources
      .filter(file => !exempt.some(prefix => file.path.startsWith(prefix)))
      .filter(({ path, text }) => {
        const code = codeOf(text)
        return pattern.test(code) || (!path.startsWith('adapters/') && stopwatch.test(code))
      })
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })

  it('sets timers only in adapters, whose I/O needs them', () => {
    const exempt = ['adapters/', 'simulator/', 'cli/']
    const wrong = sources
      .filter(file => !exempt.some(prefix => file.path.startsWith(prefix)))
      .filter(file => /\bset(?:Timeout|Interval)\(|timers\/promises/.test(codeOf(file.text)))
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })

  it('never writes to the console', () => {
    const wrong = sources
      .filter(file => /\bconsole\./.test(codeOf(file.text)))
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })

  it('checks at run time with errors of its own, never with assert', () => {
    const wrong = sources
      .filter(
        ({ text, imports }) =>
          imports.some(({ from }) => from.startsWith('node:assert')) ||
          /\bassert\(/.test(codeOf(text))
      )
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })

  it('lets no worker send records itself: rows go to tables, records to the loop', () => {
    const wrong = sources
      .filter(file => file.path.startsWith('workers/'))
      .filter(({ text }) => /\bproducer\b|\.send\(/.test(codeOf(text)))
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })

  it('keeps files below 400 lines', () => {
    const long = sources
      .filter(file => file.text.split('\n').length > 400 && longFiles[file.path] === undefined)
      .map(file => `${file.path}: ${file.text.split('\n').length}`)
    assert.deepEqual(long, [])
  })

  it('names files in kebab case', () => {
    const wrong = sources.filter(file => !/^[a-z0-9-]+(\/[a-z0-9-]+)*\.ts$/.test(file.path))
    assert.deepEqual(
      wrong.map(file => file.path),
      []
    )
  })

  it('has no default exports and no unfinished marks', () => {
    const wrong = sources
      .filter(
        file => /^export default\b/m.test(file.text) || /\b(TODO|FIXME|XXX)\b/.test(file.text)
      )
      .map(file => file.path)
    assert.deepEqual(wrong, [])
  })
})
