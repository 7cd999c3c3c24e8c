import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { defaultScenario } from '../../../src/app/demo/demo-options.ts'
import { beginDemo, writeState } from '../../../src/app/demo/demo-state.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'demo-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const other = { ...defaultScenario, events: 77 }

function leaveData(): void {
  mkdirSync(join(dir, 'tables'))
  mkdirSync(join(dir, 'key-index'))
  writeFileSync(join(dir, 'log.sqlite-wal'), '')
}

describe('state of a demo', () => {
  it('goes on with its data, port and the next run number after an interruption', () => {
    const first = beginDemo(dir, defaultScenario, false)
    writeState(dir, { ...first, port: 4711 })
    leaveData()
    const second = beginDemo(dir, defaultScenario, false)
    assert.equal(second.runs, 2)
    assert.equal(second.port, 4711)
    assert.ok(existsSync(join(dir, 'tables')))
  })

  it('starts clean after a completed run, but leaves files of others alone', () => {
    const first = beginDemo(dir, defaultScenario, false)
    leaveData()
    writeFileSync(join(dir, 'mine.txt'), '')
    writeState(dir, { ...first, phase: 'completed' })
    const second = beginDemo(dir, other, false)
    assert.equal(second.runs, 1)
    assert.ok(!existsSync(join(dir, 'tables')))
    assert.ok(!existsSync(join(dir, 'log.sqlite-wal')))
    assert.ok(!existsSync(join(dir, 'key-index')))
    assert.ok(existsSync(join(dir, 'mine.txt')))
  })

  it('refuses an interrupted demo with other options, unless nobody chose the directory', () => {
    beginDemo(dir, defaultScenario, false)
    leaveData()
    assert.throws(() => beginDemo(dir, other, false), {
      code: 'USAGE',
      message: /holds an interrupted demo with other options \(--events 2000/
    })
    assert.ok(existsSync(join(dir, 'tables')))
    assert.equal(beginDemo(dir, other, true).runs, 1)
    assert.ok(!existsSync(join(dir, 'tables')))
  })

  it('refuses a directory that is not empty and holds no demo', () => {
    leaveData()
    assert.throws(() => beginDemo(dir, defaultScenario, false), { code: 'USAGE' })
    assert.ok(existsSync(join(dir, 'tables')))
  })
})
