/** What a demo is asked to do, and the configuration that follows. */
import { join } from 'node:path'
import { type Config, loadConfig } from '../../config/index.ts'
import type { FaultLevel } from '../../simulator/index.ts'

export const faultLevels = ['none', 'light', 'heavy'] as const satisfies readonly FaultLevel[]

/** The world that a demo plays; two demos with equal values end in the same state. */
export interface DemoScenario {
  readonly events: number
  readonly projects: number
  readonly seed: number
  readonly faults: FaultLevel
}

export const defaultScenario: DemoScenario = {
  events: 2000,
  projects: 200,
  seed: 1,
  faults: 'none'
}

/** Below the working directory, when no data directory is given. */
export const defaultDemoDir = join('.claims-pipeline', 'demo')

/** Credential of the simulator; it opens nothing else. */
export const demoToken = Buffer.from('demo:demo').toString('base64')

/**
 * Settings that a demo still takes from the environment: sizes and concurrency, so that one can see
 * what they change. Addresses, paths and credentials come from the demo itself.
 */
const tunable = [
  'NO_COLOR',
  'LOG_LEVEL',
  'CLAIMX_API_MAX_CONCURRENT',
  'CLAIMS_TOPIC_PARTITIONS',
  'CLAIMS_BATCH_LINGER_MS',
  'CLAIMS_DUCKDB_MEMORY',
  'CLAIMS_DUCKDB_THREADS',
  'DELTA_EVENTS_BATCH_SIZE',
  'ENRICHMENT_BATCH_SIZE',
  'DOWNLOAD_BATCH_SIZE',
  'DOWNLOAD_CONCURRENCY',
  'UPLOAD_BATCH_SIZE',
  'UPLOAD_CONCURRENCY',
  'RESULT_BATCH_SIZE'
]

/** Minutes pass in seconds: retry buckets of 1 to 8 s, trial calls after a fraction of a second. */
export function demoConfig(dataDir: string, apiUrl: string): Config {
  return loadConfig({
    onlyVariables: tunable,
    overrides: {
      dataDir,
      'api.url': apiUrl,
      'api.token': demoToken,
      'api.timeoutSeconds': 10,
      'api.breakerOpenSeconds': 0.5,
      'api.authTrialSeconds': 0.5,
      'retry.delaysSeconds': [1, 2, 4, 8],
      'files.allowedDomains': ['127.0.0.1', 'localhost'],
      'files.allowInsecureLocalhost': true,
      'files.minFreeBytes': 64 * 1024 ** 2,
      'log.format': 'json'
    }
  })
}
