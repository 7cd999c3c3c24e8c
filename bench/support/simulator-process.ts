/** The simulator in a process of its own, so that its work is not the pipeline's. Prints its address. */
import { parseArgs } from 'node:util'
import { createWorld, type FaultLevel, startSimulator } from '../../src/simulator/index.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    projects: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    latency: { type: 'string', default: '0' },
    faults: { type: 'string', default: 'none' },
    token: { type: 'string', default: '' }
  }
})
const world = createWorld({
  seed: Number(values.seed),
  events: Number(values.events),
  projects: Number(values.projects)
})
const simulator = await startSimulator({
  world,
  port: 0,
  token: values.token,
  faults: values.faults as FaultLevel,
  latencyMs: Number(values.latency)
})
process.stdout.write(`${JSON.stringify({ apiUrl: simulator.apiUrl })}\n`)
process.on('SIGTERM', () => {
  void simulator.close().then(() => process.exit(0))
})
