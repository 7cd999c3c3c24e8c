/** The documents that are made from code, by file name. */
import { errorsMarkdown, tablesMarkdown } from '../src/app/index.ts'
import { cliMarkdown, commands } from '../src/cli/index.ts'
import { configurationMarkdown } from '../src/config/index.ts'

export const generatedDocs: Readonly<Record<string, () => string>> = {
  'docs/cli.md': () => cliMarkdown(commands),
  'docs/configuration.md': configurationMarkdown,
  'docs/errors.md': errorsMarkdown,
  'docs/tables.md': tablesMarkdown
}
