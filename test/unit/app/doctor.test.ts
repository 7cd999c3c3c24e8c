import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { diagnose } from '../../../src/app/doctor.ts'
import { loadConfig } from '../../../src/config/index.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'doctor-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const examine = async (dataDir: string) => {
  const found = await diagnose(loadConfig({ environment: {}, overrides: { dataDir } }))
  return new Map(found.map(one => [one.name, one]))
}

describe('doctor', () => {
  it('finds what works, says what is still to do, and leaves no probe behind', async () => {
    const found = await examine(dir)
    for (const name of ['Node', 'data directory', 'tables path', 'Delta and DuckDB']) {
      assert.equal(found.get(name)?.state, 'ok', name)
    }
    assert.equal(found.get('message log')?.state, 'warning')
    assert.match(found.get('message log')?.remedy ?? '', /topics create/)
    assert.match(found.get('ClaimX API')?.remedy ?? '', /CLAIMX_API_TOKEN/)
    assert.deepEqual(
      readdirSync(dir).filter(name => name.includes('doctor')),
      []
    )
  })

  it('goes on after a failure, and gives each one a remedy', async () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    const found = await examine(file)
    assert.equal(found.get('data directory')?.state, 'failed')
    assert.equal(found.get('message log')?.state, 'failed')
    assert.equal(found.get('Node')?.state, 'ok')
    for (const { state, remedy, name } of found.values()) {
      if (state === 'failed') assert.notEqual(remedy, '', name)
    }
  })
})
