/**
 * Random histories of a table with several writers, failing stores and dying processes, against a model:
 * see README.md. Other seeds every time; the ones that fail are printed, smallest form included.
 */
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { play } from './delta-sequences/play.ts'
import { programOf } from './delta-sequences/program.ts'
import { playSeeds } from './delta-sequences/seeds.ts'

const SECONDS = 40

test('whatever writers do and stores fail to do, each version holds what the model says', async t => {
  const given = process.env['CLAIMS_TEST_SEED']
  const first = given === undefined ? randomInt(1, 2 ** 31) : Number(given)
  const said: string[] = []
  const report = await playSeeds({
    first,
    count: 5000,
    seconds: SECONDS,
    failures: 1,
    say: text => {
      said.push(text)
      t.diagnostic(text)
    }
  })
  assert.deepEqual(report.failed, [], said.join('\n'))
  assert.ok(report.versions > 0)
})

test('a seed gives the same history every time', async () => {
  for (const seed of [7, 19, 33]) {
    const [one, other] = [await play(programOf(seed)), await play(programOf(seed))]
    assert.ok(one.world.newest > 0)
    assert.deepEqual(textsOf(one.world.objects), textsOf(other.world.objects))
  }
})

function textsOf(objects: ReadonlyMap<string, { readonly bytes: Uint8Array }>): string[] {
  return [...objects].map(
    ([path, { bytes }]) => `${path}\n${Buffer.from(bytes).toString('latin1')}`
  )
}
