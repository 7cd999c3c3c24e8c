/** The program: finds the command, reads its options, turns its end into an exit code. */
import { keepHeapSmall } from '../app/index.ts'
import { isPipelineError } from '../core/index.ts'
import { type Command, parseCommandLine, usageError } from './command.ts'
import { commands } from './commands/index.ts'
import { describeError } from './describe-error.ts'
import { commandHelp, programHelp } from './help.ts'
import { nearest } from './nearest.ts'
import { systemTerminal } from './system-terminal.ts'
import { type Terminal, writeLine } from './terminal.ts'
import { programVersion } from './version.ts'

/** Resolves with the exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(words, terminal)
  } catch (error) {
    if (isClosedPipe(error)) return 0
    await writeLine(terminal.stderr, describeError(error))
    const usage = isPipelineError(error) && ['USAGE', 'CONFIG_INVALID'].includes(error.code)
    return usage ? 2 : 1
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = words
  if (first === '--version' || first === '-v') {
    await writeLine(terminal.stdout, programVersion())
    return 0
  }
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const topic = first === 'help' ? words.slice(1) : []
    const found = topic.length > 0 ? findCommand(topic) : undefined
    await writeLine(terminal.stdout, found ? commandHelp(found.command) : programHelp(commands))
    return first === undefined ? 2 : 0
  }
  const group = groupOf(words)
  if (group !== undefined) {
    await writeLine(terminal.stdout, programHelp(group))
    return 0
  }
  const { command, rest } = findCommand(words)
  if (wantsHelp(rest)) {
    await writeLine(terminal.stdout, commandHelp(command))
    return 0
  }
  return await command.run(parseCommandLine(command, rest), terminal)
}

/** `tables --help`: the commands whose names start so. */
function groupOf(words: readonly string[]): Command[] | undefined {
  const [first, second] = words
  if (first === undefined || (second !== undefined && !wantsHelp([second]))) return undefined
  const members = commands.filter(command => command.name.startsWith(`${first} `))
  if (members.length === 0) return undefined
  if (second !== undefined) return members
  const names = members.map(command => command.name.split(' ')[1]).join(', ')
  throw usageError(`\`${first}\` needs one of: ${names}.`, first)
}

function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    const command = commands.find(item => item.name === name)
    if (command !== undefined) return { command, rest: words.slice(length) }
  }
  const names = commands.map(command => command.name)
  const [first = '', second] = words
  const grouped = names.some(name => name.startsWith(`${first} `))
  const typed = grouped && second !== undefined ? `${first} ${second}` : first
  const groups = names.map(name => name.split(' ')[0] ?? name)
  const close = nearest(words.slice(0, 2).join(' '), names) ?? nearest(typed, [...names, ...groups])
  const hint = close === undefined ? '' : ` Did you mean \`${close}\`?`
  throw usageError(`There is no command \`${typed}\`.${hint}`)
}

function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).some(word => word === '--help' || word === '-h')
}

function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE'
}

/** Runs the command of this process, with its streams and signals, and ends it. */
export async function start(): Promise<void> {
  const { terminal, exit } = systemTerminal()
  keepHeapSmall()
  exit(await main(process.argv.slice(2), terminal))
}

if (import.meta.main) await start()
