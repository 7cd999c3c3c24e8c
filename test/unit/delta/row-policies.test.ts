import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CellValue, ColumnPolicy, Row } from '../../../src/core/index.ts'
import { type MergeRules, mergeRows } from '../../../src/delta/index.ts'

const policies: readonly (readonly [string, ColumnPolicy])[] = [
  ['id', 'key'],
  ['born', 'first'],
  ['name', 'coalesce'],
  ['state', 'replace'],
  ['seen', 'min'],
  ['flag', 'or'],
  ['link', 'coalesce'],
  ['expires', 'with:link'],
  ['asked', 'coalesce'],
  ['updated', 'audit']
]
const columns = policies.map(([name]) => name)
const open: MergeRules = { keys: ['id'], policies: new Map(policies) }
const guarded: MergeRules = { ...open, guard: { columns: ['asked'], strict: false } }

describe('row policies', () => {
  test('null never erases under coalesce, but does under replace', () => {
    const stored = row({ name: 'a', state: 'x' })
    const { values } = mergeRows(open, columns, stored, [{ id: 'k', name: null, state: null }])
    assert.deepEqual([values['name'], values['state']], ['a', null])
  })

  test('NaN in place of a number, and a number in place of NaN, are changes; NaN again is none', () => {
    for (const [before, after, changed] of [
      [1, Number.NaN, true],
      [Number.NaN, Number.NEGATIVE_INFINITY, true],
      [Number.NaN, Number.NaN, false]
    ] as const) {
      const merged = mergeRows(open, columns, row({ state: before }), [{ id: 'k', state: after }])
      assert.equal(merged.changed, changed)
      assert.ok(Object.is(merged.values['state'], after))
    }
  })

  test('a patch touches only the columns that it has', () => {
    const stored = row({ name: 'a', state: 'x', asked: 5 })
    const { values } = mergeRows(guarded, columns, stored, [{ id: 'k', seen: 3 }])
    assert.deepEqual(values, { ...stored, seen: 3 })
  })

  test('the first value stays', () => {
    const { values } = mergeRows(open, columns, row({ born: 1 }), [{ id: 'k', born: 2 }])
    assert.equal(values['born'], 1)
  })

  test('the smaller and the true win, and gaps are filled, even from a row that is older', () => {
    const stored = row({ seen: 5, flag: false, asked: 9 })
    const older: Row = { id: 'k', seen: 3, flag: true, name: 'old', asked: 1 }
    const { values } = mergeRows(guarded, columns, stored, [older])
    assert.deepEqual([values['seen'], values['flag'], values['name']], [3, true, 'old'])
    const later = mergeRows(guarded, columns, values, [
      { id: 'k', seen: 4, flag: false, asked: 10 }
    ])
    assert.deepEqual([later.values['seen'], later.values['flag']], [3, true])
  })

  test('a follower is replaced, null included, exactly when its leader is given', () => {
    const stored = row({ link: 'l', expires: 'e' })
    const kept = mergeRows(open, columns, stored, [{ id: 'k', link: null, expires: 'other' }])
    assert.equal(kept.values['expires'], 'e')
    const replaced = mergeRows(open, columns, stored, [{ id: 'k', link: 'm', expires: null }])
    assert.equal(replaced.values['expires'], null)
  })

  test('an older full row changes nothing, an equally old one does unless the guard is strict', () => {
    const stored = row({ name: 'new', asked: 5 })
    const older = mergeRows(guarded, columns, stored, [{ id: 'k', name: 'old', asked: 4 }])
    assert.deepEqual(older, { values: stored, changed: false, deleted: false })
    const equal: Row = { id: 'k', name: 'same age', asked: 5 }
    assert.equal(mergeRows(guarded, columns, stored, [equal]).values['name'], 'same age')
    const strict: MergeRules = { ...open, guard: { columns: ['asked'], strict: true } }
    assert.equal(mergeRows(strict, columns, stored, [equal]).changed, false)
  })

  test('guard columns decide in order, null is oldest', () => {
    const rules: MergeRules = { ...open, guard: { columns: ['asked', 'seen'], strict: true } }
    const stored = row({ asked: 5, seen: null, name: 'a' })
    const newer = mergeRows(rules, columns, stored, [{ id: 'k', asked: 5, seen: 1, name: 'b' }])
    assert.equal(newer.values['name'], 'b')
    const unset = mergeRows(rules, columns, row({ name: 'a' }), [{ id: 'k', asked: 0, name: 'c' }])
    assert.equal(unset.values['name'], 'c')
  })

  test('text guards are compared as points in time', () => {
    const rules: MergeRules = {
      ...open,
      guard: { columns: ['state'], strict: true, parse: 'instant' }
    }
    const stored = row({ state: '2024-01-01T12:00:00+02:00', name: 'a' })
    const before: Row = { id: 'k', state: '2024-01-01T09:59:59Z', name: 'b' }
    const after: Row = { id: 'k', state: '2024-01-01T10:00:01Z', name: 'b' }
    assert.equal(mergeRows(rules, columns, stored, [before]).changed, false)
    assert.equal(mergeRows(rules, columns, stored, [after]).values['name'], 'b')
  })

  test('a difference in audit columns alone is no change', () => {
    const stored = row({ name: 'a', updated: 1 })
    assert.equal(
      mergeRows(open, columns, stored, [{ id: 'k', name: 'a', updated: 2 }]).changed,
      false
    )
    const { values } = mergeRows(open, columns, stored, [{ id: 'k', name: 'b', updated: 2 }])
    assert.equal(values['updated'], 2)
  })

  test('insert-only keeps the stored row, and the first of a batch', () => {
    const rules: MergeRules = { ...open, insertOnly: true }
    assert.equal(
      mergeRows(rules, columns, row({ name: 'a' }), [{ id: 'k', name: 'b' }]).changed,
      false
    )
    const fresh = mergeRows(rules, columns, undefined, [
      { id: 'k', name: '1' },
      { id: 'k', name: '2' }
    ])
    assert.equal(fresh.values['name'], '1')
  })

  const cell = (...values: CellValue[]): fc.Arbitrary<CellValue> => fc.constantFrom(...values)
  const anyRow: fc.Arbitrary<Row> = fc
    .record(
      {
        born: cell(null, 1, 2),
        name: cell(null, 'a', 'b'),
        state: cell(null, 'x', 'y'),
        seen: cell(null, 1, 2, 3),
        flag: cell(null, true, false),
        link: cell(null, 'l', 'm'),
        expires: cell(null, 'e', 'f'),
        asked: cell(null, 1, 2, 3),
        updated: cell(null, 1, 2)
      },
      { requiredKeys: [] }
    )
    .map(values => ({ id: 'k', ...values }))

  for (const [name, rules] of [
    ['without a guard', open],
    ['with a guard', guarded]
  ] as const) {
    test(`applying a batch is applying its rows one by one, ${name}`, () => {
      fc.assert(
        fc.property(fc.array(anyRow, { minLength: 1, maxLength: 6 }), fc.nat(5), (rows, cut) => {
          const split = Math.min(Math.max(cut, 1), rows.length)
          const whole = mergeRows(rules, columns, undefined, rows)
          const first = mergeRows(rules, columns, undefined, rows.slice(0, split))
          const second = mergeRows(rules, columns, first.values, rows.slice(split))
          assert.deepEqual(second.values, whole.values)
        })
      )
    })

    test(`applying one row again changes nothing, ${name}`, () => {
      fc.assert(
        fc.property(fc.option(anyRow, { nil: undefined }), anyRow, (before, next) => {
          const stored =
            before === undefined ? undefined : mergeRows(rules, columns, undefined, [before]).values
          const once = mergeRows(rules, columns, stored, [next])
          assert.deepEqual(mergeRows(rules, columns, once.values, [next]), {
            values: once.values,
            changed: false,
            deleted: false
          })
        })
      )
    })
  }

  test('a value under coalesce, min, or and first is never lost', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1, maxLength: 8 }), rows => {
        const kept = ['born', 'name', 'seen', 'flag', 'link']
        let values: Record<string, CellValue> | undefined
        for (const next of rows) {
          const before = values
          values = mergeRows(guarded, columns, values, [next]).values
          for (const column of kept) {
            if (before !== undefined && before[column] !== null) {
              assert.notEqual(values[column], null, column)
            }
          }
        }
      })
    )
  })
})

function row(values: Record<string, CellValue>): Record<string, CellValue> {
  const empty = Object.fromEntries(columns.map(column => [column, null]))
  return { ...empty, id: 'k', ...values }
}
