import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isJsonObject, parseJson, stringifyJson } from '../../../src/core/index.ts'

describe('JSON', () => {
  it('keeps integers that a double cannot hold', () => {
    assert.deepEqual(parseJson('{"id":9007199254740993,"n":12,"f":1.5}'), {
      id: 9007199254740993n,
      n: 12,
      f: 1.5
    })
  })

  it('leaves digits in texts and large fractions alone', () => {
    assert.deepEqual(parseJson('["12345678901234567890", 1e300, 0.125]'), [
      '12345678901234567890',
      1e300,
      0.125
    ])
  })

  it('finds long integers wherever they stand, and only where they are no text', () => {
    const id = 9007199254740993n
    const texts = [
      '"',
      '\\',
      '\\"',
      ':9007199254740993',
      '[9007199254740993',
      '"\\":9007199254740993'
    ]
    for (const text of texts) {
      const json = stringifyJson({ [text]: [text, -id, { [text]: id }], n: text })
      assert.deepEqual(parseJson(json), { [text]: [text, -id, { [text]: id }], n: text })
    }
    assert.equal(parseJson('9007199254740993'), id)
    assert.deepEqual(parseJson('[ 1,\n\t9007199254740993]'), [1, id])
    assert.throws(() => parseJson('{"a": "x :9007199254740993'), SyntaxError)
    const large = `"${':9007199254740993\\\\'.repeat(500_000)}"`
    assert.equal(String(parseJson(large)).length, 18 * 500_000)
  })

  it('writes back any integer as it was', () => {
    fc.assert(
      fc.property(fc.bigInt(), id => {
        assert.equal(stringifyJson(parseJson(`{"id":${id}}`)), `{"id":${id}}`)
      })
    )
  })

  it('agrees with the built-in parser on everything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value)
        assert.equal(stringifyJson(parseJson(text)), JSON.stringify(JSON.parse(text)))
      })
    )
  })

  it('tells objects from arrays and null', () => {
    assert.deepEqual([{}, [], null, 'a', 1].map(isJsonObject), [true, false, false, false, false])
  })
})
