/** Door of the command line, for the documentation and tests. */
export { commands } from './commands/index.ts'
export { cliMarkdown } from './help.ts'
