/** `npm run docs`: writes the documents that are made from code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedDocs } from './generated-docs.ts'

const root = join(import.meta.dirname, '..')
for (const [file, text] of Object.entries(generatedDocs)) {
  writeFileSync(join(root, file), text())
  process.stdout.write(`wrote ${file}\n`)
}
