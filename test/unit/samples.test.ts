import assert from 'node:assert/strict'
import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')
const files = globSync('{src,test,bench,docs,scripts}/**/*', { cwd: root })
  .concat('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md')
  .filter(path => statSync(join(root, path)).isFile())

/** Names that nobody can own (RFC 2606), and the authority of an ABFS path. */
const harmless = /(^|[.@])example(\.(com|net|org))?$|\.(invalid|test)$|\.fabric\.microsoft\.com$/i

describe('samples, tests and documents', () => {
  it('contain no mail address that could belong to somebody', () => {
    assert.ok(files.length > 100)
    const found = files.flatMap(path =>
      [
        ...readFileSync(join(root, path), 'utf8').matchAll(
          /[\w.%+-]+@([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,})/gi
        )
      ]
        .filter(([, host = '']) => !harmless.test(host))
        .map(([address]) => `${path}: ${address}`)
    )
    assert.deepEqual(found, [])
  })
})
