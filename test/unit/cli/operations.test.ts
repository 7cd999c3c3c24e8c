import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deltaDeclarations } from '../../../scripts/api-docs/markdown.ts'
import { commands } from '../../../src/cli/index.ts'
import { operations } from '../../../src/cli/operations.ts'

/** Of the object itself, not of the table. */
const ofTheObject = ['open', 'openIfExists', 'location', 'settled', 'closed', 'close']

describe('operations of Delta tables', () => {
  it('have a command each, or a reason why not', () => {
    const table = deltaDeclarations().find(({ name }) => name === 'DeltaTable')
    const methods = (table?.members ?? [])
      .map(({ name }) => name)
      .filter(name => !name.startsWith('[') && !ofTheObject.includes(name))
    assert.deepEqual(operations.map(({ method }) => method).sort(), methods.sort())
    for (const { method, command, reason } of operations) {
      assert.ok((command === undefined) !== (reason === undefined), method)
      if (command !== undefined) {
        assert.ok(
          commands.some(({ name }) => name === command),
          command
        )
      }
    }
  })
})
