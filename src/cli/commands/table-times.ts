/** Versions of tables by time, for commands. */
import { millisFromMicros, parseInstant } from '../../core/index.ts'
import { type CommandArgs, type OptionSpec, usageError } from '../command.ts'

export const timestampOption: OptionSpec = {
  type: 'text',
  value: 'TIME',
  doc: 'The newest version at that time, such as 2026-11-24T06:00:00Z; in place of --version.'
}

/** Milliseconds since the epoch of `--timestamp`, or another option; undefined when it is not given. */
export function timeOf(
  args: CommandArgs,
  command: string,
  option = 'timestamp',
  versionOption = 'version'
): number | undefined {
  const text = args.text(option)
  if (text === undefined) return undefined
  if (args.integer(versionOption) !== undefined) {
    throw usageError(`Give --${versionOption} or --${option}, not both.`, command)
  }
  const micros = parseInstant(text)
  if (micros !== undefined) return millisFromMicros(micros)
  throw usageError(`--${option} is no time: "${text}". Write 2026-11-24T06:00:00Z.`, command)
}
