/** Workers in a process of their own, started as an operator would, against a pipeline of a test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { testToken, type WholePipeline } from './whole-pipeline.ts'

const bin = resolve(import.meta.dirname, '../../bin/claims-pipeline.js')

export interface WorkerProcess {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
  /** Log lines with the message. */
  lines(message: string): Record<string, unknown>[]
  /** The end of what it printed. */
  errors(): string
}

/** `words`: the command, all workers by default. */
export function startWorkers(
  whole: Pick<WholePipeline, 'directory' | 'simulator'>,
  environment: Readonly<Record<string, string>> = {},
  words: readonly string[] = ['run']
): WorkerProcess {
  const child = spawn(process.execPath, [bin, ...words], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      CLAIMS_DATA_DIR: whole.directory,
      CLAIMX_API_URL: whole.simulator.apiUrl,
      CLAIMX_API_TOKEN: testToken,
      ALLOWED_ATTACHMENT_DOMAINS: '127.0.0.1,localhost',
      CLAIMS_ALLOW_INSECURE_LOCALHOST: 'true',
      CLAIMS_MIN_FREE_BYTES: '0',
      CLAIMS_BATCH_LINGER_MS: '20',
      RETRY_DELAYS: '0.2,0.4,0.6,0.8',
      DELTA_EVENTS_BATCH_SIZE: '25',
      ENRICHMENT_BATCH_SIZE: '25',
      DOWNLOAD_BATCH_SIZE: '4',
      JSON_LOGS: 'json',
      ...environment
    }
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const exit = new Promise<number | null>(done => child.on('exit', code => done(code)))
  return {
    child,
    exit,
    errors: () => text.slice(-2_000),
    lines: message =>
      text
        .split('\n')
        .filter(line => line.includes(`"message":"${message}"`))
        .map(line => JSON.parse(line) as Record<string, unknown>)
  }
}

/** The launcher and the program that it started. */
export function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL')
}
