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
      './dist/delta/index.d.ts',
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

  it('can be imported, with types that resolve', () => {
    writeFileSync(
      join(dir, 'use.ts'),
      `import { loadConfig, openPipeline, type Pipeline } from 'claims-pipeline'
import { DeltaTable } from 'claims-pipeline/delta'
const open: (...args: Parameters<typeof openPipeline>) => Promise<Pipeline> = openPipeline
const config = loadConfig({ environment: {} })
if (config.api.maxConcurrent !== 20 || typeof open !== 'function') throw new Error('wrong')
if (typeof DeltaTable.open !== 'function') throw new Error('wrong')
`
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const options = ['--module', 'nodenext', '--strict', '--skipLibCheck', '--types', 'node']
    const roots = ['--typeRoots', join(root, 'node_modules/@types')]
    const types = run(process.execPath, [tsc, '--noEmit', ...options, ...roots, 'use.ts'], dir)
    assert.equal(types.status, 0, types.output)
    const ran = run(process.execPath, ['use.ts'], dir)
    assert.equal(ran.status, 0, ran.output)
  })
})
