/**
 * `demo.json` in the data directory: what was asked, and whether it came to its end. It decides
 * between a clean start and going on after a kill -9.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../core/index.ts'
import type { DemoScenario } from './demo-options.ts'

export interface DemoState {
  readonly format: 1
  readonly scenario: DemoScenario
  /** Port of the simulator; links name it, so a resumed run needs the same one. 0: not known yet. */
  readonly port: number
  /** Starts of this demo so far, this one included. */
  readonly runs: number
  readonly phase: 'running' | 'completed'
}

const fileName = 'demo.json'

/** Everything that a demo writes into its data directory besides `demo.json`. */
const ownEntries =
  /^(log\.sqlite.*|tables|files|cache|duckdb-tmp|scratch|key-index|demo\.log|demo\.json\.tmp)$/

/**
 * The state to start with. After an interrupted run of the same scenario its data stay; after a
 * completed one they are removed. An interrupted run of another scenario is refused with `USAGE`,
 * unless the directory is the default one: nobody chose it, so it starts clean.
 */
export function beginDemo(dir: string, scenario: DemoScenario, isDefaultDir: boolean): DemoState {
  makeDirectory(dir)
  const previous = readState(dir)
  if (previous === undefined) refuseForeignFiles(dir)
  const same = previous !== undefined && sameScenario(previous.scenario, scenario)
  if (previous?.phase === 'running' && !same && !isDefaultDir) {
    throw new ConfigError(
      'USAGE',
      `${dir} holds an interrupted demo with other options (${describeScenario(previous.scenario)}). ` +
        'Give the same options to finish it, another --data-dir, or remove the directory.'
    )
  }
  const resumed = previous?.phase === 'running' && same
  if (!resumed) removeOwnEntries(dir)
  const state: DemoState = resumed
    ? { ...previous, runs: previous.runs + 1 }
    : { format: 1, scenario, port: 0, runs: 1, phase: 'running' }
  writeState(dir, state)
  return state
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError('USAGE', `${dir} cannot be a data directory (${code}). Give another one.`)
  }
}

/** Atomic: a reader sees the old state or the new one. */
export function writeState(dir: string, state: DemoState): void {
  const temporary = join(dir, `${fileName}.tmp`)
  writeFileSync(temporary, `${JSON.stringify(state, null, 2)}\n`)
  renameSync(temporary, join(dir, fileName))
}

export function describeScenario({ events, projects, seed, faults }: DemoScenario): string {
  return `--events ${events} --projects ${projects} --seed ${seed} --faults ${faults}`
}

function readState(dir: string): DemoState | undefined {
  let text: string
  try {
    text = readFileSync(join(dir, fileName), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const state = JSON.parse(text) as DemoState
  if (state.format === 1) return state
  throw new ConfigError(
    'USAGE',
    `${join(dir, fileName)} was written by another release. Remove the directory or give another --data-dir.`
  )
}

function sameScenario(a: DemoScenario, b: DemoScenario): boolean {
  return describeScenario(a) === describeScenario(b)
}

function refuseForeignFiles(dir: string): void {
  const entries = readdirSync(dir).filter(name => name !== `${fileName}.tmp`)
  if (entries.length === 0) return
  throw new ConfigError(
    'USAGE',
    `${dir} is not empty and holds no demo (it has ${entries.slice(0, 3).join(', ')}). Give an empty or new --data-dir.`
  )
}

function removeOwnEntries(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (ownEntries.test(name)) rmSync(join(dir, name), { recursive: true, force: true })
  }
}
