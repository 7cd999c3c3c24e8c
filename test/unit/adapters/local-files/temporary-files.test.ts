import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { openLocalFiles } from '../../../../src/adapters/local-files/index.ts'
import {
  isTemporary,
  sweepTemporaries,
  temporaryName
} from '../../../../src/adapters/local-files/temporary-files.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function inDirectory(use: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'temporary-files-'))
  try {
    await use(root)
  } finally {
    await rm(root, { recursive: true })
  }
}

async function left(root: string, name: string, age: number): Promise<string> {
  await mkdir(join(root, 'table', 'log'), { recursive: true })
  const path = join(root, 'table', 'log', name)
  await writeFile(path, 'half')
  const written = (Date.now() - age) / 1000
  await utimes(path, written, written)
  return path
}

async function sweptNames(root: string): Promise<string[]> {
  await sweepTemporaries(root, Date.now(), new AbortController().signal)
  return await readdir(join(root, 'table', 'log'))
}

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

describe('temporary files', () => {
  test('have names of their own, which tell them from objects', () => {
    const names = [0, 1, 2].map(temporaryName)
    assert.equal(new Set(names).size, 3)
    assert.deepEqual(names.map(isTemporary), [true, true, true])
    assert.deepEqual(['.tmp', '.tmp-1-2', '.tmp-1-2-3.json', 'x.tmp-1-2-3'].map(isTemporary), [
      false,
      false,
      false,
      false
    ])
  })

  test('of a process that is gone are removed, but not at once', () =>
    inDirectory(async root => {
      const dead = await deadProcess()
      await left(root, `.tmp-${dead}-1-1`, HOUR)
      await left(root, `.tmp-${dead}-1-2`, MINUTE)
      await left(root, 'object', HOUR)
      assert.deepEqual(await sweptNames(root), [`.tmp-${dead}-1-2`, 'object'])
    }))

  test('of an earlier process with the same id are removed', () =>
    inDirectory(async root => {
      const before =
        process.hrtime.bigint() - BigInt(Math.ceil(process.uptime() * 1e9)) - 1_000_000n
      await left(root, `.tmp-${process.pid}-${before}-0`, HOUR)
      await left(root, `.tmp-${process.pid}-${process.hrtime.bigint() + 10n ** 15n}-0`, HOUR)
      assert.deepEqual(await sweptNames(root), [])
    }))

  test('of living processes stay', () =>
    inDirectory(async root => {
      const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
        stdio: ['pipe', 'ignore', 'ignore']
      })
      try {
        const names = [temporaryName(0), `.tmp-${child.pid}-1-1`].sort()
        for (const name of names) await left(root, name, HOUR)
        assert.deepEqual(await sweptNames(root), names)
      } finally {
        child.stdin.end()
        await once(child, 'exit')
      }
    }))

  test('that nobody has written to for a day are removed, whoever has the process id now', () =>
    inDirectory(async root => {
      await left(root, `.tmp-${process.ppid}-1-1`, 25 * HOUR)
      assert.deepEqual(await sweptNames(root), [])
    }))

  test(
    'are swept when a store is first written to, and not by reading it',
    { timeout: 30_000 },
    () =>
      inDirectory(async root => {
        const path = await left(root, `.tmp-${await deadProcess()}-1-1`, HOUR)
        const store = openLocalFiles({ root })
        await store.head('table/log/1')
        for await (const info of store.list('')) assert.fail(`${info.path} is no object`)
        assert.ok(existsSync(path))
        await store.put('other/1', Buffer.from('x'))
        while (existsSync(path)) await setImmediate()
        await store.close()
      })
  )
})
