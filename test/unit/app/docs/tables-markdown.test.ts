import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { it } from 'node:test'
import { tablesMarkdown } from '../../../../src/app/docs/tables-markdown.ts'

it('docs/tables.md says what the table definitions say', async () => {
  const page = await readFile(new URL('../../../../docs/tables.md', import.meta.url), 'utf8')
  assert.equal(page, tablesMarkdown())
})
