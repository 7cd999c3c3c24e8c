import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { commands } from '../../../src/cli/index.ts'
import { runCli as run } from '../../helpers/run-cli.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('command line', () => {
  it('tells its version and lists every command', async () => {
    const version = await run('--version')
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/)
    const help = await run('--help')
    assert.equal(help.code, 0)
    for (const command of commands) assert.ok(help.out.includes(`  ${command.name} `))
  })

  it('has help with examples for every command, within 80 columns but for examples', async () => {
    for (const command of commands) {
      const { code, out } = await run(...command.name.split(' '), '--help')
      assert.equal(code, 0, command.name)
      assert.match(out, /Examples:\n {2}claims-pipeline /, command.name)
      const [body = ''] = out.split('\nExamples:')
      for (const line of body.split('\n')) assert.ok(line.length <= 80, `${command.name}: ${line}`)
    }
  })

  it('exits 2 for what it does not understand, and suggests what is meant', async () => {
    const cases: [string[], RegExp][] = [
      [['tabels', 'list'], /Did you mean `tables list`/],
      [['claimx-enrichr'], /Did you mean `claimx-enricher`/],
      [
        ['tables'],
        /needs one of: list, show, history, read, changes, delete, update, alter, verify/
      ],
      [['lag', '--jsn'], /Did you mean --json\?/],
      [['tables', 'read'], /TABLE is missing/],
      [['lag', 'extra'], /Unexpected argument "extra"/],
      [['run', '--count', 'many'], /--count must be a whole number from 1 to 64/],
      [['run', '--worker', 'poller'], /--worker must be one of all, ingester/],
      [['run', '--domain', 'xact'], /not available in this release yet/],
      [['demo', '--faults', 'some'], /--faults must be one of none, light, heavy/],
      [['tables', 'read', 'x', '--format', 'parquet'], /needs --out/]
    ]
    for (const [words, text] of cases) {
      const { code, err, out } = await run(...words)
      assert.equal(code, 2, words.join(' '))
      assert.match(err, text, words.join(' '))
      assert.equal(out, '')
    }
  })

  it('exits 1 with what, where and what to do when a table is not there', async () => {
    const { code, err } = await run('tables', 'read', 'nope', '--data-dir', dir)
    assert.equal(code, 1)
    assert.match(err, /There is no Delta table "nope" in .*tables/)
    assert.match(err, /To do: .* \[DELTA_TABLE_NOT_FOUND\]/)
    assert.deepEqual(readdirSync(dir), [], 'looking creates nothing')
  })

  it('creates topics once, lists them and shows the lag, also as JSON', async () => {
    const first = await run('topics', 'create', '--data-dir', dir, '--json')
    assert.equal(first.code, 0, first.err)
    assert.equal(JSON.parse(first.out).created.length, 16)
    const again = await run('topics', 'create', '--data-dir', dir, '--json')
    assert.deepEqual(JSON.parse(again.out), { created: [], existing: 16 })
    const listed = JSON.parse((await run('topics', 'list', '--data-dir', dir, '--json')).out)
    assert.equal(listed.length, 16)
    const letters = listed.filter((topic: { name: string }) => topic.name.endsWith('.dlq'))
    assert.ok(letters.every((topic: { retentionMs: unknown }) => topic.retentionMs === null))
    const lag = JSON.parse((await run('lag', '--data-dir', dir, '--json')).out)
    assert.ok(lag.length > 0 && lag.every((row: { lag: number }) => row.lag === 0))
    const unknown = await run('topics', 'describe', 'claimx.events.row', '--data-dir', dir)
    assert.equal(unknown.code, 1)
    assert.match(unknown.err, /Did you mean claimx\.events\.raw\?/)
  })

  it('runs workers until all is drained, and exits 0', async () => {
    await run('topics', 'create', '--data-dir', dir)
    const words = ['run', '--worker', 'ingester,result-processor', '--until-idle', '0']
    const { code, err } = await run(...words, '--data-dir', dir)
    assert.equal(code, 0, err)
    assert.match(err, /workers stopped/)
  })

  it('says that the token is missing before a worker that needs it starts', async () => {
    await run('topics', 'create', '--data-dir', dir)
    const { code, err } = await run('claimx-enricher', '--data-dir', dir)
    assert.equal(code, 2)
    assert.match(err, /CLAIMX_API_TOKEN is not set/)
  })

  it('says which path cannot be used, without the stack of a defect', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    const demo = await run('demo', '--data-dir', file)
    assert.equal(demo.code, 2)
    assert.match(demo.err, /file cannot be a data directory \(EEXIST\)\. Give another one\.\n$/)
    const create = await run('topics', 'create', '--data-dir', file)
    assert.equal(create.code, 1)
    assert.match(create.err, /file cannot be used: .*\n {2}To do: Check the path/)
    const nowhere = join(dir, 'nowhere', 'x.parquet')
    const out = await run('tables', 'read', 'x', '--format', 'parquet', '--out', nowhere)
    assert.equal(out.code, 2)
    assert.match(out.err, /there is no directory .*nowhere/)
  })
})
