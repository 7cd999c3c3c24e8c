/** What commands share: the configuration, and a pipeline that is closed whatever happens. */
import { openPipeline, type Pipeline } from '../app/index.ts'
import { type Config, type LoadOptions, loadConfig } from '../config/index.ts'
import type { CommandArgs } from './command.ts'
import type { Terminal } from './terminal.ts'

/** Configuration with `--config` and `--data-dir` of the command line. */
export function configOf(args: CommandArgs, overrides: LoadOptions['overrides'] = {}): Config {
  const file = args.text('config')
  const dataDir = args.text('data-dir')
  return loadConfig({
    ...(file === undefined ? {} : { file }),
    overrides: { ...(dataDir === undefined ? {} : { dataDir }), ...overrides }
  })
}

export async function withPipeline<T>(
  config: Config,
  terminal: Terminal,
  use: (pipeline: Pipeline) => Promise<T>
): Promise<T> {
  const pipeline = await openPipeline(config, {
    log: {
      write: line => {
        terminal.stderr.write(line)
      },
      terminal: terminal.errInteractive
    }
  })
  try {
    return await use(pipeline)
  } finally {
    await pipeline.close()
  }
}
