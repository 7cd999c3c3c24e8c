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
    const row = { id: 9007199254740993n, at: 1_000_001n, text: 'ü' }
    const line = cellLine(withTimes(row, ['at']))
    assert.equal(line, '{"id":9007199254740993,"at":"1970-01-01T00:00:01.000001Z","text":"ü"}')
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
