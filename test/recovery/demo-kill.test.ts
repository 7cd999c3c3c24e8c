import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { differences, killDemo } from './kill-demo.ts'

describe('kill -9 of the whole demo', () => {
  it('loses nothing and doubles nothing, whenever it strikes (D7)', {
    timeout: 300_000
  }, async t => {
    const seed = Date.now() % 100_000
    t.diagnostic(`seed ${seed}`)
    const result = await killDemo({
      kills: 3,
      seed,
      events: 300,
      projects: 30,
      faults: 'light',
      log: line => t.diagnostic(line)
    })
    assert.equal(result.kills, 3)
    assert.ok(result.killed.length > 0)
    assert.deepEqual(differences(result), [], `seed ${seed}`)
  })
})
