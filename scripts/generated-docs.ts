/** The documents that are made from code, by file name. */

import { errorsMarkdown, tablesMarkdown } from '../src/app/index.ts'
import { cliMarkdown, commands } from '../src/cli/index.ts'
import { configurationMarkdown } from '../src/config/index.ts'
import { deltaApiMarkdown } from './api-docs/markdown.ts'

export const generatedDocs: Readonly<Record<string, () => string>> = {
  'docs/cli.md': () => cliMarkdown(commands),
  'docs/configuration.md': configurationMarkdown,
  'docs/delta/api.md': deltaApiMarkdown,
  'docs/errors.md': errorsMarkdown,
  'docs/tables.md': tablesMarkdown
}
