import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from '../../../src/cli/nearest.ts'
import { cellLine, cellText, withTimes } from '../../../src/cli/row-format.ts'
import { humanBytes, textTable } from '../../../src/cli/text-table.ts'

describe('text of the command line', () => {
  it('aligns columns and cuts the widest so that a line fits', () => {
    const columns = [{ header: 'NAME' }, { header: 'N', align: 'right' as const }]
    assert.deepEqual(
      textTable(columns, [
        ['ab', '1'],
        ['abcdef', '12']
      ]),
      ['NAME     N', 'ab       1', 'abcdef  12']
    )
    for (const line of textTable(columns, [['x'.repeat(200), '1']], 40))
      assert.ok(line.length <= 40)
  })

  it('lets no control character of data reach the terminal', () => {
    assert.equal(cellText('a\u001b[2Jb\nc\u202ed'), 'a·[2Jb·c·d')
    assert.equal(cellText(null), '–')
  })

  it('writes integers exactly and times as ISO text', () => {
    const row = { id: 9007199254740993n, at: 1_000_001n, local: -1n, text: 'ü' }
    const columns = [
      { name: 'at', type: 'timestamp' },
      { name: 'local', type: 'timestamp_ntz' }
    ]
    assert.equal(
      cellLine(withTimes(row, columns)),
      '{"id":9007199254740993,"at":"1970-01-01T00:00:01.000001Z","local":"1969-12-31T23:59:59.999999","text":"ü"}'
    )
  })

  it('writes numbers that JSON lacks as text, and the sign of a zero', () => {
    const line = cellLine({ a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: -0, d: 0, e: 1.5 })
    assert.equal(line, '{"a":"NaN","b":"-Infinity","c":-0.0,"d":0,"e":1.5}')
  })

  it('finds the word that is meant, and none when nothing is near', () => {
    assert.equal(nearest('enrcher', ['enricher', 'ingester']), 'enricher')
    assert.equal(nearest('lga', ['lag', 'run']), 'lag')
    assert.equal(nearest('frobnicate', ['lag', 'run']), undefined)
  })

  it('shows sizes in the unit that a person would use', () => {
    assert.equal(humanBytes(999), '999 B')
    assert.equal(humanBytes(8_527_681), '8.53 MB')
  })
})
