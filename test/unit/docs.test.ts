import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { generatedDocs } from '../../scripts/generated-docs.ts'

const root = join(import.meta.dirname, '../..')

describe('generated documents', () => {
  for (const [file, text] of Object.entries(generatedDocs)) {
    it(`${file} is what the code says (else run: npm run docs)`, () => {
      assert.equal(readFileSync(join(root, file), 'utf8'), text())
    })
  }
})
