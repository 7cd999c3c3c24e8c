/**
 * Golden tables of delta-io/delta-kernel-rs, written by many versions of Spark: compared by value with the
 * rows that come with them, by their files where the table is a log alone, or refused with the right code.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { DeltaTable } from '../../src/delta/index.ts'
import { openTestDelta } from '../helpers/delta.ts'
import { normalised } from '../helpers/parquet-values.ts'
import { unpack } from '../helpers/tar.ts'

const directory = join(import.meta.dirname, '..', '..', '..', 'shared', 'testdata', 'delta-golden')
const present = existsSync(directory)
if (!present) {
  if (process.env['CI'] === 'true') throw new Error('The golden tables are missing')
  process.stderr.write('SKIPPED: the golden tables are not on this machine\n')
}

const REFUSED: Readonly<Record<string, { code: string; message: RegExp }>> = {
  'deltalog-invalid-protocol-version': { code: 'DELTA_UNSUPPORTED', message: /reader version 99/ },
  'deltalog-state-reconstruction-from-checkpoint-missing-metadata': {
    code: 'DELTA_LOG_CORRUPT',
    message: /no metaData/
  },
  'deltalog-state-reconstruction-from-checkpoint-missing-protocol': {
    code: 'DELTA_LOG_CORRUPT',
    message: /no protocol/
  },
  'deltalog-state-reconstruction-without-metadata': {
    code: 'DELTA_LOG_CORRUPT',
    message: /no metaData/
  },
  'deltalog-state-reconstruction-without-protocol': {
    code: 'DELTA_LOG_CORRUPT',
    message: /no protocol/
  },
  'no-delta-log-folder': { code: 'DELTA_TABLE_NOT_FOUND', message: /no Delta table/ },
  'versions-not-contiguous': { code: 'DELTA_LOG_CORRUPT', message: /commit 1 is missing/ }
}

/** Logs without data: the active files. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  'canonicalized-paths-normal-a': [],
  'canonicalized-paths-normal-b': [],
  'canonicalized-paths-special-a': [],
  'canonicalized-paths-special-b': [],
  'deltalog-commit-info': ['abc'],
  'log-replay-special-characters-b': ['special p@#h']
}

/** Their expected rows were made in another time zone; the protocol says UTC (kernel-rs skips it too). */
const LOCAL_TIME = new Set(['data-reader-partition-values'])

describe('golden tables', { skip: present ? false : 'not on this machine' }, () => {
  const archives = present ? readdirSync(directory).filter(name => name.endsWith('.tar.zst')) : []
  for (const archive of archives.sort()) {
    const name = archive.slice(0, -'.tar.zst'.length)
    if (LOCAL_TIME.has(name)) continue
    const refusal = REFUSED[name]
    const files = FILES[name]
    const what = refusal ? 'refused' : files ? 'the same files' : 'the same rows'
    test(`${name}: ${what}`, async () => {
      await using delta = await openTestDelta()
      unpack(join(directory, archive), join(delta.root, 'tables'))
      const open = (): Promise<DeltaTable> =>
        DeltaTable.open(`${name}/delta`, delta.ports, delta.options)
      if (refusal !== undefined) {
        await assert.rejects(open, refusal)
        return
      }
      const table = await open()
      if (files !== undefined) {
        const snapshot = await table.snapshot()
        const paths = [...snapshot.files.values()].map(add => decodeURIComponent(add.path))
        assert.deepEqual(paths.sort(), files)
        return
      }
      const target = join(delta.root, 'ours.parquet')
      const rows = await table.export(target, 'parquet')
      const expected = join(delta.root, 'tables', name, 'expected', '*.parquet')
      const ours = await normalised(target)
      assert.deepEqual(ours, await normalised(expected))
      assert.equal(ours.length, rows)
      assert.equal(await table.countRows(), rows)
      await table.close()
    })
  }
})
