import { faultLevels, type RunningSimulator, startSimulation, topicSpecs } from '../../app/index.ts'
import { type Command, type CommandArgs, configOptions } from '../command.ts'
import { configOf, withPipeline } from '../open.ts'
import { type Terminal, writeLine } from '../terminal.ts'

const token = Buffer.from('demo:demo').toString('base64')

export const simulate: Command = {
  name: 'simulate',
  summary: 'Serve a simulated ClaimX API with media, and optionally feed its events.',
  description:
    'Runs until SIGINT or SIGTERM. All data follow from --seed, --projects and --events. With --feed the events go to the raw topic of the configured message log; events that are there already are not sent again.',
  options: {
    port: {
      type: 'integer',
      value: 'N',
      min: 0,
      max: 65_535,
      doc: 'Port (default 8765; 0: any free one).'
    },
    events: { type: 'integer', value: 'N', min: 1, max: 10_000_000, doc: 'Events (default 2000).' },
    projects: { type: 'integer', value: 'N', min: 1, max: 200_000, doc: 'Claims (default 200).' },
    seed: { type: 'integer', value: 'N', doc: 'Seed of all data (default 1).' },
    faults: {
      type: 'text',
      value: 'LEVEL',
      choices: faultLevels,
      doc: 'none, light or heavy (default none).'
    },
    'latency-ms': {
      type: 'integer',
      value: 'N',
      max: 60_000,
      doc: 'Added to every API answer (default 0).'
    },
    feed: { type: 'flag', doc: 'Create the topics and write the events to the raw topic.' },
    rate: {
      type: 'integer',
      value: 'N',
      min: 1,
      doc: 'With --feed: events per second (default: as fast as possible).'
    },
    ...configOptions
  },
  examples: [
    'claims-pipeline simulate',
    'claims-pipeline simulate --events 500 --projects 50 --faults light --feed --rate 20'
  ],
  run: async (args, terminal) => {
    const { stopSignal } = terminal
    const simulator = await startSimulation({
      port: args.integer('port') ?? 8765,
      events: args.integer('events') ?? 2000,
      projects: args.integer('projects') ?? 200,
      seed: args.integer('seed') ?? 1,
      faults: faultLevels.find(level => level === args.text('faults')) ?? 'none',
      latencyMs: args.integer('latency-ms') ?? 0,
      token
    })
    try {
      await writeLine(terminal.stdout, howToUse(simulator))
      if (args.flag('feed')) await feed(simulator, args, terminal)
      if (!stopSignal.aborted) {
        await new Promise(resolve => {
          stopSignal.addEventListener('abort', resolve, { once: true })
        })
      }
      return 0
    } finally {
      await simulator.close()
    }
  }
}

function howToUse({ apiUrl, host }: RunningSimulator): string {
  return [
    `The simulated ClaimX API is at ${apiUrl}. Point a pipeline at it, in another terminal:`,
    '',
    `  export CLAIMX_API_URL=${apiUrl}`,
    `  export CLAIMX_API_TOKEN=${token}`,
    `  export ALLOWED_ATTACHMENT_DOMAINS=${host}`,
    '  export CLAIMS_ALLOW_INSECURE_LOCALHOST=true',
    '  claims-pipeline run',
    '',
    'Stop it with Ctrl-C.'
  ].join('\n')
}

async function feed(
  simulator: RunningSimulator,
  args: CommandArgs,
  terminal: Terminal
): Promise<void> {
  const config = configOf(args)
  await withPipeline(config, terminal, async ({ log }) => {
    await log.createTopics(topicSpecs(config))
    const rate = args.integer('rate')
    const fed = await simulator.feed(log, {
      signal: terminal.stopSignal,
      ...(rate === undefined ? {} : { ratePerSecond: rate })
    })
    await writeLine(terminal.stdout, `Fed ${fed} events.`)
  })
}
