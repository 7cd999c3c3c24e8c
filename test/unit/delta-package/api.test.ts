import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deltaDeclarations, mentioned } from '../../../scripts/api-docs/markdown.ts'

/** Names of JavaScript itself. */
const BUILT_IN: readonly string[] = [
  'AbortSignal',
  'Array',
  'AsyncGenerator',
  'AsyncIterable',
  'Date',
  'Error',
  'Extract',
  'Iterable',
  'NonNullable',
  'Omit',
  'Pick',
  'Promise',
  'Readonly',
  'ReadonlyMap',
  'ReadonlySet',
  'Record',
  'Set',
  'Symbol',
  'Uint32Array',
  'Uint8Array'
]

describe('the public interface of the Delta package', () => {
  const declarations = deltaDeclarations()
  const names = declarations.map(({ name }) => name)

  it('is found by the compiler, with the members of its classes', () => {
    const table = declarations.find(({ name }) => name === 'DeltaTable')
    assert.equal(table?.kind, 'class')
    const members = table.members.map(({ name }) => name)
    assert.ok(['open', 'merge', 'read', '[Symbol.asyncDispose]'].every(it => members.includes(it)))
    assert.ok(!members.some(member => member.includes('#')))
  })

  it('has a comment on every function, class, type, option and result', () => {
    const lacking = declarations.flatMap(({ name, doc, members }) => [
      ...(doc === '' ? [name] : []),
      ...members.filter(member => member.doc === '').map(member => `${name}.${member.name}`)
    ])
    assert.deepEqual(lacking, [], 'write their doc comments: shapes, units, errors')
  })

  it('exports every type that its signatures name', () => {
    const unknown = declarations.flatMap(declaration =>
      mentioned(declaration)
        .filter(name => !names.includes(name) && !BUILT_IN.includes(name))
        .map(name => `${name}, in ${declaration.name}`)
    )
    assert.deepEqual(unknown, [], 'export them in src/delta-package/index.ts')
  })
})
