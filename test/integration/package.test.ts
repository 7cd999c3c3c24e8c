/** What `npm pack` makes, installed into an empty directory, works there. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'

/** The environment of a person's shell: nothing of the surrounding `npm test`. */
const shell = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|NODE_(OPTIONS|TEST_CONTEXT)$|CLAIMS_|CI$|INIT_CWD$)/i.test(name)
  )
)

function run(command: string, args: readonly string[], cwd: string) {
  const result = spawnSync(command, args, { cwd, env: shell, encoding: 'utf8', timeout: 120_000 })
  const output = `${result.stdout}\n${result.stderr}`
  return { status: result.status, stdout: result.stdout, output }
}

describe('packed package', () => {
  let dir: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'packed-'))
    const packed = run(npm, ['pack', '--pack-destination', dir, '--json'], root)
    assert.equal(packed.status, 0, packed.output)
    const [archive] = spawnSync('ls', [dir], { encoding: 'utf8' }).stdout.trim().split('\n')
    writeFileSync(
      join(dir, 'package.json'),
      '{ "name": "empty", "private": true, "type": "module" }'
    )
    const installed = run(npm, ['install', '--no-audit', '--no-fund', `./${archive}`], dir)
    assert.equal(installed.status, 0, installed.output)
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  it('contains compiled code, types and documents, and no sources, tests or machine paths', () => {
    const home = join(dir, 'node_modules/claims-pipeline')
    const files = spawnSync('find', ['.', '-type', 'f'], { cwd: home, encoding: 'utf8' }).stdout
    for (const wanted of [
      './dist/index.js',
      './dist/index.d.ts',
      './dist/delta-package/index.d.ts',
      './LICENSE'
    ]) {
      assert.ok(files.includes(wanted), wanted)
    }
    assert.doesNotMatch(files, /\.\/(src|test|scripts|node_modules)\//)
    assert.ok(!readFileSync(join(home, 'package.json'), 'utf8').includes(root))
  })

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const result = run('npx', ['claims-pipeline', '--version'], dir)
    assert.equal(result.stdout.trim(), version, result.output)
  })

  it('runs the demo, and reads a table the way the report says', () => {
    const demo = run(
      'npx',
      [
        'claims-pipeline',
        'demo',
        '--exit',
        '--events',
        '200',
        '--projects',
        '20',
        '--report',
        'r.json'
      ],
      dir
    )
    assert.equal(demo.status, 0, demo.output)
    const report = JSON.parse(readFileSync(join(dir, 'r.json'), 'utf8'))
    assert.equal(report.ok, true)
    assert.equal(report.events, 200)
    const hint = /npx (claims-pipeline tables read .*)$/m.exec(demo.stdout)?.[1] ?? ''
    const read = run('npx', hint.split(' '), dir)
    assert.equal(read.status, 0, read.output)
    assert.equal(read.stdout.trim().split('\n').length, 5)
  })

  /** Compiles a file of the project with the strictest options, then runs it. */
  function compileAndRun(file: string): string {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const options = ['--module', 'nodenext', '--target', 'esnext', '--strict', '--types', 'node']
    const strict = ['--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess']
    const roots = ['--typeRoots', join(root, 'node_modules/@types')]
    const all = [tsc, '--noEmit', ...options, ...strict, ...roots, file]
    const types = run(process.execPath, all, dir)
    assert.equal(types.status, 0, types.output)
    const ran = run(process.execPath, [file], dir)
    assert.equal(ran.status, 0, ran.output)
    return ran.stdout
  }

  it('can be imported, with types that resolve', () => {
    writeFileSync(
      join(dir, 'use.ts'),
      `import { loadConfig, openPipeline, type Pipeline } from 'claims-pipeline'
const open: (...args: Parameters<typeof openPipeline>) => Promise<Pipeline> = openPipeline
const config = loadConfig({ environment: {} })
if (config.api.maxConcurrent !== 20 || typeof open !== 'function') throw new Error('wrong')
`
    )
    compileAndRun('use.ts')
  })

  it('gives a Delta table to plain JavaScript in three lines', () => {
    writeFileSync(
      join(dir, 'delta.js'),
      `import { openDelta } from 'claims-pipeline/delta'
const lake = await openDelta({ root: './lake' })
const media = await lake.openOrCreate('media', { columns: { id: 'string', name: 'string' } })
await media.merge([{ id: '7', name: 'roof.jpg' }], { keys: ['id'] })
await lake.close()
`
    )
    const ran = run(process.execPath, ['delta.js'], dir)
    assert.equal(ran.output.trim(), '')
    assert.equal(ran.status, 0)
    const read = run('npx', ['claims-pipeline', 'tables', 'read', 'lake/media'], dir)
    assert.equal(read.stdout, '{"id":"7","name":"roof.jpg"}\n', read.output)
  })

  it('gives typed rows to TypeScript, and refuses wrong ones before they run', () => {
    writeFileSync(
      join(dir, 'delta.ts'),
      `import { DeltaError, isDeltaError, memoryObjectStore, type ObjectStore, openDelta } from 'claims-pipeline/delta'
const store: ObjectStore = memoryObjectStore()
await using lake = await openDelta({ store })
const media = await lake.openOrCreate('media', {
  columns: { id: { type: 'string', nullable: false }, bytes: 'long', taken: 'timestamp' }
})
await media.merge([{ id: '7', bytes: 5 }], { keys: ['id'], policies: { bytes: 'coalesce' } })
const [row] = await media.read({ columns: ['id', 'bytes'] })
const id: string = row?.id ?? ''
const bytes: number | bigint | null = row?.bytes ?? null
// @ts-expect-error a column that was not read
void row?.taken
// @ts-expect-error a value of another type
const wrong = media.append([{ id: 7 }])
// @ts-expect-error a key that is no column
const noKey = media.merge([], { keys: ['media_id'] })
for (const call of [wrong, noKey]) {
  const error = await call.catch((reason: unknown) => reason)
  if (!(error instanceof DeltaError) || !isDeltaError(error, 'DELTA_SCHEMA_MISMATCH')) throw error
}
process.stdout.write(id + ' ' + bytes)
`
    )
    assert.equal(compileAndRun('delta.ts'), '7 5')
  })

  it('loads nothing of the pipeline for its Delta tables', () => {
    writeFileSync(
      join(dir, 'loaded.js'),
      `import { registerHooks } from 'node:module'
const loaded = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  }
})
await import('claims-pipeline/delta')
const pipeline = ["undici", "yaml", "dist/app/", "dist/workers/", "dist/domains/"]
const unwanted = loaded.filter(url => pipeline.some(part => url.includes(part)))
process.stdout.write(unwanted.join() + loaded.length)
`
    )
    const ran = run(process.execPath, ['loaded.js'], dir)
    assert.match(ran.stdout, /^\d\d+$/, ran.output)
  })
})
