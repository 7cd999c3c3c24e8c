/**
 * `tables read PATH`: what the command prints of a table that another engine wrote is by value what the
 * engine reads, for every type, at old versions too; what cannot be read exits 1 and says why.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openLocalFiles } from '../../src/adapters/local-files/index.ts'
import { DeltaTable } from '../../src/delta/index.ts'
import { parquetRows, readingOf } from '../helpers/canonical.ts'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { rowsOfNdjson } from '../helpers/ndjson.ts'
import { runCli } from '../helpers/run-cli.ts'
import { unpack } from '../helpers/tar.ts'

const shared = join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata')
const own = join(import.meta.dirname, '..', 'golden', 'tables')

/** What a refusal must name. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'deltalog-invalid-protocol-version': /reader version 99/,
  'deltalog-state-reconstruction-from-checkpoint-missing-metadata': /metaData/,
  'deltalog-state-reconstruction-from-checkpoint-missing-protocol': /protocol/,
  'deltalog-state-reconstruction-without-metadata': /metaData/,
  'deltalog-state-reconstruction-without-protocol': /protocol/,
  'no-delta-log-folder': /no Delta table/,
  'versions-not-contiguous': /commit 1 is missing/,
  'types-variant': /variant/,
  'types-void': /void/
}
/** Logs alone, without the files that they name. */
const WITHOUT_DATA = /^(canonicalized-paths|deltalog-commit-info|log-replay-special-characters-b$)/

let delta: TestDelta
let scratch: string
before(async () => {
  delta = await openTestDelta()
  scratch = await mkdtemp(join(tmpdir(), 'tables-read-'))
})
after(async () => {
  await delta[Symbol.asyncDispose]()
  await rm(scratch, { recursive: true, force: true })
})

async function compare(path: string): Promise<void> {
  const root = join(path, '..')
  const store = openLocalFiles({ root })
  const table = await DeltaTable.open('delta', delta.over(store), delta.options)
  const { version: newest } = await table.snapshot()
  for (const version of [...new Set([newest, await older(table, newest)])]) {
    const { fields } = await table.snapshot(version)
    const expected = await readingOf(table, join(scratch, 'expected.parquet'), version)
    const words = ['tables', 'read', path, '--version', String(version)]
    const printed = await runCli(...words, '--format', 'ndjson')
    assert.equal(printed.code, 0, printed.err)
    assert.deepEqual(rowsOfNdjson(printed.out, fields), expected.rows, `version ${version}`)
    if (version !== newest || fields.length === 0) continue
    const file = join(scratch, 'out.ndjson')
    const written = await runCli(...words, '--format', 'ndjson', '--out', file)
    assert.equal(written.code, 0, written.err)
    assert.deepEqual(rowsOfNdjson(readFileSync(file, 'utf8'), fields), expected.rows)
    const parquet = join(scratch, 'out.parquet')
    assert.equal((await runCli(...words, '--format', 'parquet', '--out', parquet)).code, 0)
    assert.deepEqual(await parquetRows(parquet, fields), expected.rows)
    const shown = await runCli(...words, '--format', 'table', '--limit', '3')
    assert.equal(shown.code, 0, shown.err)
  }
  await table.close()
  await store.close()
}

/** The oldest version that can still be read. */
async function older(table: DeltaTable, newest: number): Promise<number> {
  for (let version = 0; version < newest; version++) {
    const rows = table.read({ version, limit: 1 })
    if ((await rows.catch(() => undefined)) !== undefined) return version
  }
  return newest
}

async function refused(path: string, reason: RegExp): Promise<void> {
  const { code, out, err } = await runCli('tables', 'read', path, '--format', 'ndjson')
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, reason)
}

function archives(directory: string): void {
  for (const archive of readdirSync(directory).filter(file => file.endsWith('.tar.zst'))) {
    const name = archive.slice(0, -'.tar.zst'.length)
    if (WITHOUT_DATA.test(name)) continue
    const reason = REFUSED[name]
    test(`${name}: ${reason === undefined ? 'printed as it is read' : 'refused'}`, async () => {
      const target = join(scratch, name)
      unpack(join(directory, archive), target)
      const inner = existsSync(join(target, name)) ? join(target, name) : target
      const path = join(inner, 'delta')
      await (reason === undefined ? compare(path) : refused(path, reason))
    })
  }
}

describe('tables read: golden tables of our own', () => archives(own))

const missing = existsSync(shared) ? false : 'not on this machine'
describe('tables read: golden tables of delta-kernel-rs and of DAT', { skip: missing }, () => {
  if (missing !== false) return
  archives(join(shared, 'delta-golden'))
  for (const name of readdirSync(join(shared, 'dat'))) {
    test(`${name}: printed as it is read`, () => compare(join(shared, 'dat', name, 'delta')))
  }
})
