import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { blockLines, plainLine } from '../../../src/cli/demo-screen.ts'
import { createStyle } from '../../../src/cli/style.ts'
import { workerNames } from '../../../src/topology.ts'

const progress = {
  phase: 'working' as const,
  fed: 1_000_000,
  events: 2_000_000,
  seconds: 12.34,
  workers: [],
  lags: [],
  apiCalls: 1234,
  apiState: 'unauthorized'
}
const views = workerNames.map(worker => ({
  worker,
  handled: 1_234_567,
  lag: 765_432,
  retried: 12_345,
  dead: 1_234,
  state: 'waiting',
  rate: 1234
}))

describe('live screen of the demo', () => {
  it('has no line wider than the terminal, however large the figures are', () => {
    for (const width of [60, 80, 100]) {
      for (const line of blockLines(progress, views, width, createStyle(true))) {
        const text = stripVTControlCharacters(line)
        assert.ok(text.length <= width, `${text.length} of ${width}: ${text}`)
      }
    }
  })

  it('shows what is done and what waits, and that the API holds things up', () => {
    const lines = blockLines(progress, views, 100, createStyle(false))
    assert.match(lines.join('\n'), /1,000,000 of 2,000,000 events fed, 12\.3 s/)
    assert.match(lines.join('\n'), /API unauthorized/)
    assert.match(lines.at(-1) ?? '', /1,234,567 .*765,432 waiting/)
    assert.equal(lines.join('').includes('\u001b'), false)
  })

  it('writes for a pipe one plain line', () => {
    const line = plainLine(progress, views)
    assert.match(line, /^ 12 s {2}1000000\/2000000 events fed; done: ingester 1234567, /)
    assert.doesNotMatch(line, /\u001b|\n/)
    assert.match(plainLine({ ...progress, phase: 'checking' }, views), /^checking /)
  })
})
