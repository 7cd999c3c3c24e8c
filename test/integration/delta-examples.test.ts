/** The examples of the Delta package print what they promise, and its README is a program that works. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const quiet = '--disable-warning=ExperimentalWarning'
/** Has `claims-pipeline/delta` mean the sources, so that nothing needs to be built. */
const sources = '--conditions=claims-pipeline-source'

const printed: Readonly<Record<string, readonly string[]>> = {
  'quick-start.ts': ['version 2: 1 inserted, 1 updated', 'version 1 had 2 rows'],
  'upsert-stream.ts': [
    "{ task_id: 'a', status: 'DONE', assignee: 'Kim', escalated: null }",
    "{ task_id: 'c', status: 'OPEN', assignee: null, escalated: true }"
  ],
  'exactly-once.ts': ['10 events, position 10', 'refused: DELTA_TRANSACTION_CONFLICT'],
  'time-travel.ts': [
    'version 1: 900',
    'version 2: 1050',
    'version 3: 159',
    'update_preimage roof 900',
    'update_postimage roof 9',
    'restored as version 4: 1050',
    'there is no version 99'
  ],
  'maintenance.ts': [
    '20 files became 1',
    '20 files to delete, 20 deleted',
    'checkpoint of version 21',
    '2000 rows in 1 file(s), 0 problems'
  ],
  'own-object-store.ts': [
    'problems: []',
    "[ { id: '1', note: 'in SQLite' } ] at sqlite:tables.sqlite/notes",
    "[ 'notes' ]"
  ]
}

describe('examples of the Delta package', () => {
  let dir: string

  /** A project that has this package as a dependency. */
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'delta-examples-'))
    mkdirSync(join(dir, 'node_modules/@types'), { recursive: true })
    symlinkSync(root, join(dir, 'node_modules/claims-pipeline'))
    symlinkSync(join(root, 'node_modules/@types/node'), join(dir, 'node_modules/@types/node'))
    writeFileSync(join(dir, 'package.json'), '{ "private": true, "type": "module" }')
    for (const file of globSync('examples/delta/*.ts', { cwd: root })) {
      cpSync(join(root, file), join(dir, basename(file)))
    }
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  /** Runs a file of the project in a directory of its own. */
  function runHere(args: readonly string[]): string {
    const cwd = mkdtempSync(join(dir, 'run-'))
    const options = { cwd, encoding: 'utf8', timeout: 120_000 } as const
    const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    assert.equal(stderr, '')
    return stdout
  }

  it('has each example in this test', () => {
    const files = globSync('examples/delta/*.ts', { cwd: root }).map(file => basename(file))
    assert.deepEqual(files.sort(), Object.keys(printed).sort())
  })

  for (const [file, lines] of Object.entries(printed)) {
    it(`${file} prints what it promises`, () => {
      const output = runHere([quiet, sources, join('..', file)]).split('\n')
      const found = output.filter(line => lines.includes(line))
      assert.deepEqual(found, lines, output.join('\n'))
    })
  }

  it('has a README whose parts are one program that compiles and prints what is written there', () => {
    const text = readFileSync(join(root, 'docs/delta/README.md'), 'utf8')
    const parts = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(match => match[1] ?? '')
    assert.ok(parts.length >= 12, `${parts.length} parts`)
    const program = parts.join('\n')
    writeFileSync(join(dir, 'readme.ts'), program)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const project = ['--noEmit', '--module', 'nodenext', '--target', 'esnext', '--types', 'node']
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--allowImportingTsExtensions']
    runHere([
      tsc,
      ...project,
      ...strict,
      '--customConditions',
      'claims-pipeline-source',
      '../readme.ts'
    ])
    const promised = [...program.matchAll(/\/\/ → (.*)$/gm)].map(match => match[1])
    assert.ok(promised.length >= 12, `${promised.length} promises`)
    assert.deepEqual(runHere([quiet, sources, '../readme.ts']).trimEnd().split('\n'), promised)
  })
})
