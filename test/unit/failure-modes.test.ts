import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const rows = readFileSync(join(root, 'docs/failure-modes.md'), 'utf8')
  .split('\n')
  .filter(line => /^\| \d/.test(line))
  .map(line => {
    const [, number = '', failure = '', status = '', file = '', name = ''] = line
      .split('|')
      .map(cell => cell.trim())
    return { number: Number(number), failure, status, file: file.replaceAll('`', ''), name }
  })

/** Whether the file has a test of this name; in titles that are templates, values may be anything. */
function hasTest(file: string, name: string): boolean {
  const text = readFileSync(join(root, file), 'utf8')
  const titles = [...text.matchAll(/\b(?:it|test)\(\s*(?:'((?:[^'\\]|\\.)*)'|`([^`]*)`)/g)]
  return titles.some(([, plain, template]) => {
    if (template === undefined) return plain?.replaceAll('\\', '') === name
    const parts = template
      .split(/\$\{[^}]*\}/)
      .map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('.+')}$`).test(name)
  })
}

describe('docs/failure-modes.md', () => {
  it('lists all 126 failures, each once', () => {
    assert.deepEqual(
      rows.map(row => row.number),
      Array.from({ length: 126 }, (_, index) => index + 1)
    )
  })

  it('names for each a test that exists, or the later part that it belongs to', () => {
    for (const { number, status, file, name, failure } of rows) {
      assert.ok(failure !== '')
      if (status.startsWith('later: ')) {
        assert.equal(`${file}${name}`, '', `${number} has a test, but is said to come later`)
        continue
      }
      assert.equal(status, 'shown', `${number}`)
      assert.ok(existsSync(join(root, file)), `${number}: ${file} does not exist`)
      assert.ok(hasTest(file, name), `${number}: ${file} has no test "${name}"`)
    }
  })
})
