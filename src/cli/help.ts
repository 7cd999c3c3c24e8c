/** Help texts, made from the commands' own data. `docs/cli.md` is made of the same texts. */
import type { Command, OptionSpec } from './command.ts'
import { operationsMarkdown } from './operations.ts'

export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(command => command.name.length))
  return [
    'claims-pipeline: claim events to Delta Lake tables and files, continuously.',
    '',
    'Usage: claims-pipeline COMMAND [options]',
    '',
    'Commands:',
    ...commands.map(command => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'Every command has --help. Settings come from the environment and from --config FILE;',
    '`claims-pipeline config check` shows them. Try `claims-pipeline demo` first.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.'
  ].join('\n')
}

export function commandHelp(command: Command): string {
  const positionals = command.positionals ?? []
  const words = positionals.map(item => ` ${item.name}`).join('')
  const options = Object.entries({ ...command.options, help: helpOption })
  const entries = [
    ...positionals.map(item => [item.name, item.doc] as const),
    ...options.map(([name, spec]) => [optionHead(name, spec), spec.doc] as const)
  ]
  const width = Math.max(...entries.map(([head]) => head.length))
  return [
    command.summary,
    '',
    `Usage: claims-pipeline ${command.name}${words} [options]`,
    ...(command.description === undefined ? [] : ['', ...wrap(command.description, 78)]),
    '',
    ...entries.flatMap(([head, doc]) => {
      const [first = '', ...rest] = wrap(doc, 76 - width)
      return [`  ${head.padEnd(width)}  ${first}`, ...rest.map(x => `${' '.repeat(width + 4)}${x}`)]
    }),
    '',
    'Examples:',
    ...command.examples.map(example => `  ${example}`)
  ].join('\n')
}

/** `docs/cli.md`. */
export function cliMarkdown(commands: readonly Command[]): string {
  const blocks = commands.flatMap(command => [
    `## ${command.name}`,
    '',
    '```text',
    commandHelp(command),
    '```',
    ''
  ])
  return [
    '# Command line',
    '',
    'Generated from the help texts by `npm run docs`; a test keeps both equal.',
    '',
    '```text',
    programHelp(commands),
    '```',
    '',
    ...blocks,
    ...operationsMarkdown()
  ].join('\n')
}

const helpOption: OptionSpec = { type: 'flag', short: 'h', doc: 'Show this help.' }

function optionHead(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? '' : `-${spec.short}, `
  return `${short}--${name}${spec.value === undefined ? '' : ` ${spec.value}`}`
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > Math.max(20, width)) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines
}
