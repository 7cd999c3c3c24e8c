import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

describe('links of documents', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'test/**/*.md'], { cwd: root })

  it('lead to files and headings that exist', () => {
    const broken = documents.flatMap(document => {
      const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
      const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      return links
        .filter(([, path = '', heading]) => {
          const file = path === '' ? join(root, document) : join(root, dirname(document), path)
          if (!existsSync(file)) return true
          return heading !== undefined && !headings(readFileSync(file, 'utf8')).has(heading)
        })
        .map(([link]) => `${document}: ${link}`)
    })
    assert.deepEqual(broken, [])
    assert.ok(documents.length > 10)
  })

  /** As the web pages of repositories name them. */
  function headings(text: string): Set<string> {
    const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(match => match[1] ?? '')
    return new Set(
      titles.map(title =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-')
      )
    )
  }
})
