/**
 * Lines of NDJSON, as `tables read` prints them, in the canonical form of `canonical.ts`. Each type has one
 * form in JSON (src/delta/README.md "Values"); any other is an error here, not a value.
 */
import assert from 'node:assert/strict'
import { parseJson } from '../../src/core/index.ts'
import type { DataType, SchemaField } from '../../src/delta/index.ts'
import { type Cell, floatText, sortedCells } from './canonical.ts'

const DAY = 86_400_000

export function rowsOfNdjson(text: string, fields: readonly SchemaField[]): Cell[] {
  const lines = text.split('\n').filter(line => line !== '')
  return sortedCells(
    lines.map(line => {
      const row = parseJson(line) as Record<string, unknown>
      assert.deepEqual(Object.keys(row).sort(), fields.map(field => field.name).sort())
      return fields.map(({ name, type }) => {
        const value = row[name]
        const nested = typeof type !== 'string' && typeof value === 'string'
        return cellOf(nested ? parseJson(value) : value, type)
      })
    })
  )
}

function cellOf(value: unknown, type: DataType): Cell {
  if (value === null) return null
  if (typeof type === 'string') return primitiveCell(value, type)
  if (type.type === 'array') {
    return (value as unknown[]).map(item => cellOf(item, type.elementType))
  }
  if (type.type === 'map') {
    const entries = value as { key: unknown; value: unknown }[]
    return sortedCells(
      entries.map(entry => [cellOf(entry.key, type.keyType), cellOf(entry.value, type.valueType)])
    )
  }
  const struct = value as Record<string, unknown>
  assert.deepEqual(Object.keys(struct).sort(), type.fields.map(field => field.name).sort())
  return type.fields.map(field => cellOf(struct[field.name], field.type))
}

function primitiveCell(value: unknown, type: string): Cell {
  if (type === 'boolean') {
    assert.equal(typeof value, 'boolean')
    return value as boolean
  }
  if (type === 'float' || type === 'double') {
    const numbers = ['NaN', 'Infinity', '-Infinity']
    assert.ok(typeof value === 'number' || numbers.includes(value as string), `${type} ${value}`)
    return floatText(Number(value), type)
  }
  if (['long', 'integer', 'short', 'byte'].includes(type)) {
    assert.ok(Number.isSafeInteger(value) || typeof value === 'bigint', `${type} ${value}`)
    return String(value)
  }
  assert.ok(typeof value === 'string', `${type} ${value}`)
  if (type === 'binary') return Buffer.from(value, 'base64').toString('hex')
  if (type === 'date') {
    assert.match(value, /^\d{4}-\d\d-\d\d$/)
    return String(Date.parse(`${value}T00:00:00Z`) / DAY)
  }
  if (!type.startsWith('timestamp')) return value
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})(Z?)$/.exec(value)
  assert.ok(parts !== null && (parts[3] === 'Z') === (type === 'timestamp'), `${type} ${value}`)
  return String(BigInt(Date.parse(`${parts[1]}Z`)) * 1000n + BigInt(parts[2] ?? 0))
}
